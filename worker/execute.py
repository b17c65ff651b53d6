"""Claim a command, perform its effect, append the result and settle: all under a lease and its fence."""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import TypeVar

import asyncpg
import structlog

from shared.acquisition.acts import own_delivery
from shared.acquisition.commands import KINDS, coalesce_key
from shared.acquisition.findings import CommandFailed
from shared.errors import GiveUp, StepAside, TryLater, Unavailable
from shared.eventlog import store as eventlog
from shared.eventlog.event import REPRISE, Delivery
from shared.locks import Locks
from shared.postgres.faults import POSTGRES_FAULTS
from shared.postgres.pool import lent
from shared.postgres.text import storable
from shared.telemetry import metrics
from worker.clients.answers import PeerMisconfigured
from worker.clients.http import MAX_CHANGE_S
from worker.drain import LOOK_EVERY_S, Offer, backoff, woken_within
from worker.effects import EFFECTS
from worker.effects.effect import Found, Tools
from worker.lease import RENEW_EVERY_S, Claimed, LeaseLost, again, claim, finish, next_due_s, renew

SLOTS = 8
MAX_ATTEMPTS = 6
_LOCK_TTL = timedelta(seconds=30)
_LOCKED_AGAIN_AFTER = timedelta(seconds=1)
_SHORTEST_WAIT_S = 0.02
_POSTGRES_AWAY_S = 1.0
_GIVE_BACK_WITHIN_S = 2.0

# Two transactions met; nobody is to blame.
_RACES = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)

T = TypeVar("T")

metrics.COMMAND_KINDS.add(*KINDS)
log = structlog.get_logger("worker.execute")


