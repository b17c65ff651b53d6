"""The real Postgres and Valkey for a test session, started the way `reprise up` starts them."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import psutil

from reprise.standalone.layout import Layout, prepare
from reprise.standalone.postgres import ROLE, Postgres
from reprise.standalone.valkey import Valkey
from shared.postgres.migrate import migrate

T = TypeVar("T")

_PLENTY_BYTES = 2_000_000_000
_PREFIX = "reprise-test-"
_TEMPLATE = "reprise_template"


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A running server. Databases are cloned from a template that has this release's schema."""

    postgres: Postgres
    template: str

    @property
    def admin_dsn(self) -> str:
        """The superuser, at the database `postgres`."""
        return self.postgres.admin_dsn

    def dsn(self, database: str) -> str:
        """The role that Reprise uses, which is no superuser, at `database`."""
        return urlunsplit(urlsplit(self.postgres.dsn)._replace(path=f"/{database}"))

    @asynccontextmanager
    async def new_database(self, *, migrated: bool = True) -> AsyncIterator[str]:
        """The DSN of a fresh database, dropped afterwards with whatever is still connected to it."""
        name = f"test_{uuid.uuid4().hex}"
        source = self.template if migrated else "template0"
        # Copying files costs half of what logging every page of them does, which is only worth it where they are large.
        await self._admin(f"CREATE DATABASE {name} TEMPLATE {source} OWNER {ROLE} STRATEGY FILE_COPY")
        try:
            yield self.dsn(name)
        finally:
            await self._admin(f"DROP DATABASE {name} WITH (FORCE)")

    async def _admin(self, statement: str) -> None:
        connection = await asyncpg.connect(self.admin_dsn)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


@contextmanager
def temporary_layout() -> Iterator[Layout]:
    """A data directory that the unprivileged servers' user can reach, removed afterwards with its sockets."""
    folder = _fast_folder() or Path(tempfile.gettempdir())
    _sweep(folder)
    base = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=folder))
    base.chmod(0o711)
    layout = prepare(base / "data")
    try:
        yield layout
    finally:
        shutil.rmtree(base)
        shutil.rmtree(layout.sockets, ignore_errors=True)  # where it lies outside


def _fast_folder() -> Path | None:
    """Shared memory where there is plenty (a clone makes 300 files), else None, the usual temporary folder."""
    memory = Path("/dev/shm")
    plenty = memory.is_dir() and shutil.disk_usage(memory).free > _PLENTY_BYTES
    return memory if plenty and os.access(memory, os.W_OK | os.X_OK) else None


def _sweep(folder: Path) -> None:
    """Remove what a session left that was killed: its servers ended with it, its files can't."""
    for left in folder.glob(f"{_PREFIX}*-*"):
        pid = left.name.removeprefix(_PREFIX).split("-")[0]
        if pid.isdigit() and left.stat().st_uid == os.geteuid() and not psutil.pid_exists(int(pid)):
            shutil.rmtree(left, ignore_errors=True)


@contextmanager
def run_postgres(layout: Layout) -> Iterator[PostgresServer]:
    """Start Postgres without fsync, and make the template."""
    server = Postgres(layout, durable=False)
    _run(server.start())
    try:
        found = PostgresServer(server, _TEMPLATE)
        _run(_make_template(found))
        yield found
    finally:
        _run(server.stop())


@contextmanager
def run_valkey(layout: Layout) -> Iterator[Valkey]:
    """Start Valkey with the usual 16 databases."""
    server = Valkey(layout, databases=16)
    _run(server.start())
    try:
        yield server
    finally:
        _run(server.stop())


async def _make_template(server: PostgresServer) -> None:
    await _cheap_password(server)
    await server._admin(f"CREATE DATABASE {_TEMPLATE} OWNER {ROLE}")
    await migrate(server.dsn(_TEMPLATE))


async def _cheap_password(server: PostgresServer) -> None:
    """Every test connects anew; let that cost one round of hashing, and not 4,096."""
    dsn = urlsplit(server.postgres.dsn)
    once = "SELECT set_config(name, '1', false) FROM pg_settings WHERE name = 'scram_iterations'"  # from 16 on
    await server._admin(f"{once}; ALTER ROLE {ROLE} PASSWORD '{dsn.password}'")


def _run(work: Coroutine[Any, Any, T]) -> T:
    """Run it in a loop of its own, leaving the loop of pytest-asyncio where it is (asyncio.run wouldn't)."""
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()
