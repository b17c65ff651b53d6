"""What no wake-up announces: expired leases, what was parked too long, looks that are due, and the gauges."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import structlog

from shared.acquisition import choosing
from shared.acquisition.acts import own_delivery
from shared.acquisition.commands import ObservePeer, WakeLidarr, coalesce_key
from shared.acquisition.findings import SourceAppeared, WantedRequested
from shared.acquisition.model import Context
from shared.acquisition.steps import NO_SOURCE
from shared.acquisition.store import make_peers
from shared.eventlog import store as eventlog
from shared.eventlog.event import REPRISE
from shared.eventlog.identity import uuid7
from shared.postgres.faults import POSTGRES_FAULTS
from shared.postgres.pool import Pool
from shared.postgres.queries import load
from shared.settings.registry import Settings
from shared.telemetry import metrics
from worker import runs
from worker.drain import Offer
from worker.execute import MAX_ATTEMPTS, failure_of
from worker.lease import again, expired, finish
from worker.observe.pace import LOOK_EVERY
from worker.observe.timed import PeerName

PARKED_AT_MOST = timedelta(days=7)
KEEP_COMMANDS = timedelta(days=7)
# By the clock Lidarr's wanted list is asked for as by whoever names nobody, and so much of it at a time.
WANTED_BY = "me"
WANTED_AT_ONCE = 20
# Whoever starts a fleet starts the receiver, too, and a test that doesn't reach it makes things worse.
WAKE_AFTER_S = 5.0
_TICK_S = 1.0

_Q = load("sweep")
_COMMANDS = load("commands")
log = structlog.get_logger("worker.sweep")


@dataclass(frozen=True, slots=True)
class _Duty:
    """Something to be done every so often, for the first time so long after the start."""

    name: str
    every_s: Callable[[], float]
    do: Callable[[], Awaitable[None]]
    first_after_s: float = 0.0


class Sweep:
    """One process's sweep. Every worker has one; each duty is safe to be done by several."""

    def __init__(
        self,
        pool: Pool,
        offer: Offer,
        *,
        settings: Callable[[], Settings],
        lidarr: bool,
        slskd: bool = False,
    ) -> None:
        self._pool = pool
        self._offer = offer
        self._settings = settings
        self._lidarr, self._slskd = lidarr, slskd
        self._peers: tuple[PeerName, ...] = (*(("lidarr",) if lidarr else ()), *(("slskd",) if slskd else ()))
        self._away = False
        self._woke_lidarr = False
        self._duties = [
            _Duty("rescue", lambda: 2.0, self.rescue),
            _Duty("measure", lambda: 5.0, self.measure),
            _Duty("tidy", lambda: 60.0, self.tidy),
        ]
        if self._peers:
            self._duties.append(_Duty("resume", lambda: 30.0, self.resume_without_source))
            self._duties.append(_Duty("observe", lambda: 1.0, self.observe))
        if lidarr:
            self._duties.append(_Duty("wanted", lambda: 5.0, self.ask_for_wanted))
            self._duties.append(_Duty("wake", lambda: 5.0, self.wake_lidarr, first_after_s=WAKE_AFTER_S))

    async def run(self) -> None:
        """Do every duty at its time, until cancelled; one that fails is said, and done again at its next time."""
        loop = asyncio.get_running_loop()
        await self._do(_Duty("mended", lambda: 0.0, self.try_what_was_misconfigured))
        due_at = {duty.name: loop.time() + duty.first_after_s for duty in self._duties}
        while True:
            for duty in self._duties:
                if loop.time() >= due_at[duty.name]:
                    due_at[duty.name] = loop.time() + duty.every_s()
                    await self._do(duty)
            await asyncio.sleep(_TICK_S)

    async def _do(self, duty: _Duty) -> None:
        try:
            await duty.do()
        except POSTGRES_FAULTS as error:
            if not self._away:
                log.warning("sweep.postgres_away", duty=duty.name, error=repr(error))
            self._away = True
        except Exception as error:
            log.error("sweep.failed", duty=duty.name, exc_info=error)
        else:
            if self._away:
                log.info("sweep.postgres_back")
            self._away = False

    async def rescue(self) -> None:
        """Take back what vanished workers held: commands whose lease ended, and events that were being folded."""
        async with self._pool.acquire() as connection, connection.transaction():
            for claimed in await expired(connection):
                kind = type(claimed.command).__name__
                dead = claimed.attempts + 1 >= MAX_ATTEMPTS
                log.warning("command.rescued", command_id=str(claimed.id), kind=kind, dead=dead)
                if not dead:
                    await again(
                        connection, claimed, after=timedelta(0), spent=True, error="its worker vanished or was paused"
                    )
                    continue
                reason = f"its worker vanished or was paused; that was attempt {claimed.attempts + 1} of {MAX_ATTEMPTS}"
                await finish(connection, claimed, "dead", reason=reason)
                if deliveries := failure_of(claimed, reason):
                    await eventlog.append(connection, deliveries)
        if await runs.rescue(self._pool):
            self._offer("drain")
        self._offer("execute")

    async def try_what_was_misconfigured(self) -> None:
        """At the start: a person may have mended the key or the address that a peer didn't take."""
        if (await self._pool.execute(_COMMANDS["mended"])) != "UPDATE 0":
            self._offer("execute")

    async def tidy(self) -> None:
        """Settle what has been parked too long, and drop finished commands."""
        async with self._pool.acquire() as connection:
            gone = await eventlog.expire_parked(
                connection,
                older_than=PARKED_AT_MOST,
                reason=f"nothing that it belongs to appeared in {PARKED_AT_MOST.days} days",
            )
            await connection.execute(_COMMANDS["purge"], KEEP_COMMANDS)
        if gone:
            log.info("events.expired", count=gone)

    async def resume_without_source(self) -> None:
        """Set going again what found no source when it was asked for, once there is one."""
        wherever = Context(
            now=datetime.now(UTC), cause=uuid4(), settings=self._settings(), lidarr=self._lidarr, slskd=self._slskd
        )
        if not choosing.sources(wherever):
            return
        async with self._pool.acquire() as connection, connection.transaction():
            waiting = await connection.fetch(_Q["without_source"], NO_SOURCE)
            if not waiting:
                return
            signals = [SourceAppeared(acquisition_id=row["id"]) for row in waiting]
            await eventlog.append(connection, [own_delivery(signal, source=REPRISE) for signal in signals])
        self._offer("drain")

    async def observe(self) -> None:
        """Order a look at each peer whose last one is too old."""
        usual = timedelta(seconds=self._settings().observe_interval)
        fast = [min(LOOK_EVERY[peer], usual) for peer in self._peers]
        for row in await self._pool.fetch(_Q["looks_due"], list(self._peers), fast, usual, NO_SOURCE):
            await self._order(ObservePeer(peer=row["name"]))

    async def _order(self, command: ObservePeer | WakeLidarr) -> None:
        """Order something, unless it waits or runs already."""
        async with self._pool.acquire() as connection:
            await connection.execute(
                _COMMANDS["order_by_clock"], uuid4(), type(command).__name__, coalesce_key(command), command
            )
        self._offer("execute")

    async def wake_lidarr(self) -> None:
        """Once, after we have been away perhaps: let Lidarr find that we are there, which ends its back-off."""
        if self._woke_lidarr:
            return
        await self._order(WakeLidarr())
        self._woke_lidarr = True

    async def ask_for_wanted(self) -> None:
        """Ask for what Lidarr misses, once in every wanted_interval, whichever worker does it."""
        interval = self._settings().wanted_interval
        if not interval:
            return
        wish = WantedRequested(
            user_id=WANTED_BY, limit=WANTED_AT_ONCE, batch_event_id=uuid7(), label="Lidarr's wanted list"
        )
        async with self._pool.acquire() as connection, connection.transaction():
            await make_peers(connection, ["lidarr"])
            turn = await connection.fetchval(_Q["wanted_turn"], "lidarr", timedelta(seconds=interval))
            if turn is None:
                return
            await eventlog.append(connection, [own_delivery(wish, source=REPRISE)])
        self._offer("drain")

    async def measure(self) -> None:
        """Bring the gauges of work up to date."""
        async with self._pool.acquire() as connection:
            row = await connection.fetchrow(_Q["backlog"])
            jobs = await connection.fetch(_Q["jobs"])
            peers = await connection.fetch(_Q["silent"], list(self._peers))
        metrics.BACKLOG_EVENTS.set(row["waiting"])
        metrics.PARKED_EVENTS.set(row["parked"])
        metrics.DEAD_EVENTS.set(row["dead"])
        metrics.OLDEST_UNPROCESSED_SECONDS.set(row["oldest_s"])
        metrics.JOBS.replace({(job["source"], job["state"]): job["count"] for job in jobs})
        metrics.SOURCE_SILENT.replace({(peer["name"],): float(peer["silent"]) for peer in peers})
