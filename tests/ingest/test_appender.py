"""Group commit: nobody waits who needn't, and what waits together goes together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest

from ingest.appender import LARGEST_GROUP, Appender
from shared.errors import Unavailable
from shared.eventlog.event import Delivery
from shared.eventlog.identity import uuid7
from shared.postgres.pool import create_pool
from shared.telemetry.metrics import APPEND_BATCH_SIZE
from tests.ingest.conftest import events
from tests.ingest.line import Line


def delivery(body: bytes = b"{}", key: str | None = None) -> Delivery:
    return Delivery(uuid7(), "lidarr", "Test", body, datetime.now(UTC), dedupe_key=key)


class Offers:
    """Counts what would wake a worker."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


@pytest.fixture
def offers() -> Offers:
    return Offers()


@pytest.fixture
async def appender(database: str, offers: Offers) -> AsyncIterator[Appender]:
    async with await create_pool(database, min_size=0, max_size=3, command_timeout=None) as pool:
        made = Appender(pool, on_appended=offers)
        yield made
        await made.close()


async def test_one_after_another_never_waits_for_company(appender: Appender, pool: Any, offers: Offers) -> None:
    for _ in range(100):
        await appender.append(delivery())
    assert len(await events(pool)) == 100
    assert offers.count == 100


@pytest.mark.parametrize("count", [2, 63, 64, 65, 1000])
async def test_what_waits_together_goes_together(appender: Appender, pool: Any, count: int) -> None:
    before = APPEND_BATCH_SIZE.count()
    sent = [delivery(b"%d" % n) for n in range(count)]
    answers = await asyncio.gather(*map(appender.append, sent))
    assert [answer.event_id for answer in answers] == [each.id for each in sent]
    assert len(await events(pool)) == count
    assert APPEND_BATCH_SIZE.count() - before <= 2 + count / LARGEST_GROUP


async def test_waves_of_all_sizes_are_all_answered(appender: Appender, pool: Any) -> None:
    async def sender(size: int) -> None:
        for _ in range(size):
            await appender.append(delivery())

    await asyncio.gather(*(sender(size) for size in range(60)))
    assert len(await events(pool)) == sum(range(60))


async def test_doubles_in_one_group_and_across_lanes_are_folded(appender: Appender, pool: Any) -> None:
    answers = await asyncio.gather(*(appender.append(delivery(key=f"key {n % 7}")) for n in range(500)))
    assert len(await events(pool)) == 7
    assert sum(answer.duplicate for answer in answers) == 493
    assert await pool.fetchval("SELECT count(*) FROM folded_deliveries") == 493


async def test_large_bodies_do_not_make_huge_statements(appender: Appender, pool: Any) -> None:
    before = APPEND_BATCH_SIZE.count()
    await asyncio.gather(*(appender.append(delivery(b"x" * 3_000_000)) for _ in range(4)))
    assert APPEND_BATCH_SIZE.count() - before == 4
    assert len(await events(pool)) == 4


async def test_closing_finishes_what_is_under_way(database: str, pool: Any) -> None:
    async with await create_pool(database, min_size=0, max_size=3, command_timeout=None) as own:
        appender = Appender(own)
        waiting = [asyncio.create_task(appender.append(delivery())) for _ in range(100)]
        await asyncio.sleep(0)
        await appender.close()
        await asyncio.gather(*waiting)
    assert len(await events(pool)) == 100


async def test_everybody_behind_a_group_that_failed_is_told_at_once(line: Line) -> None:
    await line.refuse()
    async with await create_pool(line.dsn, min_size=0, max_size=3, command_timeout=None) as own:
        appender = Appender(own)
        outcomes = await asyncio.gather(*(appender.append(delivery()) for _ in range(700)), return_exceptions=True)
        assert all(isinstance(outcome, Unavailable) for outcome in outcomes)
        await appender.close()


@pytest.mark.parametrize("name", ["a\x00b", "half a pair \ud800", Random(1).randbytes(9000).hex()])
async def test_names_that_postgres_cannot_keep_cost_one_delivery_its_names(
    appender: Appender, pool: Any, name: str
) -> None:
    odd = Delivery(uuid7(), "lidarr", "Grab", b"odd", datetime.now(UTC), dedupe_key=name, correlation_id=name)
    sent = [*(delivery() for _ in range(20)), odd, *(delivery() for _ in range(20))]
    await asyncio.gather(*map(appender.append, sent))
    stored = await events(pool)
    assert len(stored) == 41
    assert (stored[odd.id]["type"], stored[odd.id]["body"]) == ("unreadable", b"odd")
