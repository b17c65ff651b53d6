"""Real servers and real processes to be killed, paused and started again."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg

from reprise.standalone.layout import Layout, prepare
from reprise.standalone.postgres import Postgres
from reprise.standalone.process import Child, spawn
from reprise.standalone.valkey import Valkey
from shared.postgres.migrate import migrate
from tests.harness.processes import clean_environment, free_port
from tests.harness.servers import PostgresServer

_READY_WITHIN_S = 40.0
_POLL_S = 0.05


@dataclass(slots=True)
class Servers:
    """A durable Postgres (fsync on, on a real disk) and a Valkey."""

    layout: Layout
    postgres: Postgres
    valkey: Valkey
    databases: PostgresServer

    async def kill_postgres(self) -> None:
        """kill -9 of the postmaster."""
        assert self.postgres.pid is not None
        os.kill(self.postgres.pid, signal.SIGKILL)
        await self.postgres.wait()

    async def query(self, dsn: str, statement: str, *arguments: Any) -> list[asyncpg.Record]:
        """Rows by a connection of its own, straight to the server."""
        connection = await asyncpg.connect(dsn, timeout=5)
        try:
            return list(await connection.fetch(statement, *arguments, timeout=20))
        finally:
            await connection.close(timeout=5)


@asynccontextmanager
async def servers() -> AsyncIterator[Servers]:
    """Start both on the disk of the temporary folder; all of it is removed afterwards."""
    layout = _new_layout()
    postgres, valkey = Postgres(layout, durable=True), Valkey(layout)
    try:
        await postgres.start()
        await valkey.start()
        found = PostgresServer(postgres, "reprise_faults_template")
        async with asyncio.timeout(60):
            connection = await asyncpg.connect(found.admin_dsn)
            await connection.execute(f"CREATE DATABASE {found.template} OWNER reprise")
            await connection.close()
            await migrate(found.dsn(found.template))
        yield Servers(layout, postgres, valkey, found)
    finally:
        await valkey.stop()
        await postgres.stop()
        shutil.rmtree(layout.data_dir.parent)
        shutil.rmtree(layout.sockets, ignore_errors=True)


def _new_layout() -> Layout:
    base = Path(tempfile.mkdtemp(prefix=f"reprise-test-{os.getpid()}-"))
    base.chmod(0o711)
    return prepare(base / "data")


@dataclass(slots=True)
class Member:
    """One `python -m reprise ingest|worker`, at the same address whenever it is started again."""

    kind: str
    environment: dict[str, str]
    log: Path
    port: int = field(default_factory=free_port)
    child: Child | None = None
    command: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def running(self) -> bool:
        return self.child is not None and self.child.exit_code is None

    def start(self) -> None:
        """Start it without waiting."""
        variable = "REPRISE_PORT" if self.kind == "ingest" else "REPRISE_METRICS_PORT"
        with self.log.open("ab") as output:
            self.child = spawn(
                self.kind,
                [*self.command, sys.executable, "-m", "reprise", self.kind],
                env=clean_environment() | self.environment | {variable: str(self.port)},
                death_signal=signal.SIGKILL,
                output=output,
            )

    async def ready(self) -> None:
        """Return when it answers."""
        path = "/readyz" if self.kind == "ingest" else "/metrics"
        ends = time.monotonic() + _READY_WITHIN_S
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=3)) as http:
            while True:
                try:
                    async with http.get(self.url + path) as answer:
                        if answer.status == 200:
                            return
                except (aiohttp.ClientError, TimeoutError):
                    pass
                if time.monotonic() > ends or not self.running:
                    raise AssertionError(f"{self.kind} isn't ready:\n{self.log.read_text()[-3000:]}")
                await asyncio.sleep(_POLL_S)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, if it runs."""
        if self.child is not None and self.running:
            self.child.popen.send_signal(number)

    async def kill(self) -> None:
        """kill -9, and wait until it is gone."""
        if self.child is not None:
            await self.child.stop((signal.SIGKILL, None))

    async def stop(self) -> int:
        """SIGTERM; its exit code, or -9 when it didn't end within its grace period."""
        if self.child is None:
            return 0
        return await self.child.stop((signal.SIGTERM, timedelta(seconds=25)), (signal.SIGKILL, None))
