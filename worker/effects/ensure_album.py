"""Make Lidarr have the album, monitored, with its artist."""

from __future__ import annotations

from shared.acquisition.commands import EnsureAlbum
from shared.acquisition.signals import AlbumReady
from shared.errors import GiveUp, TryLater
from worker.clients.http import MAX_CALL_S
from worker.clients.lidarr import Album, LidarrClient
from worker.effects.effect import Found, Tools
from worker.lease import Claimed


async def ensure_album(command: EnsureAlbum, claimed: Claimed, tools: Tools) -> Found:
    """Add and monitor what is missing. Twice is once: Lidarr refuses a second add, and monitoring is a state."""
    lidarr = tools.need_lidarr()
    album = await lidarr.album_by_mbid(command.album_mbid) or await _add(command, claimed, lidarr)
    if not album.monitored:
        claimed.must_outlast(MAX_CALL_S)
        await lidarr.monitor([album.id])
    if not await lidarr.artist_monitored(album.artist_id):
        claimed.must_outlast(MAX_CALL_S)
        await lidarr.monitor_artist(album.artist_id)
    newest = await lidarr.newest_history_id(album_id=album.id)
    ready = AlbumReady(
        acquisition_id=command.acquisition_id,
        lidarr_album_id=album.id,
        track_file_count=album.statistics.track_file_count,
        track_count=album.statistics.track_count,
        history_floor=newest or 0,
    )
    return Found((ready,))


async def _add(command: EnsureAlbum, claimed: Claimed, lidarr: LidarrClient) -> Album:
    known = await lidarr.lookup_album(command.album_mbid)
    if known is None:
        raise GiveUp(
            "album_unknown_to_lidarr: its metadata server knows no release group with this id "
            "(or the metadata profile leaves its type out)"
        )
    claimed.must_outlast(MAX_CALL_S)
    album = await lidarr.add_album(known)
    if album is None:
        raise TryLater("Lidarr has taken the album but does not list it yet")
    return album
