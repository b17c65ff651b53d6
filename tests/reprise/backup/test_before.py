"""Before the schema is changed there is a backup; where nothing is changed, there is none."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from reprise.backup.archive import Reading
from reprise.backup.before import back_up_before, migrate_after_backup
from reprise.backup.folder import Folder
from reprise.backup.problems import BackupFailed
from shared.config import Config, Secret
from shared.postgres.baseline import Unrecognised
from shared.postgres.ledger import status
from shared.postgres.migrate import MigrationFailed, migrate, migrations
from shared.postgres.pool import connect

STEPS = migrations()


@pytest.fixture
def config(config: Config, empty_database: str, folder: Folder) -> Config:
    """On the empty database."""
    return replace(config, database_url=Secret(empty_database), backup_dir=folder.path)


async def sql(dsn: str, statement: str) -> None:
    connection = await connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def versions(folder: Folder) -> list[int]:
    """The schema that each backup holds, oldest first."""
    found = []
    for backup in folder.backups():
        with Reading(backup.path) as archive:
            assert backup.reason == archive.manifest.reason == "migration"
            found.append(archive.manifest.schema_version)
    return found


async def test_nothing_is_in_it_and_then_nothing_is_pending(config: Config, folder: Folder) -> None:
    lines: list[str] = []
    assert (await migrate_after_backup(config, lines.append)).up_to_date
    assert (await migrate_after_backup(config, lines.append)).up_to_date
    assert folder.backups() == []
    assert not [line for line in lines if "[BACKUP]" in line]


async def test_it_holds_what_was_there_before(empty_database: str, config: Config, folder: Folder) -> None:
    await migrate(empty_database, steps=STEPS[:1])
    lines: list[str] = []
    assert (await migrate_after_backup(config, lines.append)).up_to_date
    assert versions(folder) == [1]
    assert lines[0] == f"[BACKUP] {len(STEPS) - 1} migrations are pending: a backup first"


async def test_turned_off(empty_database: str, config: Config, folder: Folder) -> None:
    await migrate(empty_database, steps=STEPS[:1])
    assert (await migrate_after_backup(replace(config, backup_hour=None))).up_to_date
    assert folder.backups() == []


async def test_what_is_refused_is_not_backed_up_at_every_try(
    empty_database: str, config: Config, folder: Folder
) -> None:
    await migrate(empty_database)
    await sql(empty_database, "DROP TABLE schema_migrations; ALTER TABLE peers DROP COLUMN history_id")
    with pytest.raises(Unrecognised):
        await migrate_after_backup(config)
    assert folder.backups() == []


async def test_what_is_only_recognised_is_not_backed_up(empty_database: str, config: Config, folder: Folder) -> None:
    await migrate(empty_database)
    await sql(empty_database, "DROP TABLE schema_migrations")
    assert (await migrate_after_backup(config)).baselined
    assert folder.backups() == []


async def test_a_migration_that_fails_again_and_again_doesnt_push_out_the_others(
    empty_database: str, config: Config, folder: Folder
) -> None:
    await migrate(empty_database, steps=STEPS[:1])
    await back_up_before(config, print, why="a change of version 1")
    await migrate(empty_database, steps=STEPS[:2])
    await sql(empty_database, "CREATE TYPE commands AS ENUM ()")  # in the way of migration 3
    first = None
    for _ in range(4):
        with pytest.raises(MigrationFailed):
            await migrate_after_backup(config)
        first = first or folder.backups()[-1]
    assert versions(folder) == [1, 2, 2]
    assert first == folder.backups()[1]


async def test_ten_at_once_wait_for_the_backup_of_one_and_apply_each_migration_once(
    empty_database: str, config: Config, folder: Folder
) -> None:
    await migrate(empty_database, steps=STEPS[:1])
    lines: list[str] = []
    found = await asyncio.gather(*(migrate_after_backup(config, lines.append) for _ in range(10)))
    assert all(one.up_to_date for one in found)
    assert versions(folder)[0] == 1
    # Who comes between the first one's backup and its migration makes another.
    assert len(folder.backups()) < 5
    for step in STEPS[1:]:
        assert sum(f"{step.version:04d} {step.name} applied" in line for line in lines) == 1


async def test_back_and_forth_every_one_is_kept(empty_database: str, config: Config, folder: Folder) -> None:
    """Only the first holds what the first way back took away."""
    for version in (1, 2, 1, 2):
        await sql(empty_database, "DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        await migrate(empty_database, steps=STEPS[:version])
        await back_up_before(config, print, why="back or forth")
    assert versions(folder) == [1, 2, 1, 2]


async def test_without_a_backup_nothing_is_migrated(empty_database: str, config: Config, tmp_path: Path) -> None:
    await migrate(empty_database, steps=STEPS[:1])
    (tmp_path / "file").touch()
    in_vain = replace(config, backup_dir=tmp_path / "file" / "below")
    with pytest.raises(BackupFailed, match=r"Nothing was changed.*REPRISE_BACKUP_HOUR=off"):
        await migrate_after_backup(in_vain)
    connection = await connect(empty_database)
    assert (await status(connection)).applied == (1,)
    await connection.close()
