"""The database to back up or to restore into, and where its spool and its backups lie."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from reprise.backup.folder import Folder
from reprise.backup.problems import CannotRestore
from reprise.standalone.attach import attach
from reprise.standalone.instance import is_running, only_instance
from reprise.standalone.layout import prepare
from reprise.standalone.postgres import Postgres
from shared.config import Config, Secret


def spool_of(config: Config) -> Path:
    """Where this machine's receivers keep what Postgres couldn't take (ingest/app.py)."""
    return config.data_dir.expanduser().absolute() / "spool"


def folder_of(config: Config, to: Path | None = None) -> Folder:
    """The folder of backups: the one asked for, the configured one, or `backups` in the data directory."""
    return Folder(to or config.backup_dir or config.data_dir / "backups")


@asynccontextmanager
async def database(config: Config, *, to_restore: bool = False) -> AsyncIterator[Config]:
    """The config with a database_url that answers: the configured server, that of the running `reprise up`, or
    our own, started for as long as the block lasts.

    Raises CannotStart for a data directory that can't be used, CannotRestore where a running `up` is in the way.
    """
    if config.database_url is not None:
        yield config
        return
    layout = prepare(config.data_dir)
    if is_running(layout):
        if to_restore:
            raise CannotRestore(
                f"a `reprise up` runs on {layout.data_dir}, and its database is in use. Stop it, and restore again"
            )
        if attached := attach(config):
            yield attached.config
            return
    with only_instance(layout):
        server = Postgres(layout)
        try:
            await server.start()
            yield replace(config, database_url=Secret(server.dsn))
        finally:
            await server.stop()
            layout.tidy()
