"""Databases at every version, with a history in them, somebody who appends to it, and hands that change the schema."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from shared.eventlog.event import Delivery
from shared.eventlog.identity import uuid7
from shared.eventlog.store import append
from shared.postgres.migrate import migrate
from shared.postgres.pool import connect
from shared.postgres.steps import Migration, migrations

STEPS = migrations()
VERSIONS = range(1, len(STEPS) + 1)
PIECES = Migration(
    VERSIONS[-1] + 1,
    "indexes",
    """-- migrate: no transaction
    -- Two, so that there is a moment between them; and one that goes.
    CREATE INDEX CONCURRENTLY IF NOT EXISTS events_by_time ON events (received_at);
    CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS events_once ON events (correlation_id);
    DROP INDEX CONCURRENTLY IF EXISTS download_jobs_by_time;
    """,
    "DROP INDEX events_by_time, events_once; CREATE INDEX download_jobs_by_time ON download_jobs (created_at, id)",
)


@asynccontextmanager
async def connected(dsn: str) -> AsyncIterator[Any]:
    """One connection, closed afterwards."""
    connection = await connect(dsn)
    try:
        yield connection
    finally:
        await connection.close()


async def sql(dsn: str, *statements: str) -> None:
    """Hands that change the schema."""
    async with connected(dsn) as connection:
        for statement in statements:
            await connection.execute(statement)


async def untrack(dsn: str) -> None:
    """The schema as it is, without the ledger."""
    await sql(dsn, "DROP TABLE schema_migrations")


async def bring_to(dsn: str, version: int, *, events: int = 0, tracked: bool = True) -> set[UUID]:
    """Bring an empty database to a version, with so many events; returns their ids."""
    await migrate(dsn, steps=STEPS[:version])
    async with connected(dsn) as connection:
        ids = {one for _ in range(events // 500) for one in await _append(connection, 500)}
    if not tracked:
        await untrack(dsn)
    return ids


async def _append(connection: Any, count: int) -> list[UUID]:
    now = datetime.now(UTC)
    ids = [uuid7() for _ in range(count)]
    deliveries = [
        Delivery(
            id=one,
            source="lidarr",
            type="Grab",
            body=b'{"n": 1}',
            received_at=now,
            dedupe_key=None,
            correlation_id=f"download-{one}",
        )
        for one in ids
    ]
    await append(connection, deliveries)
    return ids


async def events_in(dsn: str) -> set[UUID]:
    """Every event that is kept, with its place in the queue."""
    async with connected(dsn) as connection:
        rows = await connection.fetch("SELECT id FROM events JOIN event_status ON event_id = id")
        return {row["id"] for row in rows}


@dataclass(slots=True)
class Appending:
    """What somebody has appended, and been told to be kept."""

    kept: set[UUID] = field(default_factory=set)
    progress: asyncio.Event = field(default_factory=asyncio.Event)
    enough: bool = False

    async def further(self, task: asyncio.Task[None]) -> None:
        """Wait for an append that begins and ends after now."""
        for _ in range(2):
            self.progress.clear()
            next_one = asyncio.create_task(self.progress.wait())
            await asyncio.wait({next_one, task}, return_when=asyncio.FIRST_COMPLETED)
            next_one.cancel()


@asynccontextmanager
async def appending(dsn: str) -> AsyncIterator[Appending]:
    """Somebody appends, one delivery after the other, within the block."""
    state = Appending()

    async def work() -> None:
        async with connected(dsn) as connection:
            while not state.enough:
                state.kept.update(await _append(connection, 1))
                state.progress.set()

    task = asyncio.create_task(work())
    try:
        await state.further(task)
        yield state
        await state.further(task)
    finally:
        state.enough = True
        await task


_ROWS = " UNION ALL ".join(
    f"SELECT '{table}', md5(string_agg(t::text || t.xmin::text, ',' ORDER BY t::text)) FROM {table} AS t"
    for table in (
        "pg_attrdef",
        "pg_attribute",
        "pg_class",
        "pg_constraint",
        "pg_depend",
        "pg_index",
        "pg_namespace",
        "pg_proc",
        "pg_rewrite",
        "pg_trigger",
        "pg_type",
    )
)


async def rows_of_the_catalogue(dsn: str) -> list[tuple[str, str]]:
    """Every row of the system catalogue with the transaction that wrote it: equal only if nothing was touched."""
    async with connected(dsn) as connection:
        # What autovacuum notes in passing is nobody's change.
        await connection.execute("SELECT 1")
        rows = await connection.fetch(_ROWS.replace("pg_class AS t", _QUIET))
        return [tuple(row) for row in rows]


_QUIET = (
    "(SELECT oid, relname, relkind, relfilenode, reltype, relnatts, relchecks, relhasindex, relhasrules,"
    " relhastriggers, relacl, reloptions, xmin FROM pg_class) AS t"
)
