"""Who starts either brings the schema up, or waits for the one who makes a backup before."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp
import pytest

from shared.postgres.baseline import Drifted
from shared.postgres.migrate import Pending, bring_up, migrate
from tests.harness.processes import Processes
from tests.harness.waiting import until
from tests.shared.postgres import stage

_WAIT = {"REPRISE_MIGRATE": "wait"}


async def test_waiting_changes_nothing_and_goes_on_when_another_has_done_it(empty_database: str) -> None:
    await stage.bring_to(empty_database, 2)
    before = await stage.rows_of_the_catalogue(empty_database)
    with pytest.raises(Pending, match=f"{len(stage.STEPS) - 2} of {len(stage.STEPS)} migrations are pending"):
        await bring_up(empty_database, print, how="wait")
    assert await stage.rows_of_the_catalogue(empty_database) == before
    await migrate(empty_database)
    assert (await bring_up(empty_database, print, how="wait")).up_to_date
    await stage.sql(empty_database, "ALTER TABLE peers DROP COLUMN history_id")
    with pytest.raises(Drifted):
        await bring_up(empty_database, print, how="wait")


async def test_a_fleet_that_starts_all_at_once_migrates_after_a_backup(
    empty_database: str, processes: Processes, tmp_path: Path
) -> None:
    """As an engine does that heeds no order: receiver and worker first, and the one that makes backups last."""
    ids = await stage.bring_to(empty_database, 2, events=1000)
    environment = _WAIT | {"DATABASE_URL": empty_database}
    ingest, worker = await asyncio.gather(processes.ingest(**environment), processes.worker(**environment))
    await until(lambda: "migrations are pending" in worker.output(), what="the worker to say what it waits for")
    async with (
        aiohttp.ClientSession(headers={"X-Webhook-Secret": "webhook-secret-of-the-tests"}) as session,
        session.post(f"{ingest.url}/webhooks/lidarr", json={"eventType": "Test"}) as answer,
    ):
        assert (await answer.json())["spooled"] is True
    folder = tmp_path / "backups"
    await processes.start(
        "backup",
        "--nightly",
        port_variable="REPRISE_METRICS_PORT",
        ready_path="/readyz",
        environment={"DATABASE_URL": empty_database, "REPRISE_BACKUP_DIR": str(folder)},
    )
    assert len(list(folder.glob("*-migration.tar"))) == 1

    async def kept() -> bool:
        return len(await stage.events_in(empty_database)) == len(ids) + 1

    await until(kept, what="the spooled webhook to follow")
    await until(lambda: "worker.ready" in worker.output(), what="the worker to be at work")
