"""Lidarr's API v1, as far as we use it (https://lidarr.audio/docs/api)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

from shared.config import Secret
from worker.clients import lidarr_calls as calls
from worker.clients.answers import NotFoundAtPeer, PeerConflict, PeerFailed, PeerRefused
from worker.clients.http import Endpoint, Peer, Query
from worker.clients.lidarr_answers import (
    Album,
    Command,
    DownloadClientConfig,
    HistoryItem,
    Notification,
    Profile,
    QueueItem,
    RootFolder,
    SystemStatus,
)
from worker.clients.lidarr_calls import HistoryType


class _Numbered(Protocol):
    @property
    def id(self) -> int: ...


T = TypeVar("T", bound=_Numbered)

PAGE_SIZE = 500
_READINGS = 2


class LidarrClient:
    """One Lidarr. Every method takes at most `MAX_CALL_S` and raises only the errors of `answers.py`."""

    def __init__(self, url: str, api_key: Secret | None) -> None:
        self._peer = Peer("lidarr", url, api_key)

    async def close(self) -> None:
        await self._peer.close()

    async def ping(self) -> None:
        """Return when Lidarr answers at all; that needs no API key."""
        await self._peer.call(calls.PING)

    async def status(self) -> SystemStatus:
        return await self._peer.fetch(calls.STATUS)

    async def lookup_album(self, mbid: str) -> Album | None:
        """The album of this release-group MBID from Lidarr's metadata server, or None when that doesn't know it.

        Slow, and fails with PeerFailed or PeerAway when that server does. Its `id` is 0 if it isn't in the library.
        """
        found = await self._peer.fetch(calls.LOOKUP_ALBUM, query=[("term", f"lidarr:{mbid}")])
        return _of_mbid(found, mbid)

    async def album_by_mbid(self, mbid: str) -> Album | None:
        """The album of this release-group MBID in the library, or None."""
        found = await self._peer.fetch(calls.ALBUMS, query=[("foreignAlbumId", mbid)])
        return _of_mbid(found, mbid)

    async def album(self, album_id: int) -> Album | None:
        try:
            return await self._peer.fetch(calls.ALBUM, album_id)
        except NotFoundAtPeer:
            return None

    async def albums(self, album_ids: Iterable[int]) -> tuple[Album, ...]:
        """The albums with these ids that exist."""
        ids = sorted(set(album_ids))
        if not ids:
            return ()
        async with self._peer.bounded(calls.ALBUMS):
            try:
                return await self._peer.fetch(calls.ALBUMS, query=[("albumIds", i) for i in ids])
            except (PeerFailed, NotFoundAtPeer):
                # Lidarr fails as a whole when one of them was deleted.
                found = [await self.album(album_id) for album_id in ids]
        return tuple(album for album in found if album is not None)

    async def add_album(
        self,
        *,
        album_mbid: str,
        artist_mbid: str,
        artist_name: str,
        quality_profile_id: int,
        metadata_profile_id: int,
        root_folder_path: str,
        tags: Sequence[int] = (),
    ) -> Album:
        """Add a monitored album, and its artist if need be; no search is started, no other album monitored.

        The album that is there already is as good: it's read and returned, though perhaps unmonitored. After
        PeerAway with `outcome_unknown`, calling it again is right.
        """
        body = {
            "foreignAlbumId": album_mbid,
            "monitored": True,
            "anyReleaseOk": True,
            "addOptions": {"addType": "manual", "searchForNewAlbum": False},
            "artist": {
                "foreignArtistId": artist_mbid,
                "artistName": artist_name,
                "qualityProfileId": quality_profile_id,
                "metadataProfileId": metadata_profile_id,
                "rootFolderPath": root_folder_path,
                "monitored": True,
                "monitorNewItems": "none",
                "tags": list(tags),
                "addOptions": {"monitor": "none", "searchForMissingAlbums": False},
            },
        }
        async with self._peer.bounded(calls.ADD_ALBUM):
            try:
                return await self._peer.fetch(calls.ADD_ALBUM, body=body)
            except (PeerRefused, PeerConflict) as error:
                if isinstance(error, PeerRefused) and not error.about("foreignAlbumId", "already"):
                    raise
                album = await self.album_by_mbid(album_mbid)
                if album is None:
                    # It says that it has the album and doesn't show it: somebody is adding it just now.
                    raise PeerConflict(f"{error.message}, but the album isn't there yet") from error
                return album

    async def monitor(self, album_ids: Iterable[int], *, monitored: bool = True) -> None:
        """Set whether albums are monitored; their artist must be, too, or Lidarr grabs nothing."""
        body = {"albumIds": sorted(set(album_ids)), "monitored": monitored}
        await self._peer.call(calls.MONITOR_ALBUMS, body=body)

    async def monitor_artists(self, artist_ids: Iterable[int], *, monitored: bool = True) -> None:
        """Set whether artists are monitored; nothing else about them changes."""
        body = {"artistIds": sorted(set(artist_ids)), "monitored": monitored}
        await self._peer.call(calls.EDIT_ARTISTS, body=body)

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

    async def root_folders(self) -> tuple[RootFolder, ...]:
        return await self._peer.fetch(calls.ROOT_FOLDERS)

    async def quality_profiles(self) -> tuple[Profile, ...]:
        return await self._peer.fetch(calls.QUALITY_PROFILES)

    async def metadata_profiles(self) -> tuple[Profile, ...]:
        return await self._peer.fetch(calls.METADATA_PROFILES)

    async def download_client_config(self) -> DownloadClientConfig:
        return await self._peer.fetch(calls.DOWNLOAD_CLIENT_CONFIG)

    async def notifications(self) -> tuple[Notification, ...]:
        """Lidarr's connections, ours among them."""
        return await self._peer.fetch(calls.NOTIFICATIONS)

    async def test_notification(self, notification_id: int) -> None:
        """Have Lidarr send a Test through one of its connections; a success ends that connection's back-off.

        Raises NotFoundAtPeer without such a connection, PeerRefused when the receiver didn't take the Test.
        """
        async with self._peer.bounded(calls.TEST_NOTIFICATION):
            for found in await self._peer.fetch(calls.WHOLE_NOTIFICATIONS):
                if found.get("id") == notification_id:
                    # Whole, as it came: what is left out would be tested as empty.
                    await self._peer.call(calls.TEST_NOTIFICATION, body=found)
                    return
        raise NotFoundAtPeer(f"lidarr has no connection {notification_id}")

    async def _all_pages(self, endpoint: Endpoint[calls.Page[T]], query: Query) -> tuple[T, ...]:
        async with self._peer.bounded(endpoint):
            for _ in range(_READINGS):
                found: dict[int, T] = {}
                number, total = 1, 1
                while (number - 1) * PAGE_SIZE < total:
                    turn = [("page", number), ("pageSize", PAGE_SIZE)]
                    page = await self._peer.fetch(endpoint, query=[*query, *turn])
                    total, number = page.total_records, number + 1
                    found |= {item.id: item for item in page.records}
                # Rows move between pages while we turn them; then it's read again.
                if len(found) >= total:
                    return tuple(found.values())
        raise PeerFailed(f"lidarr counts {total} in its answer to {endpoint} and shows {len(found)}")


def _of_mbid(albums: Iterable[Album], mbid: str) -> Album | None:
    return next((album for album in albums if album.foreign_album_id.lower() == mbid.lower()), None)


def _instant(date: datetime) -> str:
    return date.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
