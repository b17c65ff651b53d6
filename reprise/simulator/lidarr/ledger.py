"""What a simulated Lidarr remembers of its downloads: the queue, the history and the blocklist."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from itertools import count
from typing import Literal

from reprise.simulator.clock import Clock
from reprise.simulator.lidarr.library import Album, Artist, Track
from reprise.simulator.lidarr.plans import Outcome


class HistoryType(IntEnum):
    """Lidarr's own numbers; they differ from Sonarr's."""

    GRABBED = 1
    ARTIST_FOLDER_IMPORTED = 2
    TRACK_FILE_IMPORTED = 3
    DOWNLOAD_FAILED = 4
    TRACK_FILE_DELETED = 5
    TRACK_FILE_RENAMED = 6
    ALBUM_IMPORT_INCOMPLETE = 7
    DOWNLOAD_IMPORTED = 8
    TRACK_FILE_RETAGGED = 9
    DOWNLOAD_IGNORED = 10

    @property
    def wire(self) -> str:
        """The name that the API writes."""
        first, *rest = self.name.split("_")
        return first.lower() + "".join(word.capitalize() for word in rest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A download client as Lidarr names it; a blackhole has no download ids."""

    name: str
    type: str
    protocol: Literal["usenet", "torrent"]


CLIENTS = {
    "SABnzbd": Client(name="SABnzbd", type="SABnzbd", protocol="usenet"),
    "qBittorrent": Client(name="qBittorrent", type="qBittorrent", protocol="torrent"),
    "Blackhole": Client(name="Blackhole", type="Torrent Blackhole", protocol="torrent"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseFound:
    """One search result of an indexer."""

    guid: str
    title: str
    size: int
    quality: str
    release_group: str
    album: Album
    client: Client
    info_hash: str
    indexer: str = "Example (Prowlarr)"
    indexer_id: int = 1


@dataclass(slots=True, kw_only=True, eq=False)
class Download:
    """A grabbed release on its way; `download_id` is None for a blackhole."""

    download_id: str | None
    release: ReleaseFound
    albums: list[Album]
    outcome: Outcome
    added_at: datetime
    sizeleft: int
    source: str = "UserInvokedSearch"
    state: str = "downloading"
    status: Literal["ok", "warning", "error"] = "ok"
    messages: list[tuple[str, list[str]]] = field(default_factory=list)
    error: str | None = None
    client_status: str | None = None

    @property
    def output_path(self) -> str:
        return f"/downloads/complete/{self.release.title}"

    def row_id(self, album: Album) -> int:
        """The queue row's id: as in Lidarr a stable hash, below 2^31."""
        name = f"trackedDownload-{self.release.client.name}-{self.download_id}-album{album.id}"
        return int.from_bytes(hashlib.sha1(name.encode(), usedforsecurity=False).digest()[:4]) & 0x7FFFFFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryRow:
    id: int
    type: HistoryType
    artist: Artist
    album: Album
    track: Track | None
    source_title: str
    quality: str
    download_id: str | None
    date: datetime
    data: dict[str, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    id: int
    release: ReleaseFound
    albums: list[Album]
    message: str
    date: datetime


class Ledger:
    """The queue by download id, and the history in order of its ids."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.reset()

    def reset(self) -> None:
        self.downloads: list[Download] = []
        self.history: list[HistoryRow] = []
        self.blocklist: list[Blocked] = []
        self._history_ids = count(1)
        self._blocklist_ids = count(1)

    def queued(self, album: Album) -> bool:
        return any(album in download.albums for download in self.downloads)

    def rows(self) -> list[tuple[Download, Album]]:
        """The queue, one row per album of each download."""
        return [(download, album) for download in self.downloads for album in download.albums]

    def find(self, download_id: str) -> Download | None:
        wanted = download_id.casefold()
        return next((one for one in self.downloads if (one.download_id or "").casefold() == wanted), None)

    def find_row(self, row_id: int) -> Download | None:
        return next((download for download, album in self.rows() if download.row_id(album) == row_id), None)

    def drop(self, download: Download) -> None:
        self.downloads = [one for one in self.downloads if one is not download]

    def write(
        self,
        kind: HistoryType,
        album: Album,
        *,
        source_title: str,
        quality: str,
        data: dict[str, str | None],
        download_id: str | None = None,
        track: Track | None = None,
    ) -> HistoryRow:
        row = HistoryRow(
            id=next(self._history_ids),
            type=kind,
            artist=album.artist,
            album=album,
            track=track,
            source_title=source_title,
            quality=quality,
            download_id=download_id,
            date=self._clock.now(),
            data=data,
        )
        self.history.append(row)
        return row

    def write_each(
        self, kind: HistoryType, download: Download, albums: Iterable[Album], data: dict[str, str | None]
    ) -> None:
        for album in albums:
            self.write(
                kind,
                album,
                source_title=download.release.title,
                quality=download.release.quality,
                data=data,
                download_id=download.download_id,
            )

    def block(self, release: ReleaseFound, albums: Sequence[Album], message: str) -> None:
        self.blocklist.append(
            Blocked(
                id=next(self._blocklist_ids),
                release=release,
                albums=list(albums),
                message=message,
                date=self._clock.now(),
            )
        )

    def is_blocked(self, release: ReleaseFound) -> bool:
        return any(blocked.release.guid == release.guid for blocked in self.blocklist)

    def forget_artist(self, artist: Artist) -> None:
        """Lidarr deletes an artist's history together with the artist."""
        self.history = [row for row in self.history if row.artist is not artist]
