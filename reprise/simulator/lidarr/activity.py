"""Queue, history, blocklist, releases and commands of a simulated Lidarr as its API shows them."""

from __future__ import annotations

import re

from reprise.simulator.clock import seconds
from reprise.simulator.disk import DiskFile
from reprise.simulator.knobs import Json
from reprise.simulator.lidarr import resources
from reprise.simulator.lidarr.commands import Command
from reprise.simulator.lidarr.imports import Imports
from reprise.simulator.lidarr.ledger import Blocked, Download, HistoryRow, ReleaseFound
from reprise.simulator.lidarr.library import Album, Artist
from reprise.simulator.lidarr.resources import present
from reprise.simulator.lidarr.world import World


def queue_row(download: Download, album: Album, world: World, *, artist: bool, with_album: bool) -> Json:
    release = download.release
    done = download.sizeleft == 0
    return present(
        id=download.row_id(album),
        artistId=album.artist.id,
        albumId=album.id,
        artist=resources.artist(album.artist, world, statistics=False) if artist else None,
        album=resources.album(album, world, with_artist=False, statistics=False) if with_album else None,
        quality=resources.quality(release.quality),
        customFormats=[],
        customFormatScore=0,
        size=float(release.size),
        title=release.title,
        sizeleft=float(download.sizeleft),
        timeleft="00:00:00" if done else "00:05:00",
        estimatedCompletionTime=seconds(world.clock.now()),
        added=seconds(download.added_at),
        status=download.client_status or ("completed" if done else "downloading"),
        trackedDownloadStatus=download.status,
        trackedDownloadState=download.state,
        statusMessages=[{"title": title, "messages": why} for title, why in download.messages],
        errorMessage=download.error,
        downloadId=download.download_id,
        protocol=release.client.protocol,
        downloadClient=release.client.name,
        downloadClientHasPostImportCategory=False,
        indexer=release.indexer,
        outputPath=download.output_path,
        trackFileCount=len(album.tracks),
        trackHasFileCount=len(album.files),
        downloadForced=False,
    )


def history_row(row: HistoryRow, world: World, *, artist: bool, album: bool, track: bool) -> Json:
    return present(
        id=row.id,
        albumId=row.album.id,
        artistId=row.artist.id,
        trackId=row.track.id if row.track else 0,
        sourceTitle=row.source_title,
        quality=resources.quality(row.quality),
        customFormats=[],
        customFormatScore=0,
        qualityCutoffNotMet=row.quality != "FLAC",
        date=seconds(row.date),
        downloadId=row.download_id,
        eventType=row.type.wire,
        data=present(**row.data),
        album=resources.album(row.album, world, with_artist=False, statistics=False) if album else None,
        artist=resources.artist(row.artist, world, statistics=False) if artist else None,
        track=resources.track(row.track, row.album) if track and row.track else None,
    )


def blocked(one: Blocked, world: World) -> Json:
    return {
        "id": one.id,
        "artistId": one.release.album.artist.id,
        "albumIds": [album.id for album in one.albums],
        "sourceTitle": one.release.title,
        "quality": resources.quality(one.release.quality),
        "customFormats": [],
        "date": seconds(one.date),
        "protocol": one.release.client.protocol,
        "indexer": one.release.indexer,
        "message": one.message,
        "artist": resources.artist(one.release.album.artist, world, statistics=False),
    }


def release(one: ReleaseFound, world: World, *, weight: int) -> Json:
    refused = world.ledger.is_blocked(one)
    torrent = one.client.protocol == "torrent"
    return present(
        id=0,
        guid=one.guid,
        quality=resources.quality(one.quality),
        qualityWeight=21,
        age=10,
        ageHours=240.5,
        ageMinutes=14430.5,
        size=one.size,
        indexerId=one.indexer_id,
        indexer=one.indexer,
        releaseGroup=one.release_group,
        title=one.title,
        discography=False,
        sceneSource=False,
        artistName=one.album.artist.name,
        albumTitle=one.album.title,
        approved=not refused,
        temporarilyRejected=False,
        rejected=refused,
        rejections=["Blocklisted before"] if refused else [],
        publishDate=seconds(world.clock.now()),
        downloadUrl=f"{one.guid}/download",
        infoUrl=one.guid,
        downloadAllowed=True,
        releaseWeight=weight,
        customFormats=[],
        customFormatScore=0,
        infoHash=one.info_hash if torrent else None,
        seeders=12 if torrent else None,
        leechers=1 if torrent else None,
        protocol=one.client.protocol,
        indexerFlags=0,
    )


def command(one: Command) -> Json:
    return present(
        id=one.id,
        name=one.name,
        commandName=re.sub(r"(?<=[a-z])(?=[A-Z])", " ", one.name),
        message=one.message,
        body={
            "sendUpdatesToClient": True,
            "updateScheduledTask": True,
            "completionMessage": "Completed",
            "requiresDiskAccess": one.name in ("ManualImport", "DownloadedAlbumsScan"),
            "isExclusive": False,
            "isTypeExclusive": False,
            "isLongRunning": False,
            "name": one.name,
            "trigger": one.trigger,
            "suppressMessages": False,
            **one.body,
        },
        priority="high" if one.name == "ManualImport" else "normal",
        status=one.status,
        result=one.result,
        queued=seconds(one.queued_at),
        started=seconds(one.started_at) if one.started_at else None,
        ended=seconds(one.ended_at) if one.ended_at else None,
        duration="00:00:00.0100000" if one.ended_at else None,
        exception=one.exception,
        trigger=one.trigger,
        stateChangeTime=seconds(one.ended_at or one.started_at or one.queued_at),
        sendUpdatesToClient=True,
        updateScheduledTask=True,
    )


def candidate(
    file: DiskFile, world: World, imports: Imports, *, artist: Artist | None, download_id: str, replace: bool
) -> Json:
    """One file of a folder as `GET /manualimport` offers it, with what speaks against importing it."""
    match = imports.match(file)
    if match is not None and artist is not None and match[0].artist is not artist:
        match = None
    why = "A track has no match" if file.bad else "No album resembles this file"
    refused = file.bad or match is None
    track_quality = "FLAC" if file.path.casefold().endswith(".flac") else "MP3-320"
    return present(
        id=int.from_bytes(file.path.encode()[-4:]) & 0x7FFFFFFF,
        path=file.path,
        name=file.path.rpartition("/")[2].rpartition(".")[0],
        size=file.size,
        artist=resources.artist(match[0].artist, world, statistics=False) if match else None,
        album=resources.album(match[0], world, with_artist=False, statistics=False) if match else None,
        albumReleaseId=match[0].release_id if match else 0,
        tracks=[resources.track(match[1], match[0])] if match and not file.bad else [],
        quality=resources.quality(track_quality),
        qualityWeight=0,
        downloadId=download_id or None,
        indexerFlags=0,
        rejections=[{"reason": why, "type": "permanent"}] if refused else [],
        additionalFile=False,
        replaceExistingFiles=replace,
        disableReleaseSwitching=False,
    )
