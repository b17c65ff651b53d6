"""The way back: told with what it costs, taken one migration at a time, and refused where it isn't known."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from shared.errors import InvalidInput
from shared.postgres.fingerprint import fingerprint
from shared.postgres.ledger import Altered, status
from shared.postgres.migrate import Migration, migrate
from shared.postgres.rollback import Loss, NoWayBack, roll_back, way_back
from tests.shared.postgres import stage

NEWEST = stage.VERSIONS[-1]


@pytest.mark.parametrize("to", range(NEWEST))
async def test_it_leads_to_what_the_version_was_and_forward_again(empty_database: str, to: int) -> None:
    ids = await stage.bring_to(empty_database, NEWEST, events=1000)
    lines: list[str] = []
    async with stage.connected(empty_database) as connection:
        await roll_back(connection, stage.STEPS, to, lines.append)
        assert await fingerprint(connection) == (stage.STEPS[to - 1].golden if to else {})
        assert (await status(connection)).applied == tuple(range(1, to + 1))
    assert len(lines) == NEWEST - to + 1
    assert [line.split()[1] for line in lines[:-1]] == [f"{n:04d}" for n in range(NEWEST, to, -1)]
    assert (await migrate(empty_database)).up_to_date
    if to:
        assert await stage.events_in(empty_database) == ids


async def test_the_plan_counts_what_is_lost_and_changes_nothing(empty_database: str) -> None:
    await stage.bring_to(empty_database, NEWEST, events=500)
    await stage.sql(empty_database, "INSERT INTO locks VALUES ('a', gen_random_uuid(), now())", "CREATE TABLE notes ()")
    before = await stage.rows_of_the_catalogue(empty_database)
    async with stage.connected(empty_database) as connection:
        plan = await way_back(connection, stage.STEPS, 0)
    assert [step.version for step in plan.steps] == list(range(NEWEST, 0, -1))
    losses = {one.what: one.count for one in plan.losses}
    assert losses["table events"] == losses["table event_status"] == 500
    assert losses["table locks"] == losses["table settings_version"] == 1
    assert losses["table peers"] == 0
    assert losses["view event_history"] is None
    assert "table notes" not in losses
    assert str(Loss("table locks", 1)) == "table locks: 1 row"
    assert await stage.rows_of_the_catalogue(empty_database) == before


async def test_columns_are_counted_by_their_values(database: str) -> None:
    wide = Migration(
        NEWEST + 1,
        "wide",
        "ALTER TABLE settings_version ADD COLUMN note text; UPDATE settings_version SET note = 'x'",
        "ALTER TABLE settings_version DROP COLUMN note",
        {**(stage.STEPS[-1].golden or {}), "column settings_version.note": "text"},
    )
    await migrate(database, steps=(*stage.STEPS, wide))
    async with stage.connected(database) as connection:
        plan = await way_back(connection, (*stage.STEPS, wide), NEWEST)
    assert plan.losses == (Loss("column settings_version.note", 1),)
    assert str(plan.losses[0]) == "column settings_version.note: 1 value"


async def test_running_processes_are_noticed(database: str) -> None:
    async with stage.connected(database) as connection:
        assert (await way_back(connection, stage.STEPS, 3)).processes == 0
        worker = await asyncpg.connect(database, server_settings={"application_name": "reprise worker"})
        assert (await way_back(connection, stage.STEPS, 3)).processes == 1
        await worker.close()


@pytest.mark.parametrize("to", [-1, NEWEST + 1])
async def test_versions_that_are_not_behind_us_are_no_way_back(database: str, to: int) -> None:
    async with stage.connected(database) as connection:
        with pytest.raises(InvalidInput, match=f"must be 0 to {NEWEST}"):
            await way_back(connection, stage.STEPS, to)


async def test_a_newer_release_goes_back_by_itself(database: str) -> None:
    async with stage.connected(database) as connection:
        with pytest.raises(NoWayBack, match="of a newer release"):
            await roll_back(connection, stage.STEPS[:-1], 1, print)
        assert (await status(connection)).newest == NEWEST


async def test_edited_files_and_missing_ones_are_refused(database: str) -> None:
    last = stage.STEPS[-1]
    edited = Migration(last.version, last.name, last.sql + "-- edited", last.down)
    without = Migration(last.version, last.name, last.sql)
    async with stage.connected(database) as connection:
        with pytest.raises(Altered):
            await way_back(connection, (*stage.STEPS[:-1], edited), 0)
        with pytest.raises(NoWayBack, match="has no down file"):
            await way_back(connection, (*stage.STEPS[:-1], without), 0)


async def test_a_way_down_that_fails_leaves_the_version_as_it_was(database: str) -> None:
    """Somebody's view on our table, say: it's theirs, so it isn't dropped."""
    await stage.sql(database, "CREATE VIEW mine AS SELECT name FROM locks")
    async with stage.connected(database) as connection:
        with pytest.raises(asyncpg.DependentObjectsStillExistError):
            await roll_back(connection, stage.STEPS, 2, print)
        assert (await status(connection)).newest == 3
        assert _ours(await fingerprint(connection)) == stage.STEPS[2].golden
        await connection.execute("DROP VIEW mine")
        await roll_back(connection, stage.STEPS, 2, print)
        assert await fingerprint(connection) == stage.STEPS[1].golden


async def test_a_step_that_is_underway_is_undone_too(database: str) -> None:
    steps = (*stage.STEPS, stage.PIECES)
    await migrate(database, steps=steps)
    await stage.sql(database, f"UPDATE schema_migrations SET how = 'underway' WHERE version > {NEWEST}")
    async with stage.connected(database) as connection:
        await roll_back(connection, steps, NEWEST, print)
        assert await fingerprint(connection) == stage.STEPS[-1].golden
        assert (await status(connection)).underway == ()


def _ours(found: Any) -> dict[str, str]:
    return {key: text for key, text in found.items() if key != "view mine"}
