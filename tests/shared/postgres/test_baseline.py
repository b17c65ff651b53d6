"""A database at each version, tracked or not, comes up to date and loses nothing; a lying ledger isn't believed."""

from __future__ import annotations

import asyncio
import re
from urllib.parse import urlencode

import pytest

from shared.postgres.baseline import Drifted, Foreign, Unrecognised
from shared.postgres.fingerprint import fingerprint
from shared.postgres.ledger import status
from shared.postgres.migrate import Migration, migrate
from shared.postgres.queries import SQL_DIR
from tests.shared.postgres import stage

NEWEST = stage.VERSIONS[-1]


async def whole(dsn: str) -> bool:
    async with stage.connected(dsn) as connection:
        found = await status(connection)
        return found.up_to_date and await fingerprint(connection) == stage.STEPS[-1].golden


@pytest.mark.parametrize("tracked", [True, False], ids=["tracked", "untracked"])
@pytest.mark.parametrize("version", stage.VERSIONS)
async def test_every_version_comes_up_to_date_and_loses_nothing(
    empty_database: str, version: int, tracked: bool
) -> None:
    await upgrade(empty_database, version, tracked=tracked)


async def test_other_servers_do_it_alike(any_database: str) -> None:
    await upgrade(any_database, 2, tracked=False)


async def upgrade(dsn: str, version: int, *, tracked: bool) -> None:
    ids = await stage.bring_to(dsn, version, events=2000, tracked=tracked)
    lines: list[str] = []
    async with stage.appending(dsn) as appending:
        found = await migrate(dsn, lines.append)
    assert len(ids) == 2000
    assert await stage.events_in(dsn) == ids | appending.kept
    assert await whole(dsn)
    assert found.baselined == (() if tracked else tuple(range(1, version + 1)))
    applied = [line for line in lines if " applied in " in line]
    assert len(applied) == NEWEST - version
    recognised = [line for line in lines if "not tracked, recognised as" in line]
    assert len(recognised) == (0 if tracked else 1)
    again: list[str] = []
    await migrate(dsn, again.append)
    assert again == [f"[MIGRATE] up to date at {NEWEST} migrations"]


async def test_ten_that_start_together_record_it_once(empty_database: str) -> None:
    await stage.bring_to(empty_database, 2, tracked=False)
    lines: list[str] = []
    await asyncio.gather(*(migrate(empty_database, lines.append) for _ in range(10)))
    assert sum("recognised as 0002" in line for line in lines) == 1
    assert sum("applied in" in line for line in lines) == NEWEST - 2
    assert await whole(empty_database)


async def test_an_emptied_ledger_is_as_good_as_none(database: str) -> None:
    await stage.sql(database, "DELETE FROM schema_migrations")
    assert (await migrate(database)).baselined == tuple(stage.VERSIONS)


async def test_a_ledger_that_lags_is_brought_up(database: str) -> None:
    await stage.sql(database, "DELETE FROM schema_migrations WHERE version > 2")
    lines: list[str] = []
    found = await migrate(database, lines.append)
    assert found.applied == tuple(stage.VERSIONS)
    assert found.baselined == tuple(range(3, NEWEST + 1))
    assert "tracked up to 0002, recognised as" in lines[0]


async def test_a_ledger_with_a_gap_is_filled_if_the_schema_agrees(database: str) -> None:
    await stage.sql(database, "DELETE FROM schema_migrations WHERE version = 2")
    assert (await migrate(database)).baselined == (2,)


async def test_a_ledger_with_a_gap_that_the_schema_shows_is_refused(empty_database: str) -> None:
    await stage.bring_to(empty_database, 1)
    row = stage.STEPS[1]
    await stage.sql(
        empty_database,
        f"UPDATE schema_migrations SET version = 2, name = '{row.name}', checksum = '{row.checksum}'",
    )
    before = await stage.rows_of_the_catalogue(empty_database)
    with pytest.raises(Unrecognised, match="nearest, 0002"):
        await migrate(empty_database)
    assert await stage.rows_of_the_catalogue(empty_database) == before


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("ALTER TABLE peers DROP COLUMN history_id", "column peers.history_id is missing: bigint"),
        ("ALTER TABLE operations ALTER COLUMN done DROP DEFAULT", "column operations.done is `bigint NOT NULL`"),
        ("DROP INDEX decisions_once", "index decisions.decisions_once is missing: CREATE UNIQUE INDEX"),
        ("ALTER TABLE events DISABLE TRIGGER events_are_append_only", "trigger events.events_are_append_only is"),
        ("DROP VIEW dead_letters", "view dead_letters is missing"),
        ("ALTER TABLE commands DROP CONSTRAINT commands_state", "constraint commands.commands_state is missing"),
    ],
)
async def test_a_ledger_that_claims_what_is_not_there_is_not_believed(database: str, change: str, told: str) -> None:
    await stage.sql(database, change)
    before = await stage.rows_of_the_catalogue(database)
    with pytest.raises(Drifted, match=re.escape(told)):
        await migrate(database)
    assert await stage.rows_of_the_catalogue(database) == before


