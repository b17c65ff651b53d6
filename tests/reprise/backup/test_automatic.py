"""Backups that nobody has to think of."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from reprise.backup import automatic
from reprise.backup.automatic import is_due, measure, nightly
from reprise.backup.folder import KEEP, Folder
from shared.config import Config
from shared.postgres.migrate import migrate, migrations
from shared.postgres.pool import connect
from shared.telemetry.exposition import render
from shared.telemetry.metrics import BACKUPS
from tests.harness.processes import Processes
from tests.harness.waiting import until

_NIGHT = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("since", "now", "due"),
    [
        (_NIGHT - timedelta(days=1), _NIGHT, True),
        (_NIGHT - timedelta(days=1), _NIGHT - timedelta(seconds=1), False),
        (_NIGHT + timedelta(minutes=1), _NIGHT + timedelta(hours=23), False),
        (_NIGHT - timedelta(minutes=1), _NIGHT + timedelta(hours=9), True),  # the machine was off at night
        (_NIGHT - timedelta(days=40), _NIGHT - timedelta(hours=1), True),
    ],
)
def test_one_is_due_once_the_hour_has_passed_since_the_last(since: datetime, now: datetime, due: bool) -> None:
    assert is_due(since, 3, now) == due


def test_seven_of_a_kind_are_kept_and_none_that_somebody_asked_for_goes(folder: Folder) -> None:
    folder.path.mkdir()
    for day in range(1, 11):
        for reason in ("nightly", "migration", "asked"):
            (folder.path / f"reprise-202603{day:02d}T030000Z-{reason}.tar").touch()
    (folder.path / "somebody's own.tar").touch()
    assert len(folder.prune()) == 2 * (10 - KEEP)
    names = sorted(path.name for path in folder.path.iterdir())
    assert len(names) == 2 * KEEP + 10 + 1
    assert "reprise-20260304T030000Z-nightly.tar" in names
    assert "reprise-20260303T030000Z-nightly.tar" not in names
    newest = folder.newest()
    assert newest is not None
    assert newest.made_at == datetime(2026, 3, 10, 3, 0, tzinfo=UTC)


async def _last_week(dsn: str) -> None:
    connection = await connect(dsn)
    try:
        await connection.execute("UPDATE schema_migrations SET applied_at = applied_at - interval '7 days'")
    finally:
        await connection.close()


async def test_every_night_one_that_was_restored_for_a_trial_and_its_age_is_a_metric(
    config: Config, folder: Folder
) -> None:
    assert config.database_url
    await _last_week(config.database_url.reveal())
    stopping = asyncio.Event()
    made_before = BACKUPS.value(result="made")
    work = asyncio.create_task(nightly(replace(config, backup_dir=folder.path), stopping=stopping))
    await until(lambda: BACKUPS.value(result="made") > made_before, within_s=60)
    stopping.set()
    await work
    (backup,) = folder.backups()
    assert backup.reason == "nightly"
    measure(folder)
    assert b"\nreprise_backup_age_seconds " in render()[0]


async def test_a_night_that_fails_is_counted_and_not_the_end(
    config: Config, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert config.database_url
    await _last_week(config.database_url.reveal())
    monkeypatch.setattr(automatic, "_AGAIN_AFTER", timedelta(0))
    monkeypatch.setattr(automatic, "_LOOK_EVERY_S", 0.01)
    folder.path.parent.mkdir(exist_ok=True)
    folder.path.write_text("a file where the folder should be")
    stopping = asyncio.Event()
    before = BACKUPS.value(result="failed")
    work = asyncio.create_task(nightly(replace(config, backup_dir=folder.path), stopping=stopping))
    await until(lambda: BACKUPS.value(result="failed") >= before + 2)
    folder.path.unlink()
    await until(folder.backups, within_s=60)
    stopping.set()
    await work


async def test_the_service_migrates_after_a_backup_and_says_so(
    empty_database: str, processes: Processes, folder: Folder
) -> None:
    await migrate(empty_database, steps=migrations()[:1])
    running = await processes.start(
        "backup",
        "--nightly",
        port_variable="REPRISE_METRICS_PORT",
        ready_path="/readyz",
        environment={"DATABASE_URL": empty_database, "REPRISE_BACKUP_DIR": str(folder.path)},
    )
    (backup,) = folder.backups()
    assert backup.reason == "migration"
    assert await running.stop() == 0, running.output()
