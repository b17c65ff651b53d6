"""Make Lidarr have the album, monitored, with its artist."""

from __future__ import annotations

from shared.acquisition.commands import EnsureAlbum
from shared.acquisition.findings import AlbumReady
from shared.errors import GiveUp
from shared.postgres.queries import load
from worker.clients.http import MAX_CHANGE_S
from worker.clients.lidarr import LidarrClient
from worker.clients.lidarr_answers import Album, RootFolder
from worker.effects.effect import Found, Tools
from worker.lease import Claimed

_Q = load("effects")


async def ensure_album(command: EnsureAlbum, claimed: Claimed, tools: Tools) -> Found:
    """Add and monitor what is missing. Twice is once: Lidarr refuses a second add, and monitoring is a state."""
    lidarr = tools.need_lidarr()
    if not await tools.pool.fetchval(_Q["is_active"], command.acquisition_id):
        return Found()  # cancelled, while a worker that vanished held this order
    mbid = str(command.album_mbid)
    album = await lidarr.album_by_mbid(mbid) or await _add(mbid, claimed, lidarr)
    if not album.monitored:
        claimed.must_outlast(MAX_CHANGE_S)
        await lidarr.monitor([album.id])
    if album.artist is None or not album.artist.monitored:
        claimed.must_outlast(MAX_CHANGE_S)
        await lidarr.monitor_artists([album.artist_id])
    rows = await lidarr.history(album_id=album.id)
    ready = AlbumReady(
        acquisition_id=command.acquisition_id,
        lidarr_album_id=album.id,
        track_file_count=album.statistics.track_file_count,
        track_count=album.tracks_wanted,
        history_floor=max((row.id for row in rows), default=0),
    )
    return Found((ready,))


async def _add(mbid: str, claimed: Claimed, lidarr: LidarrClient) -> Album:
    """Add the album where new music goes by default: Lidarr's first accessible root folder, with its profiles."""
    known = await lidarr.lookup_album(mbid)
    if known is None or known.artist is None:
        raise GiveUp(
            "album_unknown_to_lidarr: its metadata server knows no release group with this id, "
            "or the metadata profile leaves its type out"
        )
    root = await _root_folder(lidarr)
    quality = root.default_quality_profile_id or min(profile.id for profile in await lidarr.quality_profiles())
    metadata = root.default_metadata_profile_id or min(profile.id for profile in await lidarr.metadata_profiles())
    claimed.must_outlast(MAX_CHANGE_S)
    return await lidarr.add_album(
        album_mbid=mbid,
        artist_mbid=known.artist.foreign_artist_id,
        artist_name=known.artist.artist_name,
        quality_profile_id=quality,
        metadata_profile_id=metadata,
        root_folder_path=root.path,
    )


async def _root_folder(lidarr: LidarrClient) -> RootFolder:
    folders = await lidarr.root_folders()
    if not folders:
        raise GiveUp("no_root_folder: add one in Lidarr under Settings, Media Management")
    return next((folder for folder in folders if folder.accessible), folders[0])
