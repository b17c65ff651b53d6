"""The servers that everything is measured on: our own embedded Postgres, with fsync, on a disk, and Valkey."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from reprise.standalone.layout import Layout, prepare
from reprise.standalone.postgres import ROLE, Postgres
from reprise.standalone.valkey import Valkey
from shared.config import Config, Secret
from shared.postgres.migrate import migrate

SECRET = "webhook-secret-of-the-benchmarks"


@dataclass(frozen=True, slots=True)
class Servers:
    """Both servers, running."""

    layout: Layout
    postgres: Postgres
    valkey: Valkey

    @asynccontextmanager
    async def database(self, name: str) -> AsyncIterator[str]:
        """The DSN of a fresh database with this release's schema, dropped afterwards."""
        dsn = urlunsplit(urlsplit(self.postgres.dsn)._replace(path=f"/{name}"))
        await self.administer(f"CREATE DATABASE {name} OWNER {ROLE}")
        try:
            await migrate(dsn)
            yield dsn
        finally:
            await self.administer(f"DROP DATABASE {name} WITH (FORCE)")

    async def administer(self, statement: str) -> None:
        connection = await asyncpg.connect(self.postgres.admin_dsn)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    def config(self, dsn: str, *, name: str) -> Config:
        """What a process on that database is configured with: as in production, without peers. Ports are free ones."""
        return Config(
            database_url=Secret(dsn),
            redis_url=Secret(self.valkey.url),
            host="127.0.0.1",
            port=0,
            metrics_port=0,
            data_dir=self.layout.data_dir / name,
            admin_token=Secret("admin-token-of-the-benchmarks"),
            webhook_secret=Secret(SECRET),
            secret_key=Secret("secret-key-of-the-benchmarks-0123456789"),
            log_format="json",
        )


@asynccontextmanager
async def running(*, durable: bool = True) -> AsyncIterator[Servers]:
    """Start both in a temporary folder on a disk, and leave nothing behind."""
    base = _folder()
    layout = prepare(base / "data")
    postgres, valkey = Postgres(layout, durable=durable), Valkey(layout)
    try:
        await postgres.start()
        await valkey.start()
        yield Servers(layout, postgres, valkey)
    finally:
        await valkey.stop()
        await postgres.stop()
        shutil.rmtree(base)
        layout.tidy()


def _folder() -> Path:
    """A fresh folder in a place that outlives a reboot, and so is on a disk: in memory an fsync costs nothing."""
    lasting = Path("/var/tmp")
    on_disk = lasting.is_dir() and os.access(lasting, os.W_OK | os.X_OK)
    made = Path(tempfile.mkdtemp(prefix="reprise-bench-", dir=lasting if on_disk else None))
    made.chmod(0o711)  # the servers' user passes through
    return made
