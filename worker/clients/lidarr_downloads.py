"""What Lidarr does to get albums: its commands, its queue and its history."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from worker.clients import lidarr_calls as calls
from worker.clients.answers import NotFoundAtPeer
from worker.clients.lidarr_answers import Command, HistoryItem, QueueItem
from worker.clients.lidarr_calls import HistoryType
from worker.clients.lidarr_peer import LidarrPeer


class LidarrDownloads(LidarrPeer):
    async def search_album(self, album_id: int) -> Command:
        """Have Lidarr search its indexers, and grab what it likes. A search that still waits is returned instead."""
        body = {"name": "AlbumSearch", "albumIds": [album_id]}
        return await self._peer.fetch(calls.START_COMMAND, body=body)

    async def command(self, command_id: int) -> Command | None:
        """The command, or None when Lidarr has forgotten it."""
        try:
            return await self._peer.fetch(calls.COMMAND, command_id)
        except NotFoundAtPeer:
            return None

    async def queue(self) -> tuple[QueueItem, ...]:
        """The whole queue: one item per album of a download, those of unknown artists included.

        Raises PeerFailed rather than show less than Lidarr counts.
        """
        return await self._all_pages(calls.QUEUE, [("includeUnknownArtistItems", "true")])

    async def queue_details(self, album_ids: Iterable[int]) -> tuple[QueueItem, ...]:
        """The queue's items of these albums, in one answer."""
        ids = sorted(set(album_ids))
        if not ids:
            return ()  # without ids Lidarr would give all
        return await self._peer.fetch(calls.QUEUE_DETAILS, query=[("albumIds", i) for i in ids])

    async def drop(
        self, queue_id: int, *, blocklist: bool, skip_redownload: bool, remove_from_client: bool = True
    ) -> bool:
        """Take a download with all its albums out of the queue; False when it's gone already.

        With `blocklist` Lidarr sends us a DownloadFailure, and unless `skip_redownload` may search again by itself.
        """
        flags = {
            "removeFromClient": remove_from_client,
            "blocklist": blocklist,
            "skipRedownload": skip_redownload,
        }
        try:
            await self._peer.call(calls.DROP, queue_id, query=[(name, str(on).lower()) for name, on in flags.items()])
        except NotFoundAtPeer:
            return False
        return True

    async def history(
        self,
        *,
        album_id: int | None = None,
        download_id: str | None = None,
        event_types: Iterable[HistoryType] = (),
    ) -> tuple[HistoryItem, ...]:
        """History's rows, newest first, of an album and/or a download (in Lidarr's own spelling of the id)."""
        query: list[tuple[str, str | int]] = [("sortKey", "date"), ("sortDirection", "descending")]
        query += [("albumId", album_id)] if album_id is not None else []
        query += [("downloadId", download_id)] if download_id is not None else []
        query += [("eventType", int(event_type)) for event_type in event_types]
        return await self._all_pages(calls.HISTORY, query)

    async def history_since(self, date: datetime, *, event_type: HistoryType | None = None) -> tuple[HistoryItem, ...]:
        """All rows from `date` (aware) on, that instant included; rows of deleted albums are missing."""
        query: list[tuple[str, str | int]] = [("date", _instant(date))]
        query += [("eventType", int(event_type))] if event_type is not None else []
        return await self._peer.fetch(calls.HISTORY_SINCE, query=query)

    async def history_rows_since(self, date: datetime) -> tuple[dict[str, Any], ...]:
        """The same rows whole, as they came, each with its album and artist: they are kept as events."""
        query = [("date", _instant(date)), ("includeAlbum", "true"), ("includeArtist", "true")]
        return await self._peer.fetch(calls.WHOLE_HISTORY_SINCE, query=query)


def _instant(date: datetime) -> str:
    return date.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
