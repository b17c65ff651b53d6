"""Orders that a vanished worker held: what they were for may have happened by now, or be unwanted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from reprise.simulator import LidarrSimulator
from shared.acquisition.commands import EnsureAlbum, SearchAlbum
from shared.config import Secret
from tests.worker.workshop import an_acquisition
from worker.clients.lidarr import LidarrClient
from worker.effects.effect import Found, Tools
from worker.effects.ensure_album import ensure_album
from worker.effects.search_album import search_album
from worker.lease import Claimed


@pytest.fixture
async def lidarr() -> AsyncIterator[LidarrSimulator]:
    found = LidarrSimulator(api_key="a-key")
    async with found.serve():
        yield found


@pytest.fixture
async def tools(pool: Any, lidarr: LidarrSimulator) -> AsyncIterator[Tools]:
    client = LidarrClient(lidarr.url, Secret("a-key"))
    yield Tools(pool=pool, lidarr=client)
    await client.close()


def held(command: EnsureAlbum | SearchAlbum) -> Claimed:
    """Under a lease that is too short to change anything at the peer."""
    return Claimed(
        id=uuid4(), command=command, acquisition_id=command.acquisition_id, attempts=1, fence=2, age=timedelta()
    )


@pytest.mark.parametrize("state", ["downloading", "importing", "abandoned"])
async def test_an_attempt_that_has_moved_on_is_not_searched_again(
    pool: Any, tools: Tools, lidarr: LidarrSimulator, state: str
) -> None:
    acquisition = await an_acquisition(pool)
    await pool.execute(
        "INSERT INTO attempts (acquisition_id, number, source, state, started_at, finished_at)"
        " VALUES ($1, 1, 'lidarr', $2, now(), CASE WHEN $2 = 'abandoned' THEN now() END)",
        *(acquisition, state),
    )
    command = SearchAlbum(acquisition_id=acquisition, attempt=1, lidarr_album_id=1)
    assert await search_album(command, held(command), tools) == Found()
    assert not lidarr.calls


async def test_an_album_that_nobody_wants_any_more_is_not_added(
    pool: Any, tools: Tools, lidarr: LidarrSimulator
) -> None:
    acquisition: UUID = await an_acquisition(pool)
    await pool.execute("UPDATE acquisitions SET state = 'cancelled', finished_at = now() WHERE id = $1", acquisition)
    command = EnsureAlbum(acquisition_id=acquisition, album_mbid=uuid4())
    assert await ensure_album(command, held(command), tools) == Found()
    assert not lidarr.calls
