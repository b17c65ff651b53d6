"""The scene on which effects are tested."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from reprise.simulator import Disk
from tests.worker.clients.pairs import lidarr_pair, slskd_pair
from tests.worker.effects.scene import ALBUM, ARTIST, TITLE, TITLES, Scene


@pytest.fixture
async def scene(pool: Any) -> AsyncIterator[Scene]:
    """Lidarr has the album without any file."""
    disk = Disk()
    async with slskd_pair(disk) as (slskd, slskd_simulator), lidarr_pair(disk) as (lidarr, lidarr_simulator):
        lidarr_simulator.control(
            album={
                "album_mbid": str(ALBUM),
                "title": TITLE,
                "artist_name": ARTIST,
                "tracks": list(TITLES),
                "in_library": True,
            }
        )
        yield Scene(pool, disk, lidarr_simulator, slskd_simulator, lidarr, slskd)
