"""A Reprise whose Lidarr is anything that speaks like one: a simulated one behind a recorder, or a recorded one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

import aiohttp

from ingest.api import add_api
from ingest.serve import listening
from reprise.simulator import SlskdSimulator
from shared.config import Config, Secret
from shared.postgres.pool import Pool
from shared.redis import RedisLink
from shared.taskqueue import WakeUps
from tests.journeys.stage import Stage
from worker.serve import working


@asynccontextmanager
async def staged(config: Config, pool: Pool, *, lidarr: Any, url: str, key: str) -> AsyncIterator[Stage]:
    """A receiver and a worker, with Lidarr at `url`; `lidarr` is only what the stage asks whether it is quiet."""
    config = replace(config, lidarr_url=url, lidarr_api_key=Secret(key))
    assert config.webhook_secret
    assert config.admin_token
    async with AsyncExitStack() as stack:
        port = await stack.enter_async_context(listening(config, add_api))
        worker = await stack.enter_async_context(working(config, stopping=asyncio.Event()))
        ours = f"http://127.0.0.1:{port}"
        headers = {"Authorization": f"Bearer {config.admin_token.reveal()}"}
        http = await stack.enter_async_context(aiohttp.ClientSession(ours, headers=headers))
        link = RedisLink(config.redis_url)
        stack.push_async_callback(link.close)
        wake_ups = WakeUps(link)
        stack.push_async_callback(wake_ups.close)
        secret = config.webhook_secret.reveal()
        yield Stage(
            url=ours,
            http=http,
            lidarr=lidarr,
            slskd=SlskdSimulator(),  # not served, and so quiet
            pool=pool,
            secret=secret,
            wake_ups=wake_ups,
            workers=[worker],
        )
