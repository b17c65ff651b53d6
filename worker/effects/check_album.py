"""Look whether every track of the album has a file."""

from __future__ import annotations

from shared.acquisition.commands import CheckAlbum
from shared.acquisition.findings import AlbumChecked
from shared.acquisition.signals import AlbumDeleted, AlbumRef
from worker.effects.effect import Found, Tools
from worker.lease import Claimed


async def check_album(command: CheckAlbum, claimed: Claimed, tools: Tools) -> Found:
    """Only looks, so it may run any number of times."""
    album = await tools.need_lidarr().album_by_mbid(str(command.album_mbid))
    if album is None:
        return Found((AlbumDeleted(album=AlbumRef(command.album_mbid)),))
    checked = AlbumChecked(
        acquisition_id=command.acquisition_id,
        track_file_count=album.statistics.track_file_count,
        track_count=album.tracks_wanted,
    )
    return Found((checked,))
