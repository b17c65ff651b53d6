"""The embedded Postgres: started by us, patient with crash recovery, stopped in its own time."""

from __future__ import annotations

import asyncio
import signal
import time
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import asyncpg
import structlog

from reprise.standalone import binaries, cluster
from reprise.standalone.account import own
from reprise.standalone.layout import Layout
from reprise.standalone.problems import CannotStart
from reprise.standalone.process import Child, end_leftover, runs_with, spawn

log = structlog.get_logger(__name__)

ROLE = "reprise"
DATABASE = "reprise"

_POLL_S = 0.03
_REPORT_EVERY_S = 5.0
_LARGEST_LOG_BYTES = 5_000_000
# Said while processes of a killed server are still on their way out (sysv_shmem.c, miscinit.c).
_STILL_LEAVING = ("pre-existing shared memory block", "is another postmaster", "is another postgres")
_LEAVING_PATIENCE_S = 60.0

# Sized for a small machine that also runs Lidarr; whoever wants more sets DATABASE_URL to their own server.
_SETTINGS = {
    "listen_addresses": "",
    "port": "5432",
    "unix_socket_permissions": "0700",
    "password_encryption": "scram-sha-256",
    "shared_buffers": "64MB",
    "effective_cache_size": "256MB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "max_wal_size": "512MB",
    "max_connections": "100",
    "huge_pages": "off",
    "jit": "off",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "logging_collector": "off",
    "max_logical_replication_workers": "0",
    "cluster_name": "reprise",
}
_NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class Postgres:
    """One cluster in a data directory. `durable=False` is for tests: a power cut may destroy it.

    `programs` are those of another release than the wheel's.
    """

    name = "postgres"

    def __init__(self, layout: Layout, *, durable: bool = True, programs: Path | None = None) -> None:
        self._layout = layout
        self._programs = programs
        self._durable = durable
        self._child: Child | None = None

    @property
    def dsn(self) -> str:
        """What Reprise connects with: an ordinary role that owns its database, and is no superuser."""
        return self._dsn(ROLE, self._layout.kept_secret("database_password"), DATABASE)

    @property
    def admin_dsn(self) -> str:
        """The superuser, at the database `postgres`."""
        return self._dsn(cluster.SUPERUSER, self._layout.kept_secret("postgres_password"), "postgres")

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child else None

    async def start(self) -> None:
        """Start it, and return when it takes connections, however long crash recovery takes.

        Raises CannotStart when the server gives up by itself.
        """
        programs = self._programs or binaries.postgres_programs(self._layout.account)
        await self._end_leftover()
        await cluster.ensure_cluster(self._layout, programs, durable=self._durable)
        own(self._layout.postgres, self._layout.account, mode=0o700)
        try:
            await self._start_server(programs)
            await self._ensure_database()
        except BaseException:
            await self.stop()
            raise

    async def _start_server(self, programs: Path) -> None:
        patience_ends = time.monotonic() + _LEAVING_PATIENCE_S
        while True:
            child = self._child = self._spawn(programs)
            self._layout.write_pid(self.name, child.pid)
            if await self._ready(child):
                return
            complaint = self._last_words()
            leaving = any(words in complaint for words in _STILL_LEAVING)
            if not leaving or time.monotonic() > patience_ends:
                raise CannotStart(
                    f"Postgres ended while starting (exit code {child.exit_code}); "
                    f"its log {self._log_file} ends with:\n{complaint}"
                )
            await asyncio.sleep(0.5)

    async def wait(self) -> int:
        """Wait until the server ends."""
        if self._child is None:
            raise CannotStart("Postgres isn't started")
        return await self._child.wait()

    async def stop(self, hurry: asyncio.Event | None = None) -> None:
        """Fast shutdown, however long its checkpoint takes; `hurry` leaves that to the next start."""
        if self._child is None:
            return
        await self._child.stop(
            (signal.SIGINT, timedelta(minutes=5)),
            (signal.SIGQUIT, None),  # immediate shutdown: loses nothing, costs a recovery
            hurry=hurry,
        )
        self._child = None
        self._layout.forget_pid(self.name)

    @property
    def _marker(self) -> str:
        """An argument by which this server is known, whatever path led to its directory; SHOW tells it, too."""
        return f"--reprise.data_dir={self._layout.data_dir}"

    @property
    def _log_file(self) -> Path:
        return self._layout.logs / "postgres.log"

    def _dsn(self, role: str, password: str, database: str) -> str:
        return f"postgresql://{role}:{password}@/{database}?host={quote(str(self._layout.sockets))}&port=5432"

    def _spawn(self, programs: Path) -> Child:
        settings = _SETTINGS | ({} if self._durable else _NOT_DURABLE)
        settings["unix_socket_directories"] = str(self._layout.sockets)
        if self._log_file.exists() and self._log_file.stat().st_size > _LARGEST_LOG_BYTES:
            self._log_file.replace(self._log_file.with_suffix(".log.1"))
        with (
            cluster.reachable(self._layout.postgres, self._layout) as (path, fds),
            self._log_file.open("ab") as output,
        ):
            return spawn(
                self.name,
                [
                    programs / "postgres",
                    "-D",
                    path,
                    self._marker,
                    *(f"--{name}={value}" for name, value in settings.items()),
                ],
                env=cluster.SERVER_ENV,
                account=self._layout.account,
                cwd=self._layout.postgres,
                death_signal=signal.SIGINT,
                output=output,
                keep_fds=fds,
            )

    async def _ready(self, child: Child) -> bool:
        """True when it takes connections, by its own pid file as pg_ctl does it; False when it ended."""
        began = reported = time.monotonic()
        ended = asyncio.ensure_future(child.wait())
        try:
            while not ended.done():
                pid, status = self._pid_file()
                if pid == child.pid and status == "ready":
                    return True
                if time.monotonic() - reported > _REPORT_EVERY_S:
                    reported = time.monotonic()
                    log.info(
                        "postgres.starting",
                        waited_s=round(reported - began),
                        says=self._last_words().splitlines()[-1:],
                        hint="after a crash it replays its journal first; please let it finish",
                    )
                await asyncio.wait({ended}, timeout=_POLL_S)
            return False
        finally:
            ended.cancel()

    def _pid_file(self) -> tuple[int | None, str]:
        """The pid (line 1) and the status (line 8) of postmaster.pid (pidfile.h)."""
        try:
            lines = (self._layout.postgres / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return None, ""
        try:
            return int(lines[0]), lines[7].strip() if len(lines) > 7 else ""
        except (IndexError, ValueError):  # being written
            return None, ""

    async def _end_leftover(self) -> None:
        """Stop a postmaster that outlived its supervisor: nobody would look after it."""
        pid, _ = self._pid_file()
        if pid is None:
            return
        if not runs_with(pid, self._marker):
            # The number may belong to another process by now (containers count from 1), which would make
            # Postgres refuse. It still finds living backends of the old server by its shared memory.
            (self._layout.postgres / "postmaster.pid").unlink(missing_ok=True)
            return
        await end_leftover(
            self.name,
            pid,
            lambda: runs_with(pid, self._marker),
            (signal.SIGINT, None),  # it may be recovering, which takes its time
        )

    async def _ensure_database(self) -> None:
        connection = await asyncpg.connect(self.admin_dsn)
        try:
            password = self._layout.kept_secret("database_password")
            if not await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", ROLE):
                await connection.execute(f"CREATE ROLE {ROLE} LOGIN PASSWORD '{password}'")
            if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", DATABASE):
                await connection.execute(f"CREATE DATABASE {DATABASE} OWNER {ROLE}")
        finally:
            await connection.close()

    def _last_words(self) -> str:
        with self._log_file.open("rb") as file:
            file.seek(max(0, self._log_file.stat().st_size - 2000))
            return file.read().decode(errors="replace").strip()
