"""What Lidarr sends: webhooks without id, time or retry, and rows of its history that we read ourselves.

Field names and their absences are those of Lidarr 2.x: nulls are left out, so everything may be absent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

import msgspec

from shared.acquisition.signals import (
    AlbumDeleted,
    AlbumRef,
    DownloadDropped,
    DownloadFailed,
    DownloadFailureHinted,
    Grabbed,
    Imported,
    ImportFailureHinted,
    ImportIncomplete,
    Signal,
    Unheeded,
)
from shared.eventlog.event import Event, Identity
from shared.sources.reading import (
    UNREADABLE,
    BigInt,
    Moment,
    Unreadable,
    foreign_id,
    guid,
    plain,
    text,
    type_name,
    typed,
)

# Types under which rows of Lidarr's history enter the log, by Lidarr's own name for the row.
HISTORY_TYPES: Mapping[str, str] = {
    "grabbed": "HistoryGrabbed",
    "downloadFailed": "HistoryDownloadFailed",
    "albumImportIncomplete": "HistoryAlbumImportIncomplete",
    "downloadImported": "HistoryDownloadImported",
    "trackFileImported": "HistoryTrackFileImported",
    "downloadIgnored": "HistoryDownloadIgnored",
}

_NOTHING_TO_DO: Mapping[str, str] = {
    "Test": "a test of the connection",
    "Health": "kept for history: Lidarr's health",
    "HealthRestored": "kept for history: Lidarr's health",
    "ApplicationUpdate": "kept for history: Lidarr was updated",
    "Rename": "kept for history: files were renamed",
    "Retag": "kept for history: a file was tagged anew",
    "ArtistAdd": "kept for history: an artist was added",
    "ArtistDelete": "kept for history: an artist was deleted",
}


class _Artist(msgspec.Struct, rename="camel"):
    name: str = ""
    mb_id: str = msgspec.field(name="mbId", default="")
    artist_name: str = ""
    foreign_artist_id: str = ""


class _Album(msgspec.Struct, rename="camel"):
    id: BigInt | None = None
    mb_id: str = msgspec.field(name="mbId", default="")
    foreign_album_id: str = ""
    title: str = ""

    def ref(self) -> AlbumRef:
        """The album by its release-group MBID, which webhooks call mbId and the API foreignAlbumId."""
        mbid = guid(self.mb_id or self.foreign_album_id)
        if mbid is None:
            raise Unreadable("the album bears no MusicBrainz id")
        return AlbumRef(mbid, text(self.title), self.id)


class _Release(msgspec.Struct, rename="camel"):
    release_title: str = ""
    indexer: str = ""
    size: int | None = None


class _Webhook(msgspec.Struct, rename="camel"):
    artist: _Artist | None = None
    album: _Album | None = None
    albums: list[_Album] = []
    release: _Release | None = None
    release_title: str = ""
    download_id: str | None = None
    track_files: list[dict[str, Any]] = []
    is_upgrade: bool = False


class _HistoryRow(msgspec.Struct, rename="camel"):
    id: BigInt
    date: Moment
    album: _Album
    artist: _Artist | None = None
    source_title: str = ""
    download_id: str | None = None
    data: dict[str, Any] = {}


def identify(headers: Mapping[str, str], body: bytes) -> Identity:
    """Type, natural key and download id of a webhook. Only imports and added artists have a natural key.

    An import is the set of files it made: their row ids, with dateAdded, because a restored Lidarr may give
    the same row ids again. Everything else may come again byte for byte and mean something new.
    """
    try:
        data = plain(body)
    except Unreadable:
        return Identity(UNREADABLE)
    kind = type_name(data.get("eventType"))
    if kind in _FROM_HISTORY:
        return Identity(UNREADABLE)  # a name of ours, for what only we read
    return Identity(kind, _natural_key(kind, data), foreign_id(data.get("downloadId")))


def _natural_key(kind: str, data: dict[str, Any]) -> str | None:
    instance = str(data.get("instanceName", ""))
    match kind, data:
        case "Download", {"trackFiles": [_, *_] as files} if all(isinstance(f, dict) and "id" in f for f in files):
            parts = sorted(f"{f['id']}@{f.get('dateAdded', '')}" for f in files)
        case "ArtistAdd", {"artist": {"id": int() as artist_id}}:
            parts = [str(artist_id)]
        case _:
            return None
    return f"{kind}:{_digest(instance, *parts)}"


def _digest(*parts: str) -> str:
    return hashlib.blake2b("\n".join(parts).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def history_identity(row: Mapping[str, Any], *, instance: str = "lidarr") -> Identity:
    """Identity of a history row: Lidarr numbers them, so every row is appended exactly once.

    The date tells a row from one with the same number in a Lidarr that was set up anew.

    Raises KeyError for rows of a type that no rule needs; filter by HISTORY_TYPES first.
    """
    key = f"history:{instance}:{row['id']}@{row.get('date', '')}"
    return Identity(HISTORY_TYPES[row["eventType"]], key, foreign_id(row.get("downloadId")))


def interpret(event: Event) -> tuple[Signal, ...] | Unheeded:
    """What a Lidarr event means: a pack's Grab gives one signal for each of its albums."""
    if event.type in _NOTHING_TO_DO:
        return Unheeded(_NOTHING_TO_DO[event.type])
    try:
        if event.type == UNREADABLE:
            plain(event.body)
            raise Unreadable("eventType is missing or no name")
        if event.type in _FROM_HISTORY:
            return (_FROM_HISTORY[event.type](typed(event.body, _HistoryRow)),)
        if event.type in _FROM_WEBHOOK:
            return _FROM_WEBHOOK[event.type](typed(event.body, _Webhook), event.received_at)
    except Unreadable as error:
        return Unheeded(f"unreadable: {text(str(error), 300)}")
    return Unheeded("unknown type")


