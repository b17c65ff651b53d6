"""Keep a delivery, whatever is down behind us: straight into Postgres, or by way of the spool, never out of order."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple, Protocol
from uuid import UUID

import structlog

from ingest.appender import Appender
from ingest.draining import Drain
from ingest.schema import Schema
from ingest.spool import Spool, SpoolFull
from shared.errors import Unavailable
from shared.eventlog.event import Delivery
from shared.telemetry.metrics import SPOOL_BYTES, SPOOL_FULL, SPOOL_OLDEST_SECONDS, SPOOLING

_log = structlog.get_logger("ingest.intake")

_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 1.0
_ADOPT_EVERY_S = 15.0
# So few are drained in an instant; meanwhile new ones wait in memory, or the spool would never be empty.
_HOLD_FROM = 200
_HOLD_LIMIT_S = 0.5
_GOODBYE_S = 5.0


class Kept(NamedTuple):
    """Where a delivery went: the event it became, or the spool on its way there (then duplicate isn't known yet)."""

    event_id: UUID
    duplicate: bool = False
    spooled: bool = False


class Keeps(Protocol):
    """What the receiver needs: returns once the delivery is on a disk, and raises one of our errors if it can't be."""

    async def keep(self, delivery: Delivery, /) -> Kept: ...


@dataclass(frozen=True, slots=True)
class State:
    """How the intake is: whether it would keep a delivery now, and a line each on what it needs for that."""

    status: str
    would_keep: bool
    lines: Mapping[str, str]


class Intake:
    """Two ways into the log, one at a time: direct while the spool is empty and Postgres is well, else spooling.

    It begins spooling, and whatever fails leads back there; draining the spool to its end is what leads to direct.
    """

    def __init__(self, appender: Appender, spool: Spool, drain: Drain, schema: Schema) -> None:
        self._appender = appender
        self._spool = spool
        self._drain = drain
        self._schema = schema
        self._direct = False
        self._postgres_takes = False
        self._reason = "not looked at yet"
        self._since = time.monotonic()
        self._wanted = asyncio.Event()
        self._wanted.set()
        self._held: asyncio.Event | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Open the spool, and begin to look after Postgres in the background."""
        await self._spool.open()
        work = {"schema": self._schema.bring_up(), "drain": self._keep_draining(), "adopt": self._keep_adopting()}
        self._tasks = [asyncio.create_task(job, name=name) for name, job in work.items()]

    async def keep(self, delivery: Delivery) -> Kept:
        """Return once it is committed or fsynced. Raises SpoolFull or Unavailable; then nothing was acknowledged."""
        while self._held is not None:
            await self._held.wait()
        if self._direct:
            try:
                return Kept(*await self._appender.append(delivery))
            except Unavailable as error:
                self.turn_aside(error.message)
        try:
            await self._spool.write(delivery)
        except Unavailable:
            if not self._postgres_takes:
                raise
            # Postgres is being caught up with; being too early there (the log is sorted by id) beats being refused.
            return Kept(*await self._appender.append(delivery))
        return Kept(delivery.id, spooled=True)

    def turn_aside(self, reason: str) -> None:
        """Spool from now on, until Postgres has taken all that is spooled."""
        if self._direct:
            self._direct = False
            self._reason = reason
            self._since = time.monotonic()
            _log.warning("intake.spooling", reason=reason)
        self._wanted.set()

    def state(self) -> State:
        """For /readyz; asks nobody."""
        trouble = self._spool.trouble
        if self._spool.empty:
            says = "empty"
        else:
            says = f"{self._spool.size_bytes} bytes, the oldest {self._oldest_s():.0f} s old"
        lines = {"schema": self._schema.says, "spool": says if trouble is None else f"unusable: {trouble.message}"}
        if self._direct:
            return State("ready", would_keep=True, lines=lines)
        lines["spooling_because"] = self._reason if self._schema.ready else "the schema isn't ready"
        if trouble is None:
            return State("spooling", would_keep=True, lines=lines)
        return State("catching up" if self._postgres_takes else "not ready", self._postgres_takes, lines)

    def measure(self) -> None:
        """Set the gauges, which only matter when somebody looks."""
        SPOOLING.set(not self._direct)
        SPOOL_BYTES.set(self._spool.size_bytes)
        SPOOL_OLDEST_SECONDS.set(self._oldest_s())
        SPOOL_FULL.set(not self._direct and not self._postgres_takes and isinstance(self._spool.trouble, SpoolFull))

    async def close(self) -> None:
        """Finish what is under way. What is spooled stays for the next process."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            # Saying goodbye to a Postgres that hangs would take for ever.
            await asyncio.wait(self._tasks, timeout=_GOODBYE_S)
        await self._appender.close()
        self._drain.close()
        await self._spool.close()

    def _oldest_s(self) -> float:
        oldest = self._spool.oldest_at
        return 0.0 if oldest is None else max(0.0, (datetime.now(UTC) - oldest).total_seconds())

    async def _keep_draining(self) -> None:
        await self._schema.wait()
        pause_s = _FIRST_PAUSE_S
        while True:
            await self._wanted.wait()
            try:
                await self._catch_up()
                pause_s = _FIRST_PAUSE_S
                continue
            except Unavailable as error:
                self._reason = error.message
            except TimeoutError:
                self._reason = "Postgres is slow"
            except Exception:  # noqa: BLE001 - logged with its traceback, and tried again
                _log.exception("intake.drain_failed")
            self._postgres_takes = False
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    async def _catch_up(self) -> None:
        """Drain until nothing is left, then go direct."""
        self._wanted.clear()
        drained = 0
        try:
            await self._drain.probe()
            self._postgres_takes = True
            while not self._spool.holds_at_most(_HOLD_FROM):
                drained += await self._drain.one_segment()
            self._held = asyncio.Event()
            async with asyncio.timeout(_HOLD_LIMIT_S):
                await self._spool.written()
                while not self._spool.empty:
                    drained += await self._drain.one_segment()
        except BaseException:
            self._wanted.set()
            raise
        else:
            self._go_direct(drained)
        finally:
            if self._held is not None:
                self._held.set()
                self._held = None

    def _go_direct(self, drained: int) -> None:
        if not self._direct:
            self._direct = True
            _log.info("intake.direct", drained=drained, after_s=round(time.monotonic() - self._since, 3))

    async def _keep_adopting(self) -> None:
        while True:
            await asyncio.sleep(_ADOPT_EVERY_S)
            try:
                if await self._spool.adopt():
                    self.turn_aside("another receiver left deliveries behind")
            except Unavailable as error:
                _log.warning("spool.unusable", reason=error.message)
