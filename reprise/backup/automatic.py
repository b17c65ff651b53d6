"""Backups that nobody has to think of, every night; those before a change are in before.py."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import structlog

from reprise.backup.dump import back_up
from reprise.backup.folder import Folder
from reprise.backup.place import folder_of, spool_of
from shared.config import Config
from shared.errors import RepriseError
from shared.postgres.faults import POSTGRES_FAULTS
from shared.postgres.pool import connect
from shared.postgres.queries import load
from shared.telemetry.metrics import BACKUP_AGE_SECONDS, BACKUPS

_AGAIN_AFTER = timedelta(minutes=15)
_LOOK_EVERY_S = 60.0

log = structlog.get_logger("backup")


async def nightly(config: Config, *, stopping: asyncio.Event) -> None:
    """Make one every night at the hour, prove it by restoring it, keep the newest; until told to stop.

    A night that was slept through (the machine was off) is made good at once. A failure is said, and tried again.
    """
    folder = folder_of(config)
    not_before = datetime.now(UTC)
    while not stopping.is_set():
        measure(folder)
        now = datetime.now(UTC)
        if now >= not_before and config.backup_hour is not None:
            since = await _since(config, folder)
            if since is not None and is_due(since, config.backup_hour, now.astimezone()):
                not_before = now + _AGAIN_AFTER
                await _one(config, folder)
                measure(folder)
        try:
            async with asyncio.timeout(_LOOK_EVERY_S):
                await stopping.wait()
        except TimeoutError:
            continue


async def _one(config: Config, folder: Folder) -> None:
    assert config.database_url is not None
    try:
        made = await back_up(
            config.database_url.reveal(),
            folder,
            spool=spool_of(config),
            reason="nightly",
            thorough=True,
            say=lambda line: log.info("backup.progress", says=line),
        )
    except POSTGRES_FAULTS as error:
        BACKUPS.inc(result="failed")
        log.warning("backup.postgres_away", error=repr(error))
    except RepriseError as error:
        BACKUPS.inc(result="failed")
        log.error("backup.failed", error=error.message, again_in_s=_AGAIN_AFTER.total_seconds())
    except Exception:
        BACKUPS.inc(result="failed")
        log.exception("backup.failed", again_in_s=_AGAIN_AFTER.total_seconds())
    else:
        BACKUPS.inc(result="made")
        gone = folder.prune()
        log.info("backup.made", path=str(made.path), size_bytes=made.size_bytes, proof=made.proof, removed=len(gone))


async def _since(config: Config, folder: Folder) -> datetime | None:
    """When the newest backup was made, else when the schema was; None while there is none, or it can't be known."""
    if newest := folder.newest():
        return newest.made_at
    assert config.database_url is not None
    try:
        connection = await connect(config.database_url.reveal(), application_name="reprise backup")
        try:
            rows = await connection.fetch(load("migrate")["ledger"])
        finally:
            await connection.close()
    except (*POSTGRES_FAULTS, asyncpg.UndefinedTableError):
        return None
    return min((row["applied_at"] for row in rows), default=None)


def is_due(since: datetime, hour: int, now: datetime) -> bool:
    """Whether the latest time that was `hour` o'clock (of now's own zone) came after `since`."""
    latest = now.replace(hour=hour, minute=0, second=0, microsecond=0)
    if latest > now:
        latest -= timedelta(days=1)
    return since < latest


def measure(folder: Folder) -> None:
    """Bring the age of the newest backup up to date; without any there is none to tell."""
    if newest := folder.newest():
        BACKUP_AGE_SECONDS.set(max(0.0, (datetime.now(UTC) - newest.made_at).total_seconds()))
