"""Stopping ends the listeners, even where arq or redis-py swallow a cancellation."""

from __future__ import annotations

import asyncio

import pytest
from arq.worker import Worker

from shared.redis import RedisLink
from shared.taskqueue import run_queue


async def test_a_swallowed_cancellation_keeps_no_worker_alive(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    looking, swallowed = asyncio.Event(), 0

    async def stubborn(worker: Worker) -> None:
        nonlocal swallowed
        looking.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            swallowed += 1
            if swallowed > 1:
                raise

    async def nothing() -> None:
        pass

    monkeypatch.setattr(Worker, "_poll_iteration", stubborn)
    link, stopping = RedisLink(redis_url), asyncio.Event()
    queue = asyncio.create_task(run_queue(link, {"drain": nothing}, stopping=stopping))
    await looking.wait()
    stopping.set()
    async with asyncio.timeout(10):
        await queue
    assert swallowed == 1
    await link.close()


async def test_a_stop_at_any_moment_of_the_start_ends_it(redis_url: str) -> None:
    async def nothing() -> None:
        pass

    for moment in range(40):
        link, stopping = RedisLink(redis_url), asyncio.Event()
        queue = asyncio.create_task(run_queue(link, {"drain": nothing, "execute": nothing}, stopping=stopping))
        await asyncio.sleep(moment / 5000)
        stopping.set()
        async with asyncio.timeout(10):
            await queue
        await link.close()
