"""A hundred albums wanted at once on three workers, and Redis wiped in the middle.

The search budget is made small here, so that the journey takes seconds; with MANY_FULL=1 it is the real one, and the
journey takes a quarter of an hour (`make many`).
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from redis.asyncio import Redis

from reprise.simulator.slskd.searches import Search
from shared.config import Config
from tests.harness.waiting import until
from tests.journeys.stage import Stage, new_album, staged
from worker import search_budget

FULL = bool(os.environ.get("MANY_FULL"))
ALBUMS = 100 if FULL else 24
MOST, WITHIN = (search_budget.MOST_SEARCHES, search_budget.WITHIN) if FULL else (8, timedelta(seconds=5))
TRACKS = ["Opening", "Closing"]


@pytest.fixture
async def stage(config: Config, pool: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    monkeypatch.setattr(search_budget, "MOST_SEARCHES", MOST)
    monkeypatch.setattr(search_budget, "WITHIN", WITHIN)
    if not FULL:
        monkeypatch.setattr(search_budget, "_LATE", timedelta(seconds=3))
    async with staged(config, pool, workers=3, soulseek=True) as ready:
        yield ready


def most_at_once(searches: list[Search]) -> int:
    """How many searches slskd had at once, those included that it made wait."""
    changes = [(one.started_at, 1) for one in searches] + [(one.ended_at, -1) for one in searches if one.ended_at]
    running = [0]
    for _, change in sorted(changes):
        running.append(running[-1] + change)
    return max(running)


@pytest.mark.long
async def test_a_hundred_albums_within_the_search_budget(stage: Stage, config: Config) -> None:
    """Never too many searches in a window, never three at once, each album once, no deadline missed in line."""
    await stage.set(download_source="soulseek", fallback="none", max_in_flight=10)
    albums = {new_album(): f"Lantern {number:03d}" for number in range(ALBUMS)}
    stage.lidarr.control(
        albums=[
            {"album_mbid": str(album), "title": title, "artist_name": f"Band of {title}", "tracks": TRACKS}
            for album, title in albums.items()
        ]
    )
    stage.slskd.control(
        pace=0.2,
        ban={"searches": MOST, "seconds": WITHIN.total_seconds()},
        peers=[
            {
                "username": f"user-{title}",
                "folders": [
                    {
                        "path": f"Music\\Band of {title}\\{title}",
                        "files": [f"{track:02d} {name}.flac" for track, name in enumerate(TRACKS, 1)],
                        "album_mbid": str(album),
                    }
                ],
            }
            for album, title in albums.items()
        ],
    )
    wishes = [
        {"album_mbid": str(album), "artist_name": f"Band of {title}", "album_title": title}
        for album, title in albums.items()
    ]
    batch = await stage.send("/api/v1/batches", {"albums": wishes}, status=201)

    async def completed() -> int:
        return int((await stage.get(f"/api/v1/batches/{batch['id']}"))["completed"])

    async def a_third() -> bool:
        return await completed() >= ALBUMS // 3

    async def all_of_them() -> bool:
        return await completed() == ALBUMS

    patience = 1800 if FULL else 120
    await until(a_third, within_s=patience, what="a third of the albums")
    assert config.redis_url
    async with Redis.from_url(config.redis_url.reveal()) as redis:
        await redis.flushall()
    await until(all_of_them, within_s=patience, what="all albums")

    begun = list(stage.slskd.searches.begun_at)
    windows = [later - first for first, later in zip(begun, begun[MOST:], strict=False)]
    assert all(window >= WITHIN for window in windows), "too many searches in a window"
    assert all(one <= later for one, later in pairwise(begun))
    assert not stage.slskd.searches.banned
    assert most_at_once(list(stage.slskd.searches.all.values())) <= search_budget.AT_ONCE
    assert len(begun) == ALBUMS, "each album is searched once"
    assert len(stage.slskd.transfers.all) == ALBUMS * len(TRACKS), "and downloaded once"
    states = dict(await stage.pool.fetch("SELECT state, count(*) FROM attempts GROUP BY 1"))
    assert states == {"completed": ALBUMS}, "nothing failed while it waited in line"
