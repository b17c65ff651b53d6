"""Have Lidarr search for the album, unless it is downloading it already, or has it."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from shared.acquisition.commands import SearchAlbum
from shared.acquisition.findings import AlbumChecked, SearchStarted
from shared.acquisition.signals import AlbumRef, Grabbed
from shared.acquisition.steps import is_complete
from shared.errors import GiveUp
from shared.postgres.queries import load
from worker.clients.http import MAX_CHANGE_S
from worker.clients.lidarr import LidarrClient
from worker.clients.lidarr_answers import Album, QueueItem
from worker.effects.effect import Found, Tools
from worker.lease import Claimed
from worker.outages import unless_away
from worker.slots import take_slot

_Q = load("effects")
# Rows that stay in the queue after their download is over.
_OVER = frozenset({"imported", "ignored", "downloadFailed", "importFailed"})


async def search_album(command: SearchAlbum, claimed: Claimed, tools: Tools) -> Found:
    """Start a search. Lidarr folds an identical search that still waits, so asking twice searches once."""
    if not await tools.pool.fetchval(_Q["is_searching"], command.acquisition_id, command.attempt):
        # Whoever ran this before us vanished after it had asked Lidarr; or meanwhile nobody wants the album any more.
        return Found()
    await take_slot(tools, command.acquisition_id)
    return await unless_away(
        _search(command, claimed, tools),
        tools,
        peer="lidarr",
        acquisition_id=command.acquisition_id,
        attempt=command.attempt,
        may_skip=command.may_skip,
    )


async def _search(command: SearchAlbum, claimed: Claimed, tools: Tools) -> Found:
    lidarr = tools.need_lidarr()
    album = await lidarr.album(command.lidarr_album_id)
    if album is None:
        raise GiveUp("album_not_in_lidarr: it was removed there")
    if grabbed := await under_way_at_lidarr(lidarr, album):
        return Found((grabbed,))
    if is_complete(album.statistics.track_file_count, album.tracks_wanted):
        # This order may be an old one: restored from a backup, or delayed while somebody else imported the album.
        return Found(
            (
                AlbumChecked(
                    acquisition_id=command.acquisition_id,
                    track_file_count=album.statistics.track_file_count,
                    track_count=album.tracks_wanted,
                ),
            )
        )
    claimed.must_outlast(MAX_CHANGE_S)
    started = await lidarr.search_album(album.id)
    return Found(
        (SearchStarted(acquisition_id=command.acquisition_id, attempt=command.attempt, command_id=started.id),)
    )


async def under_way_at_lidarr(lidarr: LidarrClient, album: Album) -> Grabbed | None:
    """The download of this album in Lidarr's queue, as if its Grab had just come; None without one."""
    under_way = [row for row in await lidarr.queue_details([album.id]) if is_under_way(row)]
    if not under_way:
        return None
    row = under_way[0]
    return Grabbed(
        album=AlbumRef(UUID(album.foreign_album_id), album.title, album.id),
        download_id=row.download_id,
        release_title=row.title,
        size_bytes=int(row.size) if row.size else None,
        at=datetime.now(UTC),
    )


def is_under_way(row: QueueItem) -> bool:
    """Whether a row of Lidarr's queue is a download that may still end in an import."""
    return bool(row.download_id) and row.tracked_download_state not in _OVER
