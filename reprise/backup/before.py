"""A backup before the schema is changed: upwards, back, or by repair."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from reprise.backup.archive import Reading
from reprise.backup.dump import Made, back_up
from reprise.backup.folder import Backup, Folder
from reprise.backup.place import folder_of, spool_of
from reprise.backup.problems import BackupDamaged, BackupFailed, BackupUnderWay
from shared.config import Config
from shared.postgres.migrate import Status, migrate
from shared.postgres.pool import connect
from shared.postgres.queries import load

Say = Callable[[str], None]

WITHOUT = "set REPRISE_BACKUP_HOUR=off to go without"

_Q = load("backup")
_POLL_S = 0.5


async def migrate_after_backup(config: Config, say: Say = lambda line: None, *, without: str = WITHOUT) -> Status:
    """Bring the database up to this release; if that changes one that holds something, there is a backup first.

    A schema that is refused is not backed up either. Raises BackupFailed, having changed nothing: better not to migrate
    than without a way back; `without` says how to do it all the same. Else as shared.postgres.migrate.
    """

    assert config.database_url is not None

    async def back(found: Status) -> None:
        count = len(found.pending)
        why = f"{count} migration{' is' if count == 1 else 's are'} pending"
        await back_up_before(config, say, why=why, without=without)

    return await migrate(config.database_url.reveal(), say, before_change=back)


async def back_up_before(config: Config, say: Say, *, why: str, without: str = WITHOUT) -> Made | None:
    """Back up what is about to be changed. None where nothing is in it, or REPRISE_BACKUP_HOUR=off turns this off.

    While another backup is under way it waits; None if that was for the same purpose, as of several processes that
    start at once. Raises BackupFailed.
    """
    if config.backup_hour is None:
        return None
    assert config.database_url is not None
    url, folder = config.database_url.reveal(), folder_of(config)
    connection = await connect(url, application_name="reprise backup")
    try:
        empty = not await connection.fetch(_Q["tables"])
    finally:
        await connection.close()
    if empty:
        return None
    say(f"[BACKUP] {why}: a backup first")
    known, said = {one.path for one in folder.backups()}, False
    while True:
        try:
            made = await back_up(url, folder, spool=spool_of(config), reason="migration", say=say)
        except BackupUnderWay:
            if not said:
                say("[BACKUP] another backup is under way: waiting for its end")
                said = True
            await asyncio.sleep(_POLL_S)
            if any(one.reason == "migration" and one.path not in known for one in folder.backups()):
                return None
        except (BackupFailed, BackupDamaged) as error:
            raise BackupFailed(f"{error.message}. Nothing was changed; put that right, or {without}") from error
        else:
            break
    _thin_out(folder, made)
    folder.prune()
    return made


def _thin_out(folder: Folder, made: Made) -> None:
    """Of those of one version in a row keep the first and the last.

    A migration that fails again and again mustn't push out the others; and what a way back has taken away may be in the
    first alone.
    """
    row: list[Backup] = []
    for backup in reversed([one for one in folder.backups() if one.reason == "migration" and one.path != made.path]):
        try:
            with Reading(backup.path) as archive:
                if archive.manifest.schema_version != made.manifest.schema_version:
                    break
        except BackupDamaged:
            break
        row.append(backup)
    for backup in row[:-1]:
        backup.path.unlink(missing_ok=True)
