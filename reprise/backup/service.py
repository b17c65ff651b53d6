"""The process behind nightly backups: it also migrates, with a backup before it, and shows the age of the newest."""

from __future__ import annotations

import asyncio
import signal

import structlog

from reprise.backup.automatic import measure, nightly
from reprise.backup.before import migrate_after_backup
from reprise.backup.place import folder_of
from shared.config import Config
from shared.errors import ConfigError, ConfigFault, RepriseError, Unavailable
from shared.postgres.faults import POSTGRES_FAULTS
from shared.telemetry.exposition import start_metrics_server

log = structlog.get_logger("backup")

_RETRY_S = 1.0
_LONGEST_PAUSE_S = 10.0


async def serve(config: Config) -> None:
    """Migrate once Postgres answers, then back up every night, until SIGTERM or SIGINT.

    /readyz is 200 once the schema is that of this release, so that others can wait for it.
    """
    if config.database_url is None:
        fault = ConfigFault(
            "DATABASE_URL", "is unset", "Name a Postgres, or use `reprise up`, which backs up by itself"
        )
        raise ConfigError([fault])
    stopping, migrated = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)

    async def schema() -> str:
        if not migrated.is_set():
            raise Unavailable("not migrated yet")
        return "up to date"

    server = await start_metrics_server(config.host, config.metrics_port, {"schema": schema})
    measure(folder_of(config))
    log.info("backup.ready", metrics_port=server.port, folder=str(folder_of(config).path), hour=config.backup_hour)
    work = asyncio.create_task(_work(config, stopping, migrated))
    asked = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait({work, asked}, return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            await work
    finally:
        asked.cancel()
        work.cancel()  # a backup under way is removed; the next start makes it good
        await asyncio.gather(work, return_exceptions=True)
        await server.close()
    log.info("backup.stopped")


async def _work(config: Config, stopping: asyncio.Event, migrated: asyncio.Event) -> None:
    said, pause_s = "", _RETRY_S
    while not stopping.is_set():
        try:
            await migrate_after_backup(config, log.info)
        except (*POSTGRES_FAULTS, RepriseError) as error:
            if repr(error) != said:
                said = repr(error)
                log.error("backup.not_migrated", error=said)
                pause_s = _RETRY_S
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)  # a backup that fails takes its time and its room
        else:
            break
    migrated.set()
    await nightly(config, stopping=stopping)
