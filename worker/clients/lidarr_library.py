"""Lidarr's library: artists, albums and tracks, and which of them are wanted."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from worker.clients import lidarr_calls as calls
from worker.clients.answers import NotFoundAtPeer, PeerConflict, PeerFailed, PeerRefused
from worker.clients.http import Query
from worker.clients.lidarr_answers import Album, Artist, Track
from worker.clients.lidarr_peer import LidarrPeer

WANTED_PAGE_SIZE = 100


class LidarrLibrary(LidarrPeer):
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

    async def artist(self, artist_id: int) -> Artist | None:
        try:
            return await self._peer.fetch(calls.ARTIST, artist_id)
        except NotFoundAtPeer:
            return None

    async def tracks(self, *, album_id: int | None = None, album_release_id: int | None = None) -> tuple[Track, ...]:
        """The tracks of one release, or of the release of an album that Lidarr has settled on, in their order."""
        query: Query = [("albumReleaseId", album_release_id)] if album_release_id is not None else []
        if not query:
            if album_id is None:
                return ()
            query = [("albumId", album_id)]
        found = await self._peer.fetch(calls.TRACKS, query=query)
        return tuple(sorted(found, key=lambda track: (track.medium_number, track.absolute_track_number)))

    async def wanted_missing(self, limit: int, *, skip: Collection[str] = ()) -> tuple[Album, ...]:
        """Monitored, released albums that lack tracks, each with its artist: at most `limit`, newest release first.

        That is Lidarr's own order, and new music is what people wait for. So that what can't be had doesn't keep
        older albums from ever being asked for, albums whose MBID is in `skip` (lower case) don't count. Pages may
        move while they're turned: an album may be missing here, none is there twice.
        """
        wanted: dict[int, Album] = {}
        query: Query = [("monitored", "true"), ("includeArtist", "true")]
        async with self._peer.bounded(calls.MISSING):
            number, total = 1, 1
            while len(wanted) < limit and (number - 1) * WANTED_PAGE_SIZE < total:
                turn = [("page", number), ("pageSize", WANTED_PAGE_SIZE)]
                page = await self._peer.fetch(calls.MISSING, query=[*query, *turn])
                total, number = page.total_records, number + 1
                wanted |= {album.id: album for album in page.records if album.foreign_album_id.lower() not in skip}
        return tuple(wanted.values())[:limit]


def _of_mbid(albums: Iterable[Album], mbid: str) -> Album | None:
    return next((album for album in albums if album.foreign_album_id.lower() == mbid.lower()), None)
