"""Webhook bodies, key for key as Lidarr 2.14 writes them; what is null is left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from reprise.simulator.clock import ticks
from reprise.simulator.knobs import Json
from reprise.simulator.lidarr.ledger import Download
from reprise.simulator.lidarr.library import Album, Artist, Track, TrackFile

LAST_WRITE = "lastWrite=638765000000000000"


@dataclass(slots=True, kw_only=True)
class Instance:
    """How this Lidarr names itself."""

    name: str = "Lidarr"
    application_url: str = ""
    version: str = "2.14.5.4836"

    @property
    def user_agent(self) -> str:
        return f"Lidarr/{self.version} (ubuntu 22.04)"


def encode(body: Json) -> bytes:
    """JSON as Lidarr indents it, non-ASCII unescaped."""
    return msgspec.json.format(msgspec.json.encode(body), indent=2)


def _present(**fields: Any) -> Json:
    return {name: value for name, value in fields.items() if value is not None}


def common(event_type: str, instance: Instance) -> Json:
    return {
        "eventType": event_type,
        "instanceName": instance.name,
        "applicationUrl": instance.application_url,
    }


def artist_part(artist: Artist, labels: Sequence[str] = ()) -> Json:
    return {
        "id": artist.id,
        "name": artist.name,
        "disambiguation": "",
        "path": artist.path,
        "mbId": artist.mbid,
        "type": "Group",
        "overview": "",
        "genres": [],
        "images": [
            {
                "coverType": "poster",
                "url": f"/MediaCover/{artist.id}/poster.jpg?{LAST_WRITE}",
                "remoteUrl": f"https://images.example/{artist.mbid}/poster.jpg",
            }
        ],
        "tags": list(labels),
    }


def album_part(album: Album) -> Json:
    return {
        "id": album.id,
        "mbId": album.mbid,
        "title": album.title,
        "disambiguation": "",
        "overview": "",
        "albumType": album.album_type,
        "secondaryAlbumTypes": [],
        "releaseDate": f"{album.released_at:%Y-%m-%dT%H:%M:%SZ}",
        "genres": [],
        "images": [
            {
                "coverType": "cover",
                "url": f"/MediaCover/Albums/{album.id}/cover.jpg?{LAST_WRITE}",
                "remoteUrl": f"https://images.example/{album.mbid}/cover.jpg",
            }
        ],
    }


def track_part(track: Track) -> Json:
    return {"id": track.id, "title": track.title, "trackNumber": track.number, "qualityVersion": 0}


def file_part(file: TrackFile) -> Json:
    return _present(
        id=file.id,
        path=file.path,
        quality=file.quality,
        qualityVersion=1,
        releaseGroup=file.release_group,
        size=file.size,
        dateAdded=ticks(file.added_at),
    )


def test(instance: Instance) -> Json:
    return {
        "artist": {
            "id": 1,
            "name": "Test Name",
            "path": "C:\\testpath",
            "mbId": "aaaaa-aaa-aaaa-aaaaaa",
            "tags": ["test-tag"],
        },
        "albums": [{"id": 123, "title": "Test title"}],
        **common("Test", instance),
    }


def _client(download: Download) -> Json:
    return _present(
        downloadClient=download.release.client.name,
        downloadClientType=download.release.client.type,
        downloadId=download.download_id,
    )


def grab(download: Download, labels: Sequence[str], instance: Instance) -> Json:
    release = download.release
    return {
        "artist": artist_part(release.album.artist, labels),
        "albums": [album_part(album) for album in download.albums],
        "release": {
            "quality": release.quality,
            "qualityVersion": 1,
            "releaseGroup": release.release_group,
            "releaseTitle": release.title,
            "indexer": release.indexer,
            "size": release.size,
            "customFormatScore": 0,
            "customFormats": [],
        },
        **_client(download),
        **common("Grab", instance),
    }


def imported(
    album: Album,
    tracks: Iterable[Track],
    *,
    replaced: Sequence[TrackFile],
    download: Download | None,
    labels: Sequence[str],
    instance: Instance,
) -> Json:
    """`Download`: some tracks of one album came in; without a tracked download no client and no id."""
    known = list(tracks)
    body: Json = {
        "artist": artist_part(album.artist, labels),
        "album": album_part(album),
        "tracks": [track_part(track) for track in known],
        "trackFiles": [file_part(track.file) for track in known if track.file is not None],
    }
    if replaced:
        body["deletedFiles"] = [file_part(file) for file in replaced]
    body["isUpgrade"] = bool(replaced)
    if download is not None and download.download_id is not None:
        body |= _client(download)
    return body | common("Download", instance)


def download_failure(download: Download, instance: Instance) -> Json:
    return {
        "quality": download.release.quality,
        "qualityVersion": 1,
        "releaseTitle": download.release.title,
        "downloadClient": download.release.client.name,
        **_present(downloadId=download.download_id),
        **common("DownloadFailure", instance),
    }


def import_failure(instance: Instance) -> Json:
    return {"tracks": [], "trackFiles": [], "isUpgrade": False, **common("ImportFailure", instance)}


def artist_add(artist: Artist, labels: Sequence[str], instance: Instance) -> Json:
    return {"artist": artist_part(artist, labels), **common("ArtistAdd", instance)}


def artist_delete(artist: Artist, labels: Sequence[str], *, files: bool, instance: Instance) -> Json:
    return {
        "artist": artist_part(artist, labels),
        "deletedFiles": files,
        **common("ArtistDelete", instance),
    }


def album_delete(album: Album, labels: Sequence[str], *, files: bool, instance: Instance) -> Json:
    return {
        "artist": artist_part(album.artist, labels),
        "album": album_part(album),
        "deletedFiles": files,
        **common("AlbumDelete", instance),
    }


def rename(artist: Artist, renamed: Sequence[tuple[str, TrackFile]], labels: Sequence[str], instance: Instance) -> Json:
    return {
        "artist": artist_part(artist, labels),
        "renamedTrackFiles": [{"previousPath": previous} | file_part(file) for previous, file in renamed],
        **common("Rename", instance),
    }


def retag(artist: Artist, file: TrackFile, labels: Sequence[str], instance: Instance) -> Json:
    return {
        "artist": artist_part(artist, labels),
        "trackFile": file_part(file),
        **common("Retag", instance),
    }


def health(*, level: str, message: str, check: str, restored: bool, instance: Instance) -> Json:
    body: Json = {
        "level": level,
        "message": message,
        "type": check,
        "wikiUrl": "https://wiki.servarr.com/lidarr/system",
    }
    if restored:  # the one body without applicationUrl
        return body | {"eventType": "HealthRestored", "instanceName": instance.name}
    return body | common("Health", instance)


def application_update(previous: str, instance: Instance) -> Json:
    return {
        "message": f"Lidarr updated from {previous} to {instance.version}",
        "previousVersion": previous,
        "newVersion": instance.version,
        **common("ApplicationUpdate", instance),
    }
