"""How many albums are searched and downloaded at once; the others wait in line, without any deadline."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from shared.errors import StepAside
from shared.postgres.queries import load
from worker.effects.effect import Tools

_LOCK = 0x7265707269736534
_LOOK_AGAIN = timedelta(seconds=5)
_DISK_AGAIN = timedelta(minutes=1)

_Q = load("soulseek")


async def take_slot(tools: Tools, acquisition_id: UUID) -> None:
    """Take one of max_in_flight slots; it is free again when the acquisition has no open attempt any more.

    Raises StepAside where all are taken, or where Lidarr's disk has less room than disk_floor_bytes.
    """
    most = tools.settings().max_in_flight
    async with tools.pool.acquire() as connection, connection.transaction():
        await connection.execute(_Q["lock_slots"], _LOCK)
        await connection.execute(_Q["free_slots"])
        if await connection.fetchval(_Q["take_slot"], acquisition_id, most) is None:
            raise StepAside(f"waits for its turn: {most} albums are under way (max_in_flight)", after=_LOOK_AGAIN)
    await _check_disk(tools)


async def _check_disk(tools: Tools) -> None:
    """Nothing new is begun on a disk that is nearly full: a music library mustn't take the last byte."""
    floor = tools.settings().disk_floor_bytes
    if not floor or tools.lidarr is None:
        return
    rooms = [folder.free_space for folder in await tools.lidarr.root_folders() if folder.free_space is not None]
    if rooms and max(rooms) < floor:
        raise StepAside(
            f"waits for room: Lidarr's root folder has {max(rooms)} bytes left, disk_floor_bytes is {floor}",
            after=_DISK_AGAIN,
        )
