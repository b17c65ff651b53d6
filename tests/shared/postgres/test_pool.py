"""One way to connect: jsonb as values, statements bounded in time, transactions that nobody leaves open."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import asyncpg
import msgspec
import pytest

from shared.postgres.pool import connect, create_pool


class Point(msgspec.Struct):
    x: int
    of: UUID


async def test_jsonb_takes_structs_and_gives_plain_values(pool: Any) -> None:
    of = uuid4()
    assert await pool.fetchval("SELECT $1::jsonb", Point(1, of)) == {"x": 1, "of": str(of)}
    assert await pool.fetchval("SELECT $1::jsonb", None) is None
    rows = await pool.fetch("SELECT unnest($1::jsonb[]) AS one", [Point(2, of), {"three": None}, {}])
    assert [row["one"] for row in rows] == [{"x": 2, "of": str(of)}, {"three": None}, {}]


async def test_a_statement_that_hangs_is_given_up(database: str) -> None:
    async with await create_pool(database, command_timeout=0.2) as pool:
        with pytest.raises(TimeoutError):
            await pool.execute("SELECT pg_sleep(30)")
        assert await pool.fetchval("SELECT 1") == 1


async def test_a_client_that_vanishes_inside_a_transaction_loses_it(pool: Any) -> None:
    assert await pool.fetchval("SHOW idle_in_transaction_session_timeout") == "2min"
    assert await pool.fetchval("SHOW application_name") == "reprise test"


async def test_a_single_connection_speaks_the_same(database: str) -> None:
    connection = await connect(database)
    try:
        assert await connection.fetchval("SELECT '{\"a\": [1]}'::jsonb") == {"a": [1]}
        with pytest.raises(asyncpg.UndefinedTableError):
            await connection.execute("SELECT * FROM nothing")
    finally:
        await connection.close()