def _grab(webhook: _Webhook, at: datetime) -> tuple[Signal, ...]:
    if not webhook.albums:
        raise Unreadable("a Grab without albums")
    artist = webhook.artist or _Artist()
    release = webhook.release or _Release()
    return tuple(
        Grabbed(
            album=album.ref(),
            artist_name=text(artist.name),
            artist_mbid=guid(artist.mb_id),
            download_id=foreign_id(webhook.download_id),
            release_title=text(release.release_title) or None,
            indexer=text(release.indexer) or None,
            size_bytes=_size(release.size),
            at=at,
        )
        for album in webhook.albums
    )


def _download(webhook: _Webhook, at: datetime) -> tuple[Signal, ...]:
    if webhook.album is None:
        raise Unreadable("a Download without album")
    imported = Imported(
        album=webhook.album.ref(),
        download_id=foreign_id(webhook.download_id),
        files=len(webhook.track_files),
        upgrade=webhook.is_upgrade,
        at=at,
    )
    return (imported,)


def _download_failure(webhook: _Webhook, at: datetime) -> tuple[Signal, ...]:
    return (
        DownloadFailureHinted(
            download_id=foreign_id(webhook.download_id),
            release_title=text(webhook.release_title) or None,
            at=at,
        ),
    )


def _album_delete(webhook: _Webhook, at: datetime) -> tuple[Signal, ...]:
    if webhook.album is None:
        raise Unreadable("an AlbumDelete without album")
    return (AlbumDeleted(album=webhook.album.ref()),)


_FROM_WEBHOOK: Mapping[str, Callable[[_Webhook, datetime], tuple[Signal, ...]]] = {
    "Grab": _grab,
    "Download": _download,
    "DownloadFailure": _download_failure,
    "ImportFailure": lambda webhook, at: (ImportFailureHinted(),),
    "AlbumDelete": _album_delete,
}

# Every type under which a webhook of Lidarr's enters the log.
WEBHOOK_TYPES: frozenset[str] = frozenset({*_NOTHING_TO_DO, *_FROM_WEBHOOK})


def _history_grabbed(row: _HistoryRow) -> Signal:
    artist = row.artist or _Artist()
    return Grabbed(
        album=row.album.ref(),
        artist_name=text(artist.artist_name),
        artist_mbid=guid(artist.foreign_artist_id),
        download_id=foreign_id(row.download_id),
        release_title=text(row.source_title) or None,
        indexer=text(str(row.data.get("indexer") or "")) or None,
        size_bytes=_size(row.data.get("size")),
        at=row.date,
        history_id=row.id,
    )


def _history_failed(row: _HistoryRow) -> Signal:
    message = text(str(row.data.get("message") or "")) or "Lidarr gives no reason"
    return DownloadFailed(
        album=row.album.ref(),
        download_id=foreign_id(row.download_id),
        message=message,
        at=row.date,
        history_id=row.id,
    )


def _history_incomplete(row: _HistoryRow) -> Signal:
    message = text(str(row.data.get("statusMessages") or "")) or "not every track could be imported"
    return ImportIncomplete(
        album=row.album.ref(),
        download_id=foreign_id(row.download_id),
        message=message,
        at=row.date,
        history_id=row.id,
    )


def _history_imported(row: _HistoryRow, *, whole: bool) -> Signal:
    return Imported(
        album=row.album.ref(), download_id=foreign_id(row.download_id), at=row.date, history_id=row.id, whole=whole
    )


_FROM_HISTORY: Mapping[str, Callable[[_HistoryRow], Signal]] = {
    "HistoryGrabbed": _history_grabbed,
    "HistoryDownloadFailed": _history_failed,
    "HistoryAlbumImportIncomplete": _history_incomplete,
    "HistoryDownloadImported": partial(_history_imported, whole=True),
    # A person's own import leaves no other row than those of its files.
    "HistoryTrackFileImported": partial(_history_imported, whole=False),
    "HistoryDownloadIgnored": lambda row: DownloadDropped(
        album=row.album.ref(), download_id=foreign_id(row.download_id), at=row.date, history_id=row.id
    ),
}


def _size(value: object) -> int | None:
    """A size in bytes that fits a bigint, or None; history gives it as text."""
    if isinstance(value, str) and value.isdecimal():
        value = int(value)
    return value if isinstance(value, int) and 0 <= value < 2**63 else None
