"""Steps without a transaction: interrupted at any point, begun by many at once, and made good by the next start."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest

from shared.postgres.ledger import status
from shared.postgres.migrate import Migration, MigrationFailed, migrate, migrations
from tests.harness.waiting import until
from tests.shared.postgres import stage

NUMBER, STEP = stage.PIECES.version, stage.PIECES
STEPS = (*stage.STEPS, STEP)


async def indexes(dsn: str) -> dict[str, bool]:
    """Those that the step is about, and whether they are whole."""
    async with stage.connected(dsn) as connection:
        rows = await connection.fetch(
            "SELECT relname, indisvalid FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid"
            " WHERE relname IN ('events_by_time', 'events_once', 'download_jobs_by_time')"
        )
        return {row["relname"]: row["indisvalid"] for row in rows}


DONE = {"events_by_time": True, "events_once": True}


async def test_it_is_applied_and_told_statement_by_statement(database: str) -> None:
    lines: list[str] = []
    assert (await migrate(database, lines.append, steps=STEPS)).up_to_date
    assert await indexes(database) == DONE
    told = [line for line in lines if f"{NUMBER:04d} indexes: " in line]
    assert [line.split(": ")[1].split()[0] for line in told] == ["CREATE", "CREATE", "DROP"]


async def test_ten_at_once_neither_collide_nor_wait_for_each_other_for_ever(database: str) -> None:
    """Who waits for the lock must hold no snapshot: CREATE INDEX CONCURRENTLY waits for every snapshot."""
    lines: list[str] = []
    async with stage.appending(database) as appending:
        async with asyncio.timeout(60):
            found = await asyncio.gather(*(migrate(database, lines.append, steps=STEPS) for _ in range(10)))
    assert all(one.up_to_date for one in found)
    assert sum(f"{NUMBER:04d} indexes applied" in line for line in lines) == 1
    assert await indexes(database) == DONE
    assert await stage.events_in(database) == appending.kept


class Holder:
    """A transaction whose snapshot keeps an index from being ended."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._transaction = connection.transaction(isolation="repeatable_read")

    async def hold(self) -> None:
        await self._transaction.start()
        await self._connection.fetchval("SELECT count(*) FROM events")

    async def let_go(self) -> None:
        await self._transaction.rollback()


async def building(dsn: str) -> bool:
    async with stage.connected(dsn) as connection:
        return bool(
            await connection.fetchval("SELECT count(*) FROM pg_stat_progress_create_index WHERE index_relid <> 0")
        )


async def vanish(dsn: str, application: str) -> None:
    """The server ends the connections of a process that is killed."""
    async with stage.connected(dsn) as connection:
        await connection.fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1"
            " AND datname = current_database()",
            application,
        )


async def test_an_index_that_was_left_half_built_is_dropped_and_built_anew(database: str) -> None:
    async with stage.connected(database) as connection:
        holder = Holder(connection)
        await holder.hold()
        task = asyncio.create_task(migrate(database, steps=STEPS))
        await until(lambda: building(database))
        await vanish(database, "reprise migrate")
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, ConnectionError)):
            await task
        assert await indexes(database) == {"events_by_time": False, "download_jobs_by_time": True}
        async with stage.connected(database) as other:
            found = await status(other, STEPS)
        assert (found.underway, found.newest) == ((NUMBER,), NUMBER - 1)
        await holder.let_go()
    assert (await migrate(database, steps=STEPS)).up_to_date
    assert await indexes(database) == DONE


async def test_a_build_that_goes_on_without_its_process_is_waited_for(database: str) -> None:
    """The lock ends with the process; the server builds on."""
    async with stage.connected(database) as connection, stage.connected(database) as orphan:
        holder = Holder(connection)
        await holder.hold()
        left = asyncio.create_task(orphan.execute(STEP.statements[0]))
        await until(lambda: building(database))
        lines: list[str] = []
        task = asyncio.create_task(migrate(database, lines.append, steps=STEPS))
        await until(lambda: any("events_by_time" in line for line in lines))
        await holder.let_go()
        await left
        before = await connection.fetchval("SELECT 'events_by_time'::regclass::oid")
        assert (await task).up_to_date
        assert await connection.fetchval("SELECT 'events_by_time'::regclass::oid") == before
    assert await indexes(database) == DONE


async def test_an_index_that_cannot_be_is_tried_again_when_it_can(database: str) -> None:
    async with stage.connected(database) as connection:
        for one in ("00000000-0000-7000-8000-000000000001", "00000000-0000-7000-8000-000000000002"):
            await connection.execute("INSERT INTO events VALUES ($1, 'x', 'x', now(), NULL, 'same', '')", one)
    for _ in range(2):
        with pytest.raises(MigrationFailed, match="could not create unique index"):
            await migrate(database, steps=STEPS)
    assert await indexes(database) == {"events_by_time": True, "events_once": False, "download_jobs_by_time": True}
    mended = Migration(NUMBER, "indexes", STEP.sql.replace("(correlation_id)", "(correlation_id, id)"), STEP.down)
    assert (await migrate(database, steps=(*stage.STEPS, mended))).up_to_date
    assert await indexes(database) == DONE


async def test_a_process_that_does_not_migrate_starts_while_an_index_is_built(database: str) -> None:
    """The release before, say, restarted in the middle of it."""
    async with stage.connected(database) as connection:
        holder = Holder(connection)
        await holder.hold()
        task = asyncio.create_task(migrate(database, steps=STEPS))
        await until(lambda: building(database))
        assert (await migrate(database, steps=stage.STEPS)).underway == (NUMBER,)
        await holder.let_go()
        await task


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE INDEX CONCURRENTLY a ON b (c)",
        "DROP INDEX CONCURRENTLY a",
        "UPDATE events SET type = ''",
        "VACUUM events",
    ],
)
def test_what_cannot_be_run_again_has_no_place_outside_a_transaction(tmp_path: Any, statement: str) -> None:
    (tmp_path / "0001_a.sql").write_text(f"-- migrate: no transaction\n{statement};\n")
    with pytest.raises(ValueError, match="must bear being run again"):
        migrations(tmp_path)
