"""Repair adds what is missing and touches nothing else; what it can't do it leaves as it is, and says so."""

from __future__ import annotations

import pytest

from shared.postgres.baseline import Unrecognised
from shared.postgres.fingerprint import fingerprint
from shared.postgres.ledger import status
from shared.postgres.migrate import migrate
from shared.postgres.repair import RepairFailed, plan, repair
from tests.shared.postgres import stage

NEWEST = stage.VERSIONS[-1]
MISSING = (
    "DROP VIEW dead_letters",
    "DROP VIEW event_history",
    "DROP FUNCTION body_as_jsonb",
    "DROP TRIGGER decisions_are_append_only ON decisions",
    "DROP INDEX commands_one_running_per_acquisition",
    "ALTER TABLE operations DROP CONSTRAINT operations_finished",
    "ALTER TABLE operations DROP COLUMN finished_at",
    "DROP TABLE batch_versions",
    "DROP TABLE locks",
    "ALTER TABLE commands DROP CONSTRAINT commands_acquisition_id_fkey",
)


@pytest.mark.parametrize("tracked", [True, False], ids=["tracked", "untracked"])
async def test_what_is_missing_is_added_and_the_rest_kept(any_database: str, tracked: bool) -> None:
    ids = await stage.bring_to(any_database, NEWEST, events=1000)
    await stage.sql(any_database, *MISSING)
    if not tracked:
        await stage.untrack(any_database)
    async with stage.connected(any_database) as connection:
        before = await plan(connection, stage.STEPS)
        assert (before.version, before.tracked, before.by_hand) == (NEWEST, tracked, ())
        async with stage.appending(any_database) as appending:
            left = await repair(connection, stage.STEPS, print)
        assert (left.version, left.differences) == (NEWEST, ())
        assert await fingerprint(connection) == stage.STEPS[-1].golden
        assert len((await status(connection)).baselined) == (0 if tracked else NEWEST)
    assert await stage.events_in(any_database) == ids | appending.kept
    assert (await migrate(any_database)).up_to_date


async def test_what_differs_is_left_to_a_person(database: str) -> None:
    await stage.sql(
        database,
        "DROP INDEX commands_leased",
        "ALTER TABLE operations ALTER COLUMN done SET DEFAULT 1",
        "ALTER TABLE peers ADD COLUMN more text",
    )
    await stage.untrack(database)
    async with stage.connected(database) as connection:
        left = await repair(connection, stage.STEPS, print)
        assert left.additive == ()
        assert [one.key for one in left.by_hand] == ["column operations.done", "column peers.more"]
        found = await fingerprint(connection)
        assert "index commands.commands_leased" in found
        assert found["column peers.more"] == "text"
        assert (await status(connection)).applied == ()
    with pytest.raises(Unrecognised):
        await migrate(database)


async def test_a_repair_that_fails_changes_nothing(database: str) -> None:
    """A column that takes no NULL can't be added by itself where there are rows."""
    await stage.sql(database, "DROP INDEX commands_leased", "ALTER TABLE settings_version DROP COLUMN version CASCADE")
    await stage.sql(database, "ALTER TABLE events DROP COLUMN source CASCADE")
    await stage.sql(database, "INSERT INTO events VALUES (gen_random_uuid(), 'x', now(), NULL, NULL, '')")
    await stage.untrack(database)
    before = await stage.rows_of_the_catalogue(database)
    async with stage.connected(database) as connection:
        with pytest.raises(RepairFailed, match=r"ADD COLUMN source text NOT NULL` failed .*nothing was changed"):
            await repair(connection, stage.STEPS, print)
    assert await stage.rows_of_the_catalogue(database) == before


async def test_an_older_version_is_repaired_to_what_it_was_and_then_upgraded(empty_database: str) -> None:
    await stage.bring_to(empty_database, 2, tracked=False)
    await stage.sql(empty_database, "ALTER TABLE peers DROP COLUMN history_id")
    async with stage.connected(empty_database) as connection:
        assert (await repair(connection, stage.STEPS, print)).version == 2
        assert (await status(connection)).baselined == (1, 2)
    assert (await migrate(empty_database)).up_to_date


async def test_an_empty_database_needs_no_repair(empty_database: str) -> None:
    before = await stage.rows_of_the_catalogue(empty_database)
    async with stage.connected(empty_database) as connection:
        assert (await repair(connection, stage.STEPS, print)).version == 0
    assert await stage.rows_of_the_catalogue(empty_database) == before
