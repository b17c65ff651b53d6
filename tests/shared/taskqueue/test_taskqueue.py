"""Wake-ups reach a worker, coalesce without getting lost, and survive whatever Redis does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, cast
from urllib.parse import urlsplit

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from reprise.standalone.valkey import Valkey
from shared.redis import RedisLink
from shared.taskqueue import WakeUps, run_queue
from shared.taskqueue.words import LONGEST_QUEUE, Kind, mark_name, queue_name
from shared.telemetry.metrics import REDIS_ERRORS, WAKE_UPS_OFFERED
from tests.harness.network import relay_to
from tests.harness.servers import temporary_layout
from tests.harness.waiting import until


class Work:
    """A table of work and the handler that looks at it: `seen` is what was committed when it last looked."""

    def __init__(self) -> None:
        self.committed = 0
        self.seen = 0
        self.calls = 0
        self.looked = asyncio.Condition()
        self.looking = False
        self.may_end = asyncio.Event()
        self.may_end.set()

    async def handler(self) -> None:
        self.calls += 1
        self.seen = self.committed
        async with self.looked:
            self.looked.notify_all()
        self.looking = True
        await self.may_end.wait()
        self.looking = False

    async def until_seen(self, count: int) -> None:
        async with asyncio.timeout(5), self.looked:
            await self.looked.wait_for(lambda: self.seen >= count)

    async def until_called(self, count: int) -> None:
        await until(lambda: self.calls >= count, what=f"call {count} of the handler")


@asynccontextmanager
async def queue_running(link: RedisLink | str | None, *works: tuple[Kind, Work]) -> AsyncIterator[None]:
    own = None if isinstance(link, RedisLink) else RedisLink(link)
    handlers = {kind: work.handler for kind, work in works}
    task = asyncio.create_task(run_queue(own or cast("RedisLink", link), handlers))
    try:
        yield
        assert not task.done()
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        if own:
            await own.close()


@pytest.fixture
async def link(redis_url: str) -> AsyncIterator[RedisLink]:
    found = RedisLink(redis_url)
    yield found
    await found.close()


@pytest.fixture
async def wake_ups(link: RedisLink) -> AsyncIterator[WakeUps]:
    found = WakeUps(link)
    yield found
    await found.close()


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(redis_url) as client:
        yield client


async def test_handlers_are_woken_at_the_start_and_by_offers_of_their_kind(redis_url: str, wake_ups: WakeUps) -> None:
    drain, execute = Work(), Work()
    async with queue_running(redis_url, ("drain", drain), ("execute", execute)):
        await drain.until_called(1)
        await execute.until_called(1)
        for count in range(1, 6):
            drain.committed = count
            wake_ups.offer("drain")
            await drain.until_seen(count)
        assert execute.calls <= 2  # by the clock, and once connected


async def test_offers_coalesce_in_redis_across_processes(redis_url: str, redis: Redis) -> None:
    links = [RedisLink(redis_url) for _ in range(3)]
    offerers = [WakeUps(link) for link in links]
    for _ in range(20):
        await asyncio.gather(*(offerer.offer("drain") for offerer in offerers))
    for offerer in offerers:
        await offerer.close()
    assert await redis.zcard(queue_name("drain")) == 1
    for link in links:
        await link.close()


async def test_an_offer_during_a_look_is_not_lost(redis_url: str, wake_ups: WakeUps) -> None:
    work = Work()
    async with queue_running(redis_url, ("drain", work)):
        await work.until_called(1)
        for round_number in range(1, 6):
            # The handler has looked and has yet to end; what is committed now it can't have seen.
            work.may_end.clear()
            work.committed += 1
            await wake_ups.offer("drain")
            await work.until_seen(work.committed)
            work.committed += 1
            await wake_ups.offer("drain")
            work.may_end.set()
            await work.until_seen(work.committed)
            assert work.seen == 2 * round_number


async def test_a_busy_worker_leaves_wake_ups_to_others(redis_url: str, wake_ups: WakeUps) -> None:
    busy, idle = Work(), Work()
    async with queue_running(redis_url, ("drain", busy)):
        await busy.until_called(1)
        busy.may_end.clear()
        await wake_ups.offer("drain")
        await until(lambda: busy.looking, what="a handler at work")
        async with queue_running(redis_url, ("drain", idle)):
            await idle.until_called(1)
            calls = busy.calls
            for count in range(1, 4):
                idle.committed = count
                wake_ups.offer("drain")
                await idle.until_seen(count)
            assert busy.calls == calls
        busy.may_end.set()


async def test_nothing_but_short_lived_keys_stays_in_redis(redis_url: str, wake_ups: WakeUps, redis: Redis) -> None:
    work = Work()
    async with queue_running(redis_url, ("drain", work)):
        for count in range(1, 4):
            work.committed = count
            wake_ups.offer("drain")
            await work.until_seen(count)

        async def leftovers() -> bool:
            return not [key async for key in redis.scan_iter() if b"health-check" not in key]

        await until(leftovers, what="an empty Redis")


async def test_without_workers_the_queue_stays_short(wake_ups: WakeUps, redis: Redis) -> None:
    for _ in range(LONGEST_QUEUE + 10):
        await redis.delete(mark_name("drain"))
        await wake_ups.offer("drain")
        await wake_ups.close()
        wake_ups._closed = False
    assert await redis.zcard(queue_name("drain")) == LONGEST_QUEUE


async def test_an_offer_neither_raises_nor_waits_when_redis_is_away() -> None:
    link = RedisLink("redis://127.0.0.1:1")
    wake_ups = WakeUps(link)
    errors = REDIS_ERRORS.value(use="wake_up")
    skipped = WAKE_UPS_OFFERED.value(kind="drain", result="skipped")
    with capture_logs() as logs:
        for _ in range(5):
            await wake_ups.offer("drain")
            await wake_ups.offer("execute")
        await wake_ups.close()
    assert [entry["event"] for entry in logs] == ["redis.away"]
    assert REDIS_ERRORS.value(use="wake_up") == errors + 1
    assert WAKE_UPS_OFFERED.value(kind="drain", result="skipped") > skipped


async def test_without_a_redis_configured_everything_still_runs() -> None:
    work = Work()
    await WakeUps(RedisLink(None)).offer("drain")
    async with queue_running(None, ("drain", work)):
        await work.until_called(2)


async def test_a_network_that_swallows_packets_is_noticed_and_survived(valkey_server: Valkey, redis_url: str) -> None:
    password = urlsplit(redis_url).password
    async with relay_to(str(valkey_server.socket)) as relay:
        link, work = RedisLink(f"redis://:{password}@127.0.0.1:{relay.port}/0"), Work()
        wake_ups = WakeUps(link)
        async with queue_running(link, ("drain", work)):
            await offer_until_seen(wake_ups, work)
            with capture_logs() as logs:
                relay.swallowing.set()
                await until(lambda: wake_ups.offer("drain") and link.away, what="redis.away")
                await work.until_called(work.calls + 2)  # by the clock
                relay.swallowing.clear()
                relay.cut()
                await until(lambda: said(logs)[-1] == "redis.back", what="redis.back")
            assert said(logs) == ["redis.away", "redis.back"]
            await offer_until_seen(wake_ups, work)
        await wake_ups.close()
        await link.close()


async def test_absence_from_the_start_and_flushall_and_restart_are_survived_and_said_once() -> None:
    with temporary_layout() as layout:
        valkey, work = Valkey(layout), Work()
        link = RedisLink(valkey.url)
        wake_ups = WakeUps(link)
        try:
            async with queue_running(link, ("drain", work)):
                with capture_logs() as logs:
                    await work.until_called(3)  # by the clock
                    await valkey.start()
                    await until(lambda: said(logs)[-1] == "redis.back", what="redis.back")
                assert said(logs) == ["redis.away", "redis.back"]
                await offer_until_seen(wake_ups, work)
                async with Redis.from_url(valkey.url) as client:
                    await client.flushall()
                await offer_until_seen(wake_ups, work)
                with capture_logs() as logs:
                    await valkey.stop()
                    await work.until_called(work.calls + 2)  # by the clock
                    await valkey.start()
                    await until(lambda: said(logs)[-1] == "redis.back", what="redis.back")
                assert said(logs) == ["redis.away", "redis.back"]
                await offer_until_seen(wake_ups, work)
        finally:
            await wake_ups.close()
            await link.close()
            await valkey.stop()


def said(logs: list[Any]) -> list[str]:
    return [entry["event"] for entry in logs] or [""]


async def offer_until_seen(wake_ups: WakeUps, work: Work) -> None:
    work.committed += 1

    async def seen() -> bool:
        await wake_ups.offer("drain")
        return work.seen >= work.committed

    await until(seen, what="the handler's look")


async def test_a_handler_that_fails_is_called_again(redis_url: str, wake_ups: WakeUps) -> None:
    calls = 0

    async def fails() -> None:
        nonlocal calls
        calls += 1
        raise ValueError("broken")

    link = RedisLink(redis_url)
    with capture_logs() as logs:
        task = asyncio.create_task(run_queue(link, {"execute": fails}))
        try:

            async def called() -> bool:
                await wake_ups.offer("execute")
                return calls >= 3

            await until(called)
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            await link.close()
    assert {entry["event"] for entry in logs} == {"wake_up.handler_failed"}


async def test_stopping_lets_the_running_handler_end_and_takes_nothing_more(
    redis_url: str, wake_ups: WakeUps, redis: Redis
) -> None:
    work, link, stopping = Work(), RedisLink(redis_url), asyncio.Event()
    work.may_end.clear()
    task = asyncio.create_task(run_queue(link, {"drain": work.handler}, stopping=stopping))
    await work.until_called(1)
    stopping.set()
    await asyncio.sleep(0)
    assert not task.done()
    calls = work.calls
    await wake_ups.offer("drain")
    work.may_end.set()
    async with asyncio.timeout(10):
        await task
    assert work.calls == calls
    assert await redis.zcard(queue_name("drain")) <= 1
    await link.close()
