"""How many albums are under way at once, on real Postgres and a simulated Lidarr's disk."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from reprise.simulator import LidarrSimulator
from shared.config import Secret
from shared.errors import StepAside
from shared.settings.registry import Settings
from tests.worker.workshop import an_acquisition
from worker.clients.lidarr import LidarrClient
from worker.effects.effect import Tools
from worker.slots import take_slot


def tools(pool: Any, lidarr: LidarrClient | None = None, **settings: Any) -> Tools:
    return Tools(pool=pool, lidarr=lidarr, settings=lambda: replace(Settings(), **settings))


async def trying(pool: Any) -> UUID:
    """An acquisition whose attempt searches."""
    number = await an_acquisition(pool)
    await pool.execute(
        "INSERT INTO attempts (acquisition_id, number, source, state, started_at)"
        " VALUES ($1, 1, 'soulseek', 'searching', now())",
        number,
    )
    return number


async def test_the_slots_are_never_more_than_they_are(pool: Any) -> None:
    three = tools(pool, max_in_flight=3)
    acquisitions = [await trying(pool) for _ in range(12)]

    async def take(one: UUID) -> bool:
        try:
            await take_slot(three, one)
        except StepAside:
            return False
        return True

    taken = await asyncio.gather(*(take(one) for one in acquisitions))
    assert taken.count(True) == 3
    mine = acquisitions[taken.index(True)]
    assert await take(mine), "whoever has one has it again"
    await pool.execute("UPDATE attempts SET state = 'failed', finished_at = now() WHERE acquisition_id = $1", mine)
    waiting = acquisitions[taken.index(False)]
    assert await take(waiting), "it is free when the acquisition has no open attempt any more"
    assert await pool.fetchval("SELECT count(*) FROM download_slots") == 3


async def test_what_is_only_watched_holds_no_slot(pool: Any) -> None:
    """The last job was cancelled while Lidarr downloads by itself: that may never end, as far as we can see."""
    one = tools(pool, max_in_flight=1)
    watched = await trying(pool)
    await take_slot(one, watched)
    await pool.execute("UPDATE acquisitions SET origin = 'lidarr', state = 'downloading' WHERE id = $1", watched)
    await pool.execute("UPDATE attempts SET source = 'lidarr', state = 'downloading', foreign_grab = true")
    await take_slot(one, await trying(pool))


async def test_nothing_is_begun_on_a_disk_that_is_nearly_full(pool: Any) -> None:
    simulator = LidarrSimulator(api_key="a-key")
    async with simulator.serve():
        lidarr = LidarrClient(simulator.url, Secret("a-key"))
        simulator.control(free_space=1_000_000)
        try:
            with pytest.raises(StepAside, match="disk_floor_bytes"):
                await take_slot(tools(pool, lidarr, disk_floor_bytes=2_000_000), await trying(pool))
            await take_slot(tools(pool, lidarr, disk_floor_bytes=0), await trying(pool))
            simulator.control(free_space=3_000_000)
            await take_slot(tools(pool, lidarr, disk_floor_bytes=2_000_000), await trying(pool))
        finally:
            await lidarr.close()
