"""A peer's client beside the simulator that it talks to, over real HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from reprise.simulator import Disk, LidarrSimulator, SlskdSimulator
from shared.config import Secret
from worker.clients.lidarr import LidarrClient
from worker.clients.lidarr_answers import Album, Command
from worker.clients.slskd import SlskdClient

KEY = "a-key-of-sixteen-characters"
FIRST = "00000000-0000-4000-8000-000000000501"
SECOND = "00000000-0000-4000-8000-000000000502"


@asynccontextmanager
async def lidarr_pair(disk: Disk | None = None) -> AsyncIterator[tuple[LidarrClient, LidarrSimulator]]:
    simulator = LidarrSimulator(api_key=KEY, disk=disk)
    async with simulator.serve() as url:
        client = LidarrClient(url, Secret(KEY))
        try:
            yield client, simulator
        finally:
            await client.close()


@asynccontextmanager
async def slskd_pair(disk: Disk | None = None) -> AsyncIterator[tuple[SlskdClient, SlskdSimulator]]:
    simulator = SlskdSimulator(api_key=KEY, disk=disk)
    async with simulator.serve() as url:
        client = SlskdClient(url, Secret(KEY))
        try:
            yield client, simulator
        finally:
            await client.close()


async def album_of(lidarr: LidarrClient, mbid: str) -> Album:
    found = await lidarr.album_by_mbid(mbid)
    assert found is not None
    return found


async def ended(lidarr: LidarrClient, simulator: LidarrSimulator, command: Command) -> Command:
    """The command once it has ended."""
    await simulator.quiet()
    found = await lidarr.command(command.id)
    assert found is not None
    assert found.over
    return found