class Executor:
    """One process's executor: up to SLOTS commands at a time, begun as soon as they are due."""

    def __init__(self, tools: Tools, locks: Locks, offer: Offer, *, slots: int = SLOTS) -> None:
        self._tools = tools
        self._locks = locks
        self._offer = offer
        self._slots = slots
        self._running: set[asyncio.Task[None]] = set()
        self._complained_of: set[str] = set()
        self._woken = asyncio.Event()
        self._stopping = asyncio.Event()

    def wake(self) -> None:
        """There may be commands that are due."""
        self._woken.set()

    async def woken(self) -> None:
        """The same, as a handler of the queue."""
        self.wake()

    async def run(self) -> None:
        """Claim and run commands until stopped; then end when those that run have ended.

        Cancelled, it breaks them off; they give back what they had claimed.
        """
        try:
            await self._claim_until_stopped()
            if self._running:
                await asyncio.wait(self._running)
        finally:
            running = list(self._running)
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _claim_until_stopped(self) -> None:
        away = False
        while not self._stopping.is_set():
            self._woken.clear()
            try:
                wait_s = await self._fill_slots()
            except POSTGRES_FAULTS as error:
                if not away:
                    log.warning("execute.postgres_away", error=repr(error))
                away, wait_s = True, _POSTGRES_AWAY_S
            except Exception:
                log.exception("execute.not_claimed")
                wait_s = _POSTGRES_AWAY_S
            else:
                if away:
                    log.info("execute.postgres_back")
                away = False
            await woken_within(self._woken, wait_s)

    def stop(self) -> None:
        """Claim nothing more."""
        self._stopping.set()
        self._woken.set()

    async def _fill_slots(self) -> float:
        """Begin what is due, and tell how long to wait for more."""
        while len(self._running) < self._slots and not self._stopping.is_set():
            claimed = await claim(self._tools.pool)
            if claimed is None:
                due_s = await next_due_s(self._tools.pool)
                return LOOK_EVERY_S if due_s is None else min(max(due_s, _SHORTEST_WAIT_S), LOOK_EVERY_S)
            if self._stopping.is_set():
                # Told to stop while the claim was under way: nothing has been begun yet.
                await self._again(claimed, timedelta(0), spent=False, error=None)
                return LOOK_EVERY_S
            task = asyncio.create_task(self._run_one(claimed), name=f"command {claimed.id}")
            self._running.add(task)
            task.add_done_callback(self._ended)
        return LOOK_EVERY_S

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._woken.set()
        if not task.cancelled() and (error := task.exception()):
            log.error("execute.failed", exc_info=error)

    async def _run_one(self, claimed: Claimed) -> None:
        """One attempt at one command, reported in one line whatever came of it."""
        started = time.perf_counter()
        kind = type(claimed.command).__name__
        keeping = asyncio.create_task(self._keep_lease(claimed), name=f"lease {claimed.id}")
        try:
            outcome, note = await self._attempt(claimed)
        except LeaseLost as lost:
            outcome, note = "stale", str(lost)
        except asyncio.CancelledError:
            await self._give_back(claimed)
            raise
        finally:
            keeping.cancel()
        seconds = time.perf_counter() - started
        metrics.COMMANDS.inc(kind=kind, outcome=outcome)
        metrics.COMMAND_SECONDS.observe(seconds, kind=kind)
        log.info(
            "command.settled",
            command_id=str(claimed.id),
            kind=kind,
            attempt=claimed.attempts + 1,
            outcome=outcome,
            note=note,
            duration_ms=round(seconds * 1000, 1),
            acquisition_id=str(claimed.acquisition_id) if claimed.acquisition_id else None,
        )

    async def _attempt(self, claimed: Claimed) -> tuple[str, str | None]:
        try:
            found = await self._perform(claimed)
        except Exception as error:  # noqa: BLE001 - one match decides what it means
            failure = error
            return await self._written(lambda: self._settle_failure(claimed, failure))
        try:
            await self._written(lambda: self._settle(claimed, found))
        except LeaseLost:
            raise
        except Exception as error:  # noqa: BLE001 - what was found can't be kept: the command pays, and says so
            failure = error
            return await self._written(lambda: self._settle_failure(claimed, failure))
        return "done", None

    async def _give_back(self, claimed: Claimed) -> None:
        """Let another worker have it, once what was sent can no longer be on its way; no attempt is spent."""
        after = timedelta(seconds=MAX_CHANGE_S)
        with suppress(LeaseLost, *POSTGRES_FAULTS):  # then its lease ends by itself
            said = "its worker was told to stop"
            await self._again(claimed, after, spent=False, error=said, within_s=_GIVE_BACK_WITHIN_S)
        log.info("command.given_back", command_id=str(claimed.id), kind=type(claimed.command).__name__)

    async def _keep_lease(self, claimed: Claimed) -> None:
        """Renew until cancelled, or until the lease is lost; what isn't renewed ends by itself."""
        while True:
            await asyncio.sleep(RENEW_EVERY_S)
            try:
                await renew(self._tools.pool, claimed)
            except LeaseLost:
                return  # the effect finds out before it sends, and the fence before anything is settled
            except POSTGRES_FAULTS:
                continue

    async def _written(self, write: Callable[[], Awaitable[T]]) -> T:
        """Write down what became of a command, however long Postgres is away; the fence tells whether it counts."""
        said = False
        while True:
            try:
                return await write()
            except POSTGRES_FAULTS as error:
                if not said:
                    log.warning("execute.result_waits", error=repr(error))
                said = True
            except _RACES:
                continue
            await asyncio.sleep(_POSTGRES_AWAY_S)

    async def _perform(self, claimed: Claimed) -> Found:
        """Perform the effect under the lock of what it is about."""
        name = str(claimed.acquisition_id or coalesce_key(claimed.command) or claimed.id)
        async with self._locks.hold(name, _LOCK_TTL) as lock:
            if lock is None:
                raise StepAside("somebody else is at work on it", after=_LOCKED_AGAIN_AFTER)
            return await EFFECTS[type(claimed.command)](claimed.command, claimed, self._tools)

    async def _settle(self, claimed: Claimed, found: Found) -> None:
        """Append what was found and end the command, in one transaction, if the lease is still ours."""
        deliveries = [*found.deliveries, *(own_delivery(signal, source=REPRISE) for signal in found.signals)]
        async with self._tools.pool.acquire() as connection, connection.transaction():
            await finish(connection, claimed, "done")
            if deliveries:
                await eventlog.append(connection, deliveries)
            if found.also and (follows := await found.also(connection)):
                deliveries += [own_delivery(signal, source=REPRISE) for signal in follows]
                await eventlog.append(connection, deliveries[-len(follows) :])
        if deliveries:
            self._offer("drain")

    async def _settle_failure(self, claimed: Claimed, error: Exception) -> tuple[str, str | None]:
        """One match decides what an error means for its command."""
        match error:
            case LeaseLost():
                # Most likely it only grew short while Postgres didn't answer. If it's another's, this is refused, too.
                await self._again(claimed, _LOCKED_AGAIN_AFTER, spent=False, error=str(error))
                return "stepped_aside", str(error)
            case PeerMisconfigured(after=after):
                if str(error) not in self._complained_of:
                    self._complained_of.add(str(error))
                    log.warning("peer.misconfigured", error=str(error))
                await self._again(claimed, after, spent=False, error=str(error))
                return "stepped_aside", str(error)
            case StepAside(after=after):
                await self._again(claimed, after, spent=False, error=str(error))
                return "stepped_aside", str(error)
            case Unavailable(after=after):
                await self._again(claimed, after or _LOCKED_AGAIN_AFTER, spent=False, error=str(error))
                return "stepped_aside", str(error)
            case GiveUp():
                await self._dead(claimed, str(error), error)
                return "dead", str(error)
            case _ if isinstance(error, POSTGRES_FAULTS):
                await self._again(claimed, timedelta(seconds=_POSTGRES_AWAY_S), spent=False, error=repr(error))
                return "stepped_aside", repr(error)
            case _ if claimed.attempts + 1 >= MAX_ATTEMPTS:
                await self._dead(claimed, f"failed {MAX_ATTEMPTS} times: {error}"[:500], error)
                return "dead", repr(error)
            case TryLater(after=after):
                wait = backoff(claimed.attempts + 1) if after is None else after
                await self._again(claimed, wait, spent=True, error=str(error))
                return "retried", str(error)
            case _:
                log.error("command.failed", command_id=str(claimed.id), exc_info=error)
                text = "".join(traceback.format_exception(error))[-8000:]
                await self._again(claimed, backoff(claimed.attempts + 1), spent=True, error=text)
                return "retried", repr(error)

    async def _again(
        self, claimed: Claimed, after: timedelta, *, spent: bool, error: str | None, within_s: float | None = None
    ) -> None:
        async with lent(self._tools.pool, within_s=within_s) as connection:
            try:
                await again(connection, claimed, after=after, spent=spent, error=error)
            except asyncpg.UniqueViolationError:
                # Another command with the same key began to wait at this moment: now it can be seen.
                await again(connection, claimed, after=after, spent=spent, error=error)

    async def _dead(self, claimed: Claimed, reason: str, error: Exception) -> None:
        text = "".join(traceback.format_exception(error))[-8000:]
        async with self._tools.pool.acquire() as connection, connection.transaction():
            await finish(connection, claimed, "dead", reason=reason, error=text)
            if deliveries := failure_of(claimed, reason):
                await eventlog.append(connection, deliveries)
        self._offer("drain")


def failure_of(claimed: Claimed, reason: str) -> list[Delivery]:
    """The event that says a command ended dead; none where it belonged to no acquisition."""
    if claimed.acquisition_id is None:
        return []
    failed = CommandFailed(
        acquisition_id=claimed.acquisition_id,
        attempt=getattr(claimed.command, "attempt", None),
        command=type(claimed.command).__name__,
        reason=storable(reason),
    )
    return [own_delivery(failed, source=REPRISE)]
