"""Claim due events, hand them to the fold, settle: until nothing is due any more."""

from __future__ import annotations

import asyncio
import random
import time
import traceback
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeAlias
from uuid import UUID

import asyncpg
import structlog

from shared.acquisition.fold import Folded, Folding
from shared.errors import GiveUp, StepAside, TryLater
from shared.eventlog import store as eventlog
from shared.eventlog.event import Event, EventState, Settlement
from shared.postgres.faults import POSTGRES_FAULTS
from shared.postgres.pool import Pool
from shared.taskqueue import Kind
from shared.telemetry import metrics
from worker import runs

BATCH = 200
MAX_ATTEMPTS = 8
# How long a wake-up that was lost can delay what it announced.
LOOK_EVERY_S = 1.0
_LONGEST_DELAY = timedelta(hours=1)
_STEP_ASIDE = timedelta(seconds=30)

# Two folds met; nobody is to blame and nothing is spent.
_RACES = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
# Of the faults that look like Postgres', those that an event can be to blame for.
_TOO_SLOW = (TimeoutError, asyncpg.QueryCanceledError)

log = structlog.get_logger("worker.drain")


Offer: TypeAlias = Callable[[Kind], object]


async def woken_within(woken: asyncio.Event, seconds: float) -> None:
    """Return when woken, or when the time is over."""
    try:
        async with asyncio.timeout(seconds):
            await woken.wait()
    except TimeoutError:
        return


def backoff(attempts: int) -> timedelta:
    """1, 2, 4, … seconds up to an hour, each with up to half more or less, so that a crowd spreads out."""
    base = min(timedelta(seconds=2 ** min(attempts - 1, 20)), _LONGEST_DELAY)
    return base * random.uniform(0.5, 1.5)  # noqa: S311 - spreads load, guards nothing


class Drain:
    """One process's drain: it folds whenever it is woken, and looks once a second in case a wake-up was lost."""

    def __init__(self, pool: Pool, folding: Folding, offer: Offer, *, batch: int = BATCH) -> None:
        self._pool = pool
        self._folding = folding
        self._offer = offer
        self._batch = batch
        self._woken = asyncio.Event()
        self._stopping = False

    def wake(self) -> None:
        """There may be events that are due."""
        self._woken.set()

    async def woken(self) -> None:
        """The same, as a handler of the queue."""
        self.wake()

    def stop(self) -> None:
        """Claim nothing more."""
        self._stopping = True
        self._woken.set()

    async def run(self) -> None:
        """Fold until stopped; a batch that is under way then is finished."""
        away = False
        while not self._stopping:
            self._woken.clear()
            try:
                await self.drain()
            except POSTGRES_FAULTS as error:
                # Whatever was claimed is free again: its transaction is gone.
                if not away:
                    log.warning("drain.postgres_away", error=repr(error))
                away = True
            except Exception:
                # Whatever it was, a drain that ends is worse.
                log.exception("drain.failed")
            else:
                if away:
                    log.info("drain.postgres_back")
                away = False
            await woken_within(self._woken, LOOK_EVERY_S)

    async def drain(self) -> None:
        """Fold until nothing is due. Raises when Postgres is away."""
        while not self._stopping:
            alone = await self._fold_due(limit=1, alone=True)
            together = await self._fold_due(limit=self._batch, alone=False)
            if not (alone or together):
                return
            if together == self._batch:
                # A backlog: call the other workers, too.
                self._offer("drain")

    async def _fold_due(self, *, limit: int, alone: bool) -> int:
        """Fold one batch in one transaction; answers how many events it was."""
        if self._stopping:
            return 0
        events: list[Event] = []
        started = time.perf_counter()
        try:
            async with self._pool.acquire() as connection, connection.transaction():
                events = await eventlog.claim(connection, limit=limit, alone=alone)
                if not events:
                    return 0
                async with runs.noted(self._pool, connection, [event.id for event in events]):
                    folded = await self._folding.fold(connection, events)
        except _RACES:
            return len(events)
        except POSTGRES_FAULTS as error:
            if not (events and isinstance(error, _TOO_SLOW)):
                raise
            await self._failed(events, error)
            return len(events)
        except Exception as error:
            # Whatever an event breaks, only that event pays.
            if not events:
                raise
            await self._failed(events, error)
            return len(events)
        self._settled(events, folded, time.perf_counter() - started)
        return len(events)

    def _settled(self, events: Sequence[Event], folded: Folded, seconds: float) -> None:
        metrics.FOLD_SECONDS.observe(seconds)
        metrics.FOLD_BATCH_SIZE.observe(len(events))
        for event, settlement in zip(events, folded.settlements, strict=True):
            _report(event, settlement, seconds / len(events))
        if folded.ordered:
            self._offer("execute")

    async def _failed(self, events: Sequence[Event], error: Exception) -> None:
        """A batch that failed is folded one by one; an event that fails by itself waits, or is dead."""
        if len(events) > 1:
            log.warning("fold.batch_failed", events=len(events), error=repr(error))
            await self._isolate([event.id for event in events])
            return
        event = events[0]
        settlement = _verdict(event, error)
        async with self._pool.acquire() as connection, connection.transaction():
            if await eventlog.claim_these(connection, [event.id]):
                await eventlog.settle(connection, [settlement])
        if isinstance(error, StepAside):
            log.info("fold.stepped_aside", event_id=str(event.id), reason=error.message)
        else:
            log.error("fold.failed", event_id=str(event.id), exc_info=error)
        _report(event, settlement, 0.0)

    async def _isolate(self, ids: Sequence[UUID]) -> None:
        async with self._pool.acquire() as connection:
            await eventlog.isolate(connection, ids)


def _verdict(event: Event, error: Exception) -> Settlement:
    """What becomes of an event that failed by itself: later, or dead with its reason."""
    now = datetime.now(UTC)
    text = "".join(traceback.format_exception(error))[-8000:]
    attempts = event.attempts + 1
    match error:
        case StepAside(after=after):
            return _again(event, now + (after or _STEP_ASIDE), event.attempts, text)
        case GiveUp():
            return Settlement(event.id, EventState.DEAD, reason=str(error), last_error=text, attempts=attempts)
        case _ if attempts >= MAX_ATTEMPTS:
            reason = f"failed {attempts} times: {error!r}"[:500]
            return Settlement(event.id, EventState.DEAD, reason=reason, last_error=text, attempts=attempts)
        case TryLater(after=timedelta() as after):
            return _again(event, now + after, attempts, text)
        case _:
            return _again(event, now + backoff(attempts), attempts, text)


def _again(event: Event, due_at: datetime, attempts: int, error: str) -> Settlement:
    return Settlement(event.id, EventState.WAITING, last_error=error, attempts=attempts, due_at=due_at, alone=True)


def _report(event: Event, settlement: Settlement, seconds: float) -> None:
    """One wide line and the metrics of one attempt."""
    outcome = "retried" if settlement.state is EventState.WAITING else settlement.state.value
    metrics.EVENTS_SETTLED.inc(source=event.source, outcome=outcome)
    if settlement.state in (EventState.PROCESSED, EventState.IGNORED, EventState.DEAD):
        metrics.EVENT_ATTEMPTS.observe(settlement.attempts + (settlement.state is not EventState.DEAD))
    log.info(
        "event.settled",
        event_id=str(event.id),
        source=event.source,
        type=event.type,
        attempt=event.attempts + 1,
        outcome=outcome,
        reason=settlement.reason,
        duration_ms=round(seconds * 1000, 2),
        correlation_id=event.correlation_id,
    )
