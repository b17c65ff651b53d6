"""The simulated Lidarr's records as its API shows them; what is null is left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reprise.simulator.clock import seconds
from reprise.simulator.knobs import Json
from reprise.simulator.lidarr.catalogue import KnownAlbum, made_up
from reprise.simulator.lidarr.library import Album, Artist, Track, TrackFile
from reprise.simulator.lidarr.qualities import QUALITY_IDS
from reprise.simulator.lidarr.world import World

TRACK_MS = 210_000


def present(**fields: Any) -> Json:
    return {name: value for name, value in fields.items() if value is not None}


def quality(name: str) -> Json:
    return {
        "quality": {"id": QUALITY_IDS.get(name, 0), "name": name},
        "revision": {"version": 1, "real": 0, "isRepack": False},
    }


def counts(albums: Sequence[Album], world: World) -> Json:
    """Statistics; as in Lidarr, tracks of unmonitored or unreleased albums count only where they have files."""
    now = world.clock.now()
    files = [file for album in albums for file in album.files]
    counted = sum(
        len(album.tracks) if album.monitored and album.released_at <= now else len(album.files) for album in albums
    )
    return {
        "trackFileCount": len(files),
        "trackCount": counted,
        "totalTrackCount": sum(len(album.tracks) for album in albums),
        "sizeOnDisk": sum(file.size for file in files),
        "percentOfTracks": 100.0 * len(files) / counted if counted else 0.0,
    }


def artist(one: Artist, world: World, *, statistics: bool = True) -> Json:
    return present(
        id=one.id,
        status="continuing",
        ended=False,
        artistName=one.name,
        foreignArtistId=one.mbid,
        tadbId=0,
        discogsId=0,
        overview="",
        artistType="Group",
        disambiguation="",
        links=[],
        images=[],
        path=one.path,
        qualityProfileId=one.quality_profile_id,
        metadataProfileId=one.metadata_profile_id,
        monitored=one.monitored,
        monitorNewItems=one.monitor_new_items,
        rootFolderPath=one.root,
        genres=[],
        cleanName="".join(filter(str.isalnum, one.name.casefold())),
        sortName=one.name.casefold(),
        tags=one.tags,
        added=seconds(one.added_at),
        ratings={"votes": 0, "value": 0.0},
        statistics=(
            {"albumCount": len(world.library.albums_of(one))} | counts(world.library.albums_of(one), world)
            if statistics
            else None
        ),
    )


def media(discs: int) -> list[Json]:
    return [{"mediumNumber": disc, "mediumName": "", "mediumFormat": "CD"} for disc in range(1, discs + 1)]


def release(one: Album) -> Json:
    return {
        "id": one.release_id,
        "albumId": one.id,
        "foreignReleaseId": one.release_mbid,
        "title": one.title,
        "status": "Official",
        "duration": TRACK_MS * len(one.tracks),
        "trackCount": len(one.tracks),
        "media": media(one.discs),
        "mediumCount": one.discs,
        "disambiguation": "",
        "country": ["[Worldwide]"],
        "label": [],
        "format": "CD" if one.discs == 1 else f"{one.discs}xCD",
        "monitored": True,
    }


def album(one: Album, world: World, *, with_artist: bool = True, statistics: bool = True) -> Json:
    return present(
        id=one.id,
        title=one.title,
        disambiguation="",
        overview="",
        artistId=one.artist.id,
        foreignAlbumId=one.mbid,
        monitored=one.monitored,
        anyReleaseOk=one.any_release_ok,
        profileId=one.artist.quality_profile_id,
        duration=TRACK_MS * len(one.tracks),
        albumType=one.album_type,
        secondaryTypes=[],
        mediumCount=one.discs,
        ratings={"votes": 0, "value": 0.0},
        releaseDate=seconds(one.released_at),
        releases=[release(one)],
        genres=[],
        media=media(one.discs),
        artist=artist(one.artist, world, statistics=False) if with_artist else None,
        images=[],
        links=[],
        lastSearchTime=seconds(one.last_search_at) if one.last_search_at else None,
        statistics=counts([one], world) if statistics else None,
    )


def found_artist(known: KnownAlbum, world: World) -> Json:
    """An artist as a lookup shows it; one that was added before carries its id."""
    own = world.library.artist(known.artist_mbid)
    if own is not None:
        return artist(own, world)
    return {
        "status": "continuing",
        "ended": False,
        "artistName": known.artist_name,
        "foreignArtistId": known.artist_mbid,
        "tadbId": 0,
        "discogsId": 0,
        "overview": "",
        "artistType": "Group",
        "disambiguation": "",
        "links": [],
        "images": [],
        "qualityProfileId": 0,
        "metadataProfileId": 0,
        "monitored": False,
        "monitorNewItems": "all",
        "folder": known.artist_name,
        "genres": [],
        "cleanName": "".join(filter(str.isalnum, known.artist_name.casefold())),
        "sortName": known.artist_name.casefold(),
        "tags": [],
        "added": "0001-01-01T00:00:00Z",
        "ratings": {"votes": 0, "value": 0.0},
        "statistics": {
            "albumCount": 0,
            "trackFileCount": 0,
            "trackCount": 0,
            "totalTrackCount": 0,
            "sizeOnDisk": 0,
            "percentOfTracks": 0.0,
        },
    }


def found_album(known: KnownAlbum, world: World) -> Json:
    """An album as a lookup shows it; one that was added before carries its id."""
    own = world.library.album(known.album_mbid)
    if own is not None:
        return album(own, world)
    return {
        "title": known.title,
        "disambiguation": "",
        "overview": "",
        "artistId": 0,
        "foreignAlbumId": known.album_mbid,
        "monitored": False,
        "anyReleaseOk": True,
        "profileId": 0,
        "duration": TRACK_MS * len(known.titles),
        "albumType": known.album_type,
        "secondaryTypes": [],
        "mediumCount": known.discs,
        "ratings": {"votes": 0, "value": 0.0},
        "releaseDate": f"{known.release_date}T00:00:00Z",
        "releases": [
            {
                "id": 0,
                "albumId": 0,
                "foreignReleaseId": made_up("release", known.album_mbid),
                "title": known.title,
                "status": "Official",
                "duration": TRACK_MS * len(known.titles),
                "trackCount": len(known.titles),
                "media": media(known.discs),
                "mediumCount": known.discs,
                "disambiguation": "",
                "country": ["[Worldwide]"],
                "label": [],
                "format": "CD",
                "monitored": True,
            }
        ],
        "genres": [],
        "media": media(known.discs),
        "artist": found_artist(known, world),
        "images": [],
        "links": [],
    }


def track(one: Track, of: Album) -> Json:
    return {
        "id": one.id,
        "artistId": of.artist.id,
        "foreignTrackId": one.mbid,
        "foreignRecordingId": made_up("recording", one.mbid),
        "trackFileId": one.file.id if one.file else 0,
        "albumId": of.id,
        "explicit": False,
        "absoluteTrackNumber": one.absolute,
        "trackNumber": one.number,
        "title": one.title,
        "duration": TRACK_MS,
        "mediumNumber": one.disc,
        "hasFile": one.file is not None,
        "ratings": {"votes": 0, "value": 0.0},
    }


def track_file(one: TrackFile, of: Album) -> Json:
    return present(
        id=one.id,
        artistId=of.artist.id,
        albumId=of.id,
        path=one.path,
        size=one.size,
        dateAdded=seconds(one.added_at),
        releaseGroup=one.release_group,
        quality=quality(one.quality),
        qualityWeight=1,
        customFormats=[],
        customFormatScore=0,
        indexerFlags=0,
        qualityCutoffNotMet=one.quality != "FLAC",
    )
