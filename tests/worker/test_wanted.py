"""By the clock, what Lidarr misses is asked for once in every interval, however many workers there are."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from msgspec import structs

from reprise.simulator import LidarrSimulator
from shared.acquisition.findings import WantedRequested
from shared.acquisition.signals import decode
from shared.config import Config, Secret
from shared.settings.registry import Settings
from tests.harness.waiting import until
from tests.worker.workshop import nothing
from worker.serve import working
from worker.sweep import Sweep


def sweep(pool: Any, *, wanted_interval: int) -> Sweep:
    settings = structs.replace(Settings(), wanted_interval=wanted_interval)
    return Sweep(pool, nothing, settings=lambda: settings, lidarr=True)


async def wishes(pool: Any) -> list[WantedRequested]:
    found = [decode(row["body"]) for row in await pool.fetch("SELECT body FROM events ORDER BY id")]
    return [signal for signal in found if isinstance(signal, WantedRequested)]


async def test_of_many_workers_one_asks_in_each_interval(pool: Any) -> None:
    many = [sweep(pool, wanted_interval=60) for _ in range(8)]
    await asyncio.gather(*(one.ask_for_wanted() for one in many))
    (first,) = await wishes(pool)
    assert (first.user_id, first.limit, first.label) == ("me", 20, "Lidarr's wanted list")
    await pool.execute("UPDATE peers SET wanted_at = wanted_at - interval '59 s'")
    await asyncio.gather(*(one.ask_for_wanted() for one in many))
    assert len(await wishes(pool)) == 1
    await pool.execute("UPDATE peers SET wanted_at = wanted_at - interval '2 s'")
    await asyncio.gather(*(one.ask_for_wanted() for one in many))
    assert len({wish.batch_event_id for wish in await wishes(pool)}) == 2


async def test_unless_it_is_switched_on_nobody_asks(pool: Any) -> None:
    await sweep(pool, wanted_interval=0).ask_for_wanted()
    assert await wishes(pool) == []


async def test_two_workers_ask_for_each_missing_album_once(
    config: Config, pool: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPRISE_SETTING_WANTED_INTERVAL", "3600")
    missing = sorted(str(uuid4()) for _ in range(4))
    lidarr = LidarrSimulator(api_key="a-key")
    async with lidarr.serve() as url, AsyncExitStack() as stack:
        lidarr.control(
            albums=[{"album_mbid": album, "in_library": True} for album in missing], default_outcome="nothing_found"
        )
        config = replace(config, lidarr_url=url, lidarr_api_key=Secret("a-key"))
        for _ in range(2):
            await stack.enter_async_context(working(config, stopping=asyncio.Event()))

        async def opened() -> Any:
            return await pool.fetchrow("SELECT user_id, label, total FROM discovery_batches")

        batch = await until(opened, what="the batch")
    assert tuple(batch) == ("me", "Lidarr's wanted list", 4)
    jobs = await pool.fetch("SELECT album_mbid FROM download_jobs")
    assert sorted(str(job["album_mbid"]) for job in jobs) == missing
