"""Webhooks as Lidarr writes them, each unlike all others: albums, files, paths and download ids of their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import msgspec

_TRACKS = 10
_MBIDS = UUID("6b1f0000-0000-4000-8000-000000000000").int


def album_mbid(serial: int) -> str:
    """The release group of one album, the same for its Grab, its Download and its history rows."""
    return str(UUID(int=_MBIDS + serial))


def download_id(serial: int) -> str:
    """A torrent's hash in capitals, as Lidarr shows it."""
    return f"{serial:08X}{'9E3779B97F4A7C15' * 2}"


def grab(serial: int, *, albums: int = 1) -> bytes:
    """A Grab of one album, or of a pack of several with consecutive serials."""
    return _text(
        artist=_artist(serial),
        albums=[_album(serial + number) for number in range(albums)],
        release={
            "quality": "FLAC",
            "qualityVersion": 1,
            "releaseGroup": "GRP",
            "releaseTitle": f"Example Ensemble {serial} - Album {serial} (2019) [FLAC]",
            "indexer": "Example (Prowlarr)",
            "size": 412_345_678 + serial,
            "customFormatScore": 0,
            "customFormats": [],
        },
        **_client(serial),
        eventType="Grab",
    )


def download(serial: int, *, of_pack: int | None = None, tracks: int = _TRACKS) -> bytes:
    """A Download of one album's files; of_pack is the serial whose Grab it belongs to."""
    name = f"Example Ensemble {serial}"
    files = [
        {
            "id": serial * 100 + number,
            "path": f"/music/{name}/Album {serial} (2019)/{name} - Album {serial} - {number:02} - Track {number}.flac",
            "quality": "FLAC",
            "qualityVersion": 1,
            "size": 30_009_001 + number,
            "dateAdded": "2025-10-05T12:00:00.1234567Z",
        }
        for number in range(1, tracks + 1)
    ]
    return _text(
        artist=_artist(serial),
        album=_album(serial),
        tracks=[
            {"id": serial * 100 + number, "title": f"Track {number}", "trackNumber": str(number), "qualityVersion": 0}
            for number in range(1, tracks + 1)
        ],
        trackFiles=files,
        isUpgrade=False,
        **_client(serial if of_pack is None else of_pack),
        eventType="Download",
    )


def download_failure(serial: int) -> bytes:
    return _text(
        quality="FLAC",
        qualityVersion=1,
        releaseTitle=f"Example Ensemble {serial} - Album {serial} (2019) [FLAC]",
        downloadClient="qBittorrent",
        downloadId=download_id(serial),
        eventType="DownloadFailure",
    )


def import_failure() -> bytes:
    """Byte for byte the same every time, as Lidarr sends it."""
    return _text(eventType="ImportFailure", isUpgrade=False)


def health(serial: int) -> bytes:
    return _text(
        level="error",
        message=f"{serial} indexers are unavailable due to failures",
        type="IndexerStatusCheck",
        wikiUrl="https://wiki.servarr.com/lidarr/system#all-indexers-are-unavailable-due-to-failures",
        eventType="Health",
    )


def test() -> bytes:
    """What the button "Test" in Lidarr sends."""
    return _text(artist={"id": 1, "name": "Test Name", "path": "C:\\testpath"}, albums=[], eventType="Test")


def history_row(serial: int, kind: str, **data: str) -> bytes:
    """A row of Lidarr's history, as workers read it and append it; rows are numbered like their album."""
    row = {
        "id": serial,
        "albumId": serial,
        "artistId": serial,
        "sourceTitle": f"Example Ensemble {serial} - Album {serial} (2019) [FLAC]",
        "quality": {"quality": {"id": 6, "name": "FLAC"}, "revision": {"version": 1, "real": 0, "isRepack": False}},
        "date": "2025-10-05T12:00:00Z",
        "downloadId": download_id(serial),
        "eventType": kind,
        "data": data,
        "album": {"id": serial, "foreignAlbumId": album_mbid(serial), "title": f"Album {serial}"},
        "artist": {"id": serial, "artistName": f"Example Ensemble {serial}", "foreignArtistId": album_mbid(0)},
    }
    return msgspec.json.encode(row)


def deliveries(start: int) -> Iterator[bytes]:
    """An endless day of albums: a Grab and a Download of each, beginning with the album start."""
    while True:
        yield grab(start)
        yield download(start)
        start += 1


def _artist(serial: int) -> dict[str, Any]:
    return {
        "id": serial,
        "name": f"Example Ensemble {serial}",
        "disambiguation": "fictional",
        "path": f"/music/Example Ensemble {serial}",
        "mbId": album_mbid(0),
        "type": "Group",
        "overview": "",
        "genres": ["Ambient", "IDM"],
        "images": [_image("poster", f"/MediaCover/{serial}/poster.jpg")],
        "tags": [],
    }


def _album(serial: int) -> dict[str, Any]:
    return {
        "id": serial,
        "mbId": album_mbid(serial),
        "title": f"Album {serial}",
        "disambiguation": "",
        "overview": "",
        "albumType": "Album",
        "secondaryAlbumTypes": [],
        "releaseDate": "2019-04-20T00:00:00Z",
        "genres": ["IDM"],
        "images": [_image("cover", f"/MediaCover/Albums/{serial}/cover.jpg")],
    }


def _image(kind: str, path: str) -> dict[str, str]:
    remote = f"https://imagecache.lidarr.audio/v1/example{path}"
    return {"coverType": kind, "url": f"{path}?lastWrite=638765000000000000", "remoteUrl": remote}


def _client(serial: int) -> dict[str, str]:
    return {
        "downloadClient": "qBittorrent",
        "downloadClientType": "qBittorrent",
        "downloadId": download_id(serial),
    }


def _text(**fields: object) -> bytes:
    # Lidarr indents what it posts.
    whole = {**fields, "instanceName": "Lidarr", "applicationUrl": "http://lidarr.lan:8686"}
    return msgspec.json.format(msgspec.json.encode(whole), indent=2)
