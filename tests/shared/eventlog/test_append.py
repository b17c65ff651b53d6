"""Appending: nothing is lost, nothing is folded that should be apart, and a repeated append changes nothing."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import asyncpg
import pytest

from shared.eventlog.store import append
from tests.shared.eventlog.deliveries import delivery

NASTY_BODIES = (
    b"",
    b"\x00\xff\xfe not text at all",
    b'{"eventType": "Test", "message": "\\u0000"}',
    b"\xff\xfe\x00{",
    b"1e400000",
    b"[" * 10_000 + b"]" * 10_000,
    '{"title": "Ænima, 東京"}'.encode(),
    bytes(range(256)) * 40,
)


async def counts(pool: Any) -> dict[str, int]:
    tables = ("events", "event_status", "event_keys", "folded_deliveries")
    return {table: await pool.fetchval(f"SELECT count(*) FROM {table}") for table in tables}


async def test_every_byte_of_every_body_is_kept(pool: Any) -> None:
    deliveries = [delivery(body) for body in NASTY_BODIES]
    async with pool.acquire() as connection:
        await append(connection, deliveries)
    kept = {row["id"]: row["body"] for row in await pool.fetch("SELECT id, body FROM events")}
    assert kept == {one.id: one.body for one in deliveries}


async def test_answers_come_in_the_order_of_the_deliveries(pool: Any) -> None:
    deliveries = [delivery(key=f"k{number % 7}" if number % 2 else None) for number in range(40)]
    deliveries.reverse()
    async with pool.acquire() as connection:
        answers = await append(connection, deliveries)
    first_of: dict[str, Any] = {}
    for one in sorted(deliveries, key=lambda each: each.id):
        if one.dedupe_key:
            first_of.setdefault(one.dedupe_key, one.id)
    expected = [first_of[one.dedupe_key] if one.dedupe_key else one.id for one in deliveries]
    assert [answer.event_id for answer in answers] == expected
    assert [answer.duplicate for answer in answers] == [
        answer.event_id != one.id for answer, one in zip(answers, deliveries, strict=True)
    ]


async def test_one_key_is_one_event_in_a_group_and_across_groups(pool: Any) -> None:
    first, second, later = (delivery(body, key="slskd-guid") for body in (b"1", b"2", b"3"))
    other_source = delivery(b"4", key="slskd-guid", source="slskd")
    async with pool.acquire() as connection:
        await append(connection, [second, first])
        (answer,) = await append(connection, [later])
        (apart,) = await append(connection, [other_source])
    assert answer == (first.id, True)
    assert apart == (other_source.id, False)
    row = await pool.fetchrow("SELECT deliveries, body FROM event_history WHERE id = $1", first.id)
    assert (row["deliveries"], row["body"]) == (3, b"1")
    folded = await pool.fetch("SELECT id, event_id, body FROM folded_deliveries ORDER BY id")
    assert [tuple(row) for row in folded] == [(second.id, first.id, b"2"), (later.id, first.id, b"3")]


async def test_identical_bodies_without_key_stay_apart(pool: Any) -> None:
    async with pool.acquire() as connection:
        answers = await append(connection, [delivery(b"{}") for _ in range(10)])
    assert len({answer.event_id for answer in answers}) == 10
    assert await counts(pool) == {"events": 10, "event_status": 10, "event_keys": 0, "folded_deliveries": 0}


async def test_an_append_whose_answer_was_lost_can_be_repeated(pool: Any) -> None:
    group = [delivery(), delivery(key="k"), delivery(key="k"), delivery(key="other")]
    async with pool.acquire() as connection:
        before = await append(connection, group)
        stored = await counts(pool)
        await pool.execute(
            "UPDATE event_status SET state = 'processed', settled_at = now() WHERE event_id = $1", group[0].id
        )
        assert await append(connection, group) == before
        assert await append(connection, [group[2], group[0]]) == [before[2], before[0]]
    assert await counts(pool) == stored
    assert await pool.fetchval("SELECT state FROM event_status WHERE event_id = $1", group[0].id) == "processed"


async def test_many_connections_with_the_same_keys_in_opposite_orders(pool: Any) -> None:
    rounds, keys = 15, [f"key-{number:02}" for number in range(12)]

    async def post(number: int, round_: int) -> list[Any]:
        order = keys if number % 2 else keys[::-1]
        group = [delivery(f"{number}".encode(), key=f"{round_}-{key}") for key in order]
        async with pool.acquire() as connection, connection.transaction():
            answers = await append(connection, group)
        return [(one.dedupe_key, answer.event_id) for one, answer in zip(group, answers, strict=True)]

    for round_ in range(rounds):
        found = await asyncio.gather(*(post(number, round_) for number in range(8)))
        agreed = {pair for pairs in found for pair in pairs}
        assert len(agreed) == len(keys)
    stored = await counts(pool)
    assert stored["events"] == stored["event_keys"] == rounds * len(keys)
    assert stored["folded_deliveries"] == rounds * len(keys) * 7


async def test_the_same_ids_from_two_connections_in_opposite_orders(pool: Any) -> None:
    """A spool that drains and a receiver that tries again may append the same deliveries at the same time."""

    async def post(deliveries: list[Any]) -> None:
        async with pool.acquire() as connection, connection.transaction():
            await append(connection, deliveries)

    for _ in range(3):
        group = [delivery(b"x" * 1000) for _ in range(400)]
        await asyncio.gather(post(group), post(group[::-1]), post(group[100:] + group[:100]), post(group[::-1]))
    assert await counts(pool) == {"events": 1200, "event_status": 1200, "event_keys": 0, "folded_deliveries": 0}


async def test_a_clock_that_is_ahead_does_not_delay_an_event(pool: Any) -> None:
    early = replace(delivery(), received_at=delivery().received_at.replace(year=2090))
    async with pool.acquire() as connection:
        await append(connection, [early])
    assert await pool.fetchval("SELECT due_at <= now() FROM event_status WHERE event_id = $1", early.id)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events SET type = 'Other'",
        "UPDATE events SET body = ''",
        "DELETE FROM events",
        "TRUNCATE events CASCADE",
    ],
)
async def test_events_cannot_be_changed_or_removed(pool: Any, statement: str) -> None:
    async with pool.acquire() as connection:
        await append(connection, [delivery(b"for ever")])
    with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
        await pool.execute(statement)
    assert await pool.fetchval("SELECT body FROM events") == b"for ever"
