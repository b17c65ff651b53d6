"""The schema: made once however many begin together, refused where it was altered, undone without a trace."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from shared.postgres.migrate import Altered, Migration, MigrationFailed, migrate, migrations, status
from shared.postgres.pool import connect
from shared.postgres.queries import SQL_DIR, load
from tests.harness.waiting import until

STEPS = migrations()


async def catalogue(dsn: str) -> list[str]:
    """Everything that the migrations could have made, by kind and name."""
    connection = await connect(dsn)
    try:
        rows = await connection.fetch(
            """SELECT 'relation ' || relname AS one FROM pg_class WHERE relnamespace = 'public'::regnamespace
            UNION ALL SELECT 'function ' || proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
            UNION ALL SELECT 'type ' || typname FROM pg_type WHERE typnamespace = 'public'::regnamespace
            ORDER BY 1"""
        )
        return [row["one"] for row in rows if "schema_migrations" not in row["one"]]
    finally:
        await connection.close()


async def test_ten_processes_that_start_together_make_it_once(empty_database: str) -> None:
    lines: list[str] = []
    found = await asyncio.gather(*(migrate(empty_database, lines.append) for _ in range(10)))
    versions = tuple(step.version for step in STEPS)
    assert {one.applied for one in found} == {versions}
    assert all(one.up_to_date for one in found)
    for step in STEPS:
        assert sum(f"{step.version:04d} {step.name} applied" in line for line in lines) == 1
    assert sum("up to date" in line for line in lines) == 10


async def test_a_second_start_changes_nothing(database: str) -> None:
    lines: list[str] = []
    await migrate(database, lines.append)
    assert lines == [f"[MIGRATE] up to date at {len(STEPS)} migrations"]


async def test_a_release_adds_what_is_new_and_keeps_the_rest(empty_database: str) -> None:
    await migrate(empty_database, steps=STEPS[:2])
    connection = await connect(empty_database)
    before = await status(connection)
    await connection.close()
    assert before.applied == (1, 2)
    assert [step.version for step in before.pending] == [step.version for step in STEPS[2:]]
    assert (await migrate(empty_database)).up_to_date


async def test_an_altered_file_is_refused_and_named(database: str) -> None:
    second = STEPS[1]
    altered = (STEPS[0], Migration(second.version, second.name, second.sql + "\n-- a change"), *STEPS[2:])
    with pytest.raises(Altered, match="0002"):
        await migrate(database, steps=altered)


async def test_a_database_of_a_newer_release_is_left_alone(database: str) -> None:
    """During an upgrade old processes still start; they find more than they know, and nothing to do."""
    found = await migrate(database, steps=STEPS[:3])
    assert found.applied == tuple(step.version for step in STEPS)
    assert found.up_to_date


async def test_a_step_that_fails_leaves_nothing(empty_database: str) -> None:
    broken = Migration(2, "broken", "CREATE TABLE half (id integer); SELECT 1 / 0;")
    with pytest.raises(MigrationFailed, match=r"0002 broken failed \(DivisionByZeroError: .*nothing of it was kept"):
        await migrate(empty_database, steps=(STEPS[0], broken))
    assert not any("half" in one for one in await catalogue(empty_database))
    connection = await connect(empty_database)
    assert (await status(connection)).applied == (1,)
    await connection.close()
    assert (await migrate(empty_database)).up_to_date


async def test_a_table_in_use_is_waited_for_without_blocking_its_users(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step that can't have its lock steps back, so that the fleet goes on, and tries again."""
    monkeypatch.setattr("shared.postgres.migrate.LOCK_TIMEOUT_S", 0.2)
    wide = Migration(len(STEPS) + 1, "wide", "ALTER TABLE peers ADD COLUMN more text")
    lines: list[str] = []
    user = await connect(database)
    transaction = user.transaction()
    await transaction.start()
    await user.execute("LOCK TABLE peers IN ACCESS SHARE MODE")
    task = asyncio.create_task(migrate(database, lines.append, steps=(*STEPS, wide)))
    await until(lambda: any("a table is in use" in line for line in lines))
    await transaction.rollback()
    await user.close()
    assert (await task).up_to_date


async def test_the_ways_down_lead_back_to_an_empty_database(empty_database: str) -> None:
    assert await catalogue(empty_database) == []
    after_each: list[list[str]] = []
    for count in range(1, len(STEPS) + 1):
        after_each.append(await catalogue(empty_database))
        await migrate(empty_database, steps=STEPS[:count])
    connection = await connect(empty_database)
    for step, before in zip(reversed(STEPS), reversed(after_each), strict=True):
        down = SQL_DIR / "migrations" / f"{step.version:04d}_{step.name}.down.sql"
        await connection.execute(down.read_text(encoding="utf-8"))
        assert await catalogue(empty_database) == before
    await connection.close()


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (["0001_a.sql", "0003_c.sql"], "without gap"),
        (["0001_a.sql", "0001_b.sql"], "without gap"),
        (["1_a.sql"], "NNNN_words"),
        (["0001_A.sql"], "NNNN_words"),
    ],
)
def test_files_with_wrong_names_are_noticed(tmp_path: Any, files: list[str], message: str) -> None:
    for name in files:
        (tmp_path / name).write_text("SELECT 1")
    with pytest.raises(ValueError, match=message):
        migrations(tmp_path)


def test_every_step_has_a_way_down_and_every_query_a_name_of_its_own() -> None:
    for step in STEPS:
        assert (SQL_DIR / "migrations" / f"{step.version:04d}_{step.name}.down.sql").is_file()
    for path in (SQL_DIR / "queries").glob("*.sql"):
        assert load(path.stem)


async def test_every_named_query_is_one_that_postgres_takes(database: str) -> None:
    """A typo in SQL is found here, not by the first who needs that query."""
    connection = await connect(database)
    try:
        for path in sorted((SQL_DIR / "queries").glob("*.sql")):
            for name, text in load(path.stem).items():
                if (path.stem, name) == ("migrate", "make_ledger"):
                    continue  # nothing that can be prepared
                if path.stem == "adopt_theirs":
                    continue  # asked of another program's database
                assert await connection.prepare(text), f"{path.stem}.{name}"
    finally:
        await connection.close()
