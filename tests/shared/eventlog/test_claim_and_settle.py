"""Claiming and settling: every event belongs to one worker at a time, and comes back when that worker goes."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from shared.eventlog.event import EventState, Settlement
from shared.eventlog.store import append, claim, claim_these, event_of, expire_parked, settle, wake_parked
from tests.shared.eventlog.deliveries import delivery


async def kept(pool: Any, count: int) -> list[Any]:
    """Events in the log, the oldest first."""
    deliveries = [delivery(f"{number}".encode(), age=timedelta(minutes=count - number)) for number in range(count)]
    async with pool.acquire() as connection:
        await append(connection, deliveries[::-1])
    return deliveries


async def status(pool: Any, event_id: Any) -> Any:
    return await pool.fetchrow("SELECT * FROM event_status WHERE event_id = $1", event_id)


async def test_two_workers_share_the_backlog_oldest_first(pool: Any) -> None:
    deliveries = await kept(pool, 10)
    async with pool.acquire() as one, pool.acquire() as other, one.transaction(), other.transaction():
        first = await claim(one, limit=6)
        second = await claim(other, limit=6)
    assert [event.id for event in first] == [each.id for each in deliveries[:6]]
    assert [event.id for event in second] == [each.id for each in deliveries[6:]]
    assert [event.body for event in first] == [each.body for each in deliveries[:6]]


async def test_a_worker_that_goes_frees_its_claims(pool: Any) -> None:
    deliveries = await kept(pool, 3)
    async with pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        assert len(await claim(connection, limit=10)) == 3
        await settle(connection, [Settlement(deliveries[0].id, EventState.PROCESSED)])
        await transaction.rollback()
        async with connection.transaction():
            assert len(await claim(connection, limit=10)) == 3


async def test_many_workers_settle_each_event_once(pool: Any) -> None:
    await kept(pool, 120)
    settled: list[Any] = []

    async def work() -> None:
        while True:
            async with pool.acquire() as connection, connection.transaction():
                events = await claim(connection, limit=7)
                if not events:
                    return
                await settle(connection, [Settlement(event.id, EventState.PROCESSED) for event in events])
                settled.extend(event.id for event in events)

    await asyncio.gather(*(work() for _ in range(6)))
    assert len(settled) == len(set(settled)) == 120
    assert await pool.fetchval("SELECT count(*) FROM unprocessed_events") == 0


async def test_only_what_is_due_and_asked_for_is_claimed(pool: Any) -> None:
    later, alone, usual = await kept(pool, 3)
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    async with pool.acquire() as connection, connection.transaction():
        await settle(
            connection,
            [
                Settlement(later.id, EventState.WAITING, due_at=tomorrow, attempts=2, last_error="timeout"),
                Settlement(alone.id, EventState.WAITING, alone=True),
            ],
        )
        assert [event.id for event in await claim(connection, limit=9)] == [usual.id]
        assert [event.id for event in await claim(connection, limit=9, alone=True)] == [alone.id]
        (named,) = await claim_these(connection, [later.id])
        assert (named.id, named.attempts) == (later.id, 2)


async def test_settling_writes_down_what_became_of_an_event(pool: Any) -> None:
    processed, ignored, dead, parked = await kept(pool, 4)
    async with pool.acquire() as connection:
        await settle(
            connection,
            [
                Settlement(processed.id, EventState.PROCESSED, reason="confirmed"),
                Settlement(ignored.id, EventState.IGNORED, reason="unknown type"),
                Settlement(dead.id, EventState.DEAD, reason="gave up", last_error="Traceback …", attempts=8),
                Settlement(parked.id, EventState.PARKED, waits_for=("album:x", "download:y")),
            ],
        )
        assert await claim_these(connection, [each.id for each in (processed, ignored, dead, parked)]) == []
    rows = {each.id: await status(pool, each.id) for each in (processed, ignored, dead, parked)}
    assert [row["state"] for row in rows.values()] == ["processed", "ignored", "dead", "parked"]
    assert [row["settled_at"] is not None for row in rows.values()] == [True, True, True, False]
    assert rows[parked.id]["waits_for"] == ["album:x", "download:y"]
    letters = await pool.fetch("SELECT id, reason, last_error, attempts FROM dead_letters")
    assert [tuple(row) for row in letters] == [(dead.id, "gave up", "Traceback …", 8)]
    assert [row["id"] for row in await pool.fetch("SELECT id FROM unprocessed_events")] == [parked.id]


async def test_an_earlier_error_is_remembered_when_a_later_attempt_succeeds(pool: Any) -> None:
    (one,) = await kept(pool, 1)
    async with pool.acquire() as connection:
        await settle(connection, [Settlement(one.id, EventState.WAITING, last_error="boom", attempts=1)])
        await settle(connection, [Settlement(one.id, EventState.PROCESSED, attempts=1)])
    row = await status(pool, one.id)
    assert (row["state"], row["last_error"], row["attempts"]) == ("processed", "boom", 1)


async def test_what_is_bound_wakes_and_nothing_else(pool: Any) -> None:
    album, download, both = await kept(pool, 3)
    waits = {album.id: ("album:a",), download.id: ("download:d",), both.id: ("album:a", "download:d")}
    async with pool.acquire() as connection:
        await settle(connection, [Settlement(one, EventState.PARKED, waits_for=keys) for one, keys in waits.items()])
        assert await wake_parked(connection, ["album:other", "download:"]) == 0
        assert await wake_parked(connection, ["download:d"]) == 2
        assert [event.id for event in await claim(connection, limit=9)] == [download.id, both.id]
        assert await wake_parked(connection, ["download:d"]) == 0
        assert await wake_parked(connection, ["album:a"]) == 1
    assert (await status(pool, album.id))["waits_for"] is None


async def test_what_waits_too_long_is_ignored(pool: Any) -> None:
    old, young, waiting = (delivery(age=timedelta(days=days)) for days in (8, 6, 9))
    async with pool.acquire() as connection:
        await append(connection, [old, young, waiting])
        await settle(connection, [Settlement(one.id, EventState.PARKED, waits_for=("k",)) for one in (old, young)])
        assert await expire_parked(connection, older_than=timedelta(days=7), reason="nobody came") == 1
        assert await wake_parked(connection, ["k"]) == 1
    row = await status(pool, old.id)
    assert (row["state"], row["reason"], row["waits_for"]) == ("ignored", "nobody came", None)
    assert row["settled_at"] is not None
    assert (await status(pool, waiting.id))["state"] == "waiting"


async def test_an_unknown_event_is_none(pool: Any) -> None:
    (one,) = await kept(pool, 1)
    async with pool.acquire() as connection:
        found = await event_of(connection, one.id)
        assert found is not None
        assert (found.id, found.body) == (one.id, one.body)
        assert await event_of(connection, delivery().id) is None


@pytest.mark.parametrize(
    "change",
    [
        "state = 'lost'",
        "state = 'processed'",
        "settled_at = now()",
        "waits_for = '{a}'",
        "state = 'parked'",
    ],
)
async def test_the_table_refuses_states_that_contradict_themselves(pool: Any, change: str) -> None:
    await kept(pool, 1)
    with pytest.raises(asyncpg.CheckViolationError):
        await pool.execute(f"UPDATE event_status SET {change}")