async def test_a_start_goes_on_where_nothing_is_missing(database: str) -> None:
    await stage.sql(
        database,
        "CREATE INDEX of_my_own ON events (received_at)",
        "ALTER TABLE peers ADD COLUMN note text",
        "DROP INDEX download_jobs_by_time",
        "ALTER TABLE event_status RESET (fillfactor)",
    )
    lines: list[str] = []
    assert (await migrate(database, lines.append)).up_to_date
    told = [line for line in lines if "changed by other hands, and no hindrance" in line]
    for name in ("of_my_own", "peers.note", "download_jobs_by_time", "table event_status"):
        assert sum(name in line for line in told) == 1
    assert len(told) == 4


async def test_a_database_of_another_program_is_left_alone(empty_database: str) -> None:
    await stage.sql(
        empty_database, "CREATE TABLE notes (id serial PRIMARY KEY)", "CREATE VIEW n AS SELECT id FROM notes"
    )
    before = await stage.rows_of_the_catalogue(empty_database)
    with pytest.raises(Foreign, match="table notes, view n") as refused:
        await migrate(empty_database)
    assert refused.value.found.foreign == ("sequence notes_id_seq", "table notes", "view n")
    assert await stage.rows_of_the_catalogue(empty_database) == before


async def test_a_schema_of_its_own_beside_another_program_is_enough(empty_database: str) -> None:
    await stage.sql(empty_database, "CREATE TABLE notes (id integer)", "CREATE SCHEMA music")
    dsn = f"{empty_database}&{urlencode({'options': '-csearch_path=music'})}"
    await migrate(dsn)
    assert await whole(dsn)
    await stage.untrack(dsn)
    assert len((await migrate(dsn)).baselined) == NEWEST
    async with stage.connected(empty_database) as connection:
        assert list(await fingerprint(connection)) == ["table notes", "column notes.id"]


async def test_other_peoples_tables_beside_ours_are_named_and_left_alone(database: str) -> None:
    await stage.sql(database, "CREATE TABLE notes (id integer)", "CREATE VIEW mine AS SELECT id FROM events")
    await stage.untrack(database)
    lines: list[str] = []
    await migrate(database, lines.append)
    assert lines[1] == "[MIGRATE] not Reprise's, and left alone: table notes, view mine"
    assert await stage.events_in(database) == set()


async def test_the_code_before_the_newest_migration_starts_on_the_newest_schema(database: str) -> None:
    """A newer release may have changed what the older needs no more, and added what it doesn't know."""
    await stage.sql(
        database,
        "CREATE TABLE of_a_newer_release (id integer)",
        "ALTER TABLE peers ADD COLUMN newer text NOT NULL DEFAULT ''",
        "ALTER TABLE download_jobs DROP CONSTRAINT download_jobs_origin",
        f"INSERT INTO schema_migrations (version, name, checksum) VALUES ({NEWEST + 1}, 'newer', '')",
    )
    for older in (stage.STEPS, stage.STEPS[:-1]):
        assert (await migrate(database, steps=older)).up_to_date
    await stage.sql(database, "ALTER TABLE peers DROP COLUMN history_id")
    with pytest.raises(Drifted, match=r"peers\.history_id"):
        await migrate(database)


async def test_a_ledger_of_the_first_release_is_extended(database: str) -> None:
    """It had no column that says how a migration came to be there."""
    await stage.sql(database, "ALTER TABLE schema_migrations DROP COLUMN how")
    assert (await migrate(database)).applied == tuple(stage.VERSIONS)
    more = Migration(NEWEST + 1, "more", "ALTER TABLE peers ADD COLUMN more text")
    assert (await migrate(database, steps=(*stage.STEPS, more))).applied == (*stage.VERSIONS, NEWEST + 1)
    async with stage.connected(database) as connection:
        assert await connection.fetchval("SELECT count(*) FROM schema_migrations WHERE how = 'applied'") == NEWEST + 1


async def test_without_fingerprints_of_its_own_files_nothing_is_judged(empty_database: str) -> None:
    """An edited migration has none until `make schema`; the wrong ones must not be believed."""
    bare = tuple(Migration(step.version, step.name, step.sql, step.down) for step in stage.STEPS)
    await migrate(empty_database, steps=bare)
    await stage.sql(empty_database, "ALTER TABLE peers DROP COLUMN history_id")
    assert (await migrate(empty_database, steps=bare)).up_to_date


def test_fingerprints_of_other_files_are_left_out(tmp_path: object) -> None:
    from pathlib import Path

    folder = Path(str(tmp_path))
    for step in stage.STEPS:
        text = step.sql + ("-- edited" if step.version == 2 else "")
        (folder / f"{step.version:04d}_{step.name}.sql").write_text(text)
    from shared.postgres.steps import migrations

    found = migrations(folder, SQL_DIR / "fingerprints")
    assert [step.golden is not None for step in found] == [step.version < 2 for step in found]
