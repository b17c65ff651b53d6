"""The embedded Valkey: wake-ups, locks and cache, on a private socket; losing it loses nothing but time."""

from __future__ import annotations

import asyncio
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog
from redis.asyncio import Redis
from redis.exceptions import BusyLoadingError, ConnectionError, RedisError

from reprise.standalone import binaries
from reprise.standalone.account import own
from reprise.standalone.cluster import SERVER_ENV
from reprise.standalone.layout import Layout
from reprise.standalone.problems import CannotStart
from reprise.standalone.process import Child, end_leftover, runs_with, spawn

log = structlog.get_logger(__name__)

_POLL_S = 0.02
_LARGEST_LOG_BYTES = 5_000_000
# Only keys with an expiry (cache, and locks that merely save work) may be dropped when memory runs out, never
# the queue of wake-ups. The working directory is the data folder, which is reached from anywhere as "./".
_CONFIGURATION = """\
port 0
unixsocket {socket}
unixsocketperm 700
requirepass {password}
dir ./
appendonly yes
appendfsync everysec
save ""
maxmemory 48mb
maxmemory-policy volatile-lru
databases {databases}
daemonize no
logfile ""
loglevel notice
always-show-logo no
set-proc-title no
"""


class Valkey:
    """One server in a data directory. `databases` is more than one only for tests."""

    name = "valkey"

    def __init__(self, layout: Layout, *, databases: int = 1) -> None:
        self._layout = layout
        self._databases = databases
        self._child: Child | None = None

    @property
    def socket(self) -> Path:
        return self._layout.sockets / "valkey.sock"

    @property
    def url(self) -> str:
        """What redis-py and arq connect with."""
        return f"unix://:{self._layout.kept_secret('valkey_password')}@{self.socket}?db=0"

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child else None

    async def start(self) -> None:
        """Start it, and return when it answers. A journal that it can't read is put aside: nothing needs it.

        Raises CannotStart when the server gives up by itself.
        """
        program = binaries.valkey_server(self._layout.account)
        await self._end_leftover()
        try:
            if await self._start_server(program):
                return
            complaint = self._last_words()
            if any(self._layout.valkey.iterdir()):
                aside = self._layout.valkey.with_name(f"valkey.broken-{datetime.now(UTC):%Y%m%dT%H%M%S}")
                self._layout.valkey.rename(aside)
                log.warning("valkey.journal_put_aside", path=str(aside), reason=complaint.splitlines()[-3:])
                if await self._start_server(program):
                    return
            raise CannotStart(f"Valkey ended while starting; its log {self._log_file} ends with:\n{complaint}")
        except BaseException:
            await self.stop()
            raise

    async def wait(self) -> int:
        """Wait until the server ends."""
        if self._child is None:
            raise CannotStart("Valkey isn't started")
        return await self._child.wait()

    async def stop(self, hurry: asyncio.Event | None = None) -> None:
        """Let it write its journal out and end; `hurry` may cost the last second of wake-ups."""
        if self._child is None:
            return
        await self._child.stop((signal.SIGTERM, timedelta(seconds=30)), (signal.SIGKILL, None), hurry=hurry)
        self._child = None
        self._layout.forget_pid(self.name)

    @property
    def _log_file(self) -> Path:
        return self._layout.logs / "valkey.log"

    async def _start_server(self, program: Path) -> bool:
        """True when it answers, False when it ended."""
        self._layout.valkey.mkdir(mode=0o700, exist_ok=True)
        own(self._layout.valkey, self._layout.account, mode=0o700)
        self.socket.unlink(missing_ok=True)
        if self._log_file.exists() and self._log_file.stat().st_size > _LARGEST_LOG_BYTES:
            self._log_file.replace(self._log_file.with_suffix(".log.1"))
        configuration = _CONFIGURATION.format(
            socket=self.socket,
            password=self._layout.kept_secret("valkey_password"),
            databases=self._databases,
        )
        with self._log_file.open("ab") as output:
            child = self._child = spawn(
                self.name,
                # Configured over stdin, because arguments can be read by others. The one argument does nothing:
                # by it we know the server again.
                [program, "-", "--syslog-ident", self._layout.data_dir],
                env=SERVER_ENV,
                account=self._layout.account,
                cwd=self._layout.valkey,
                stdin=configuration.encode(),
                output=output,
            )
        self._layout.write_pid(self.name, child.pid)
        return await self._answers(child)

    async def _answers(self, child: Child) -> bool:
        ended = asyncio.ensure_future(child.wait())
        client = Redis.from_url(self.url)
        try:
            while not ended.done():
                try:
                    await client.ping()
                except (ConnectionError, BusyLoadingError):  # not yet listening, or reading its journal
                    await asyncio.wait({ended}, timeout=_POLL_S)
                except RedisError as error:
                    raise CannotStart(f"Valkey doesn't accept us: {error}") from error
                else:
                    return True
            return False
        finally:
            ended.cancel()
            await client.aclose()

    async def _end_leftover(self) -> None:
        """Stop a server that outlived its supervisor: two of them would spoil one journal."""
        pid = self._layout.read_pid(self.name)
        if pid is None or not self._layout.valkey.exists():
            return
        await end_leftover(
            self.name,
            pid,
            lambda: runs_with(pid, str(self._layout.data_dir)),
            (signal.SIGTERM, timedelta(seconds=30)),
            (signal.SIGKILL, None),
        )

    def _last_words(self) -> str:
        with self._log_file.open("rb") as file:
            file.seek(max(0, self._log_file.stat().st_size - 2000))
            return file.read().decode(errors="replace").strip()
