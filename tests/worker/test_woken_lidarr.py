"""A worker that starts has Lidarr test its connection to us, once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from reprise.simulator import LidarrSimulator
from shared.config import Config, Secret
from shared.settings.registry import Settings
from tests.harness.waiting import until
from tests.worker.workshop import nothing
from worker import sweep
from worker.serve import working
from worker.sweep import Sweep


async def test_each_worker_orders_it_once_and_one_order_is_enough(pool: Any) -> None:
    fleet = [Sweep(pool, nothing, settings=Settings, lidarr=True) for _ in range(3)]
    for _ in range(2):
        for one in fleet:
            await one.wake_lidarr()
    assert await pool.fetchval("SELECT count(*) FROM commands WHERE kind = 'WakeLidarr'") == 1
    await pool.execute("UPDATE commands SET state = 'done', finished_at = now()")
    await fleet[0].wake_lidarr()
    assert await pool.fetchval("SELECT count(*) FROM commands WHERE kind = 'WakeLidarr'") == 1


async def test_lidarr_is_told_soon_after_the_start(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "WAKE_AFTER_S", 0.0)
    lidarr = LidarrSimulator(api_key="a-key")
    async with lidarr.serve() as url:
        # To itself: it takes no webhooks, but that it was told is what counts.
        lidarr.control(webhooks={"url": f"{url}/webhooks/lidarr"})
        config = replace(config, lidarr_url=url, lidarr_api_key=Secret("a-key"))
        async with working(config, stopping=asyncio.Event()):
            await until(
                lambda: [call for call in lidarr.calls if call.path == "/api/v1/notification/test"],
                what="Lidarr to be told",
            )
