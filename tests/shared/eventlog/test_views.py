"""The SQL face of the log: what people see who query history."""

from __future__ import annotations

from typing import Any

import pytest

from shared.eventlog.store import append
from tests.shared.eventlog.deliveries import delivery

NO_JSONB = {
    "empty": b"",
    "no JSON": b"nonsense",
    "NUL": b'{"message": "\\u0000"}',
    "a NUL byte": b'"\x00"',
    "invalid UTF-8": b'{"title": "\xff"}',
    "a lone surrogate": b'"\\ud800"',
    "a number beyond numeric": b"1e400000",
    "NaN": b"NaN",
    "a million characters deep": b'{"a":' * 200_000 + b"1" + b"}" * 200_000,
}


@pytest.mark.parametrize("body", NO_JSONB.values(), ids=NO_JSONB.keys())
async def test_a_body_that_jsonb_refuses_has_no_payload_and_spoils_nothing(pool: Any, body: bytes) -> None:
    bad, good = delivery(body), delivery(b'{"artist": {"name": "\xc3\x86nima"}}')
    async with pool.acquire() as connection:
        await append(connection, [bad, good])
    rows = {row["id"]: row for row in await pool.fetch("SELECT id, payload IS NULL AS none, body FROM event_history")}
    assert rows[bad.id]["body"] == body
    assert (rows[bad.id]["none"], rows[good.id]["none"]) == (True, False)
    payload = await pool.fetchval("SELECT payload FROM event_history WHERE id = $1", good.id)
    assert payload == {"artist": {"name": "Ænima"}}


async def test_history_can_be_searched_by_payload_over_a_parallel_plan(pool: Any) -> None:
    """Before PostgreSQL 17 a function that catches errors fails in a parallel plan, so it must forbid one."""
    async with pool.acquire() as connection:
        await append(connection, [delivery(b'{"n": %d}' % number) for number in range(50)])
        safety = await connection.fetchval("SELECT proparallel FROM pg_proc WHERE proname = 'body_as_jsonb'")
        found = await connection.fetchval("SELECT count(*) FROM event_history WHERE payload ->> 'n' = '7'")
    assert (safety, found) == (b"u", 1)


async def test_columns_bear_the_names_of_the_api(pool: Any) -> None:
    async with pool.acquire() as connection:
        await append(connection, [delivery(key="k", correlation_id="hash"), delivery(key="k")])
        row = await connection.fetchrow("SELECT * FROM event_history")
    expected = {"source", "type", "state", "dedupe_key", "received_at", "attempts", "correlation_id", "reason"}
    assert expected | {"id", "deliveries", "last_error", "payload", "body"} <= set(row.keys())
    assert (row["deliveries"], row["state"], row["correlation_id"]) == (2, "waiting", "hash")
