"""Which events are being folded, so that one which kills its worker is found out and harms only itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import structlog

from shared.eventlog import store as eventlog
from shared.eventlog.event import EventState, Settlement
from shared.postgres.pool import Connection, Pool
from shared.postgres.queries import load

_Q = load("runs")
# A fold takes milliseconds; one that is older is looked at.
SUSPECT_AFTER = timedelta(seconds=10)
# So often may a worker vanish while folding this one event alone, before the event is dead.
DEADLY_AFTER = 3
_VANISHED = "a worker vanished while folding it among others"
_VANISHED_ALONE = "a worker vanished while folding it alone"

log = structlog.get_logger("worker.runs")


@asynccontextmanager
async def noted(pool: Pool, connection: Connection, events: Sequence[UUID]) -> AsyncIterator[None]:
    """Note that these events are being folded; connection holds their claims.

    The note is committed at once on a connection of its own, and goes with the fold's own commit, or when the
    fold fails and this process lives to say so.
    """
    run = uuid4()
    await pool.execute(_Q["open"], run, list(events))
    try:
        yield
        await connection.execute(_Q["close"], run)
    except Exception:
        await pool.execute(_Q["close"], run)
        raise


async def rescue(pool: Pool) -> int:
    """Have whatever vanished workers held folded one by one; an event that was alone is blamed. Answers how many."""
    found = 0
    async with pool.acquire() as connection, connection.transaction():
        for run in await connection.fetch(_Q["suspects"], SUSPECT_AFTER):
            held = await connection.fetch(_Q["abandoned"], run["event_ids"])
            was_alone = len(run["event_ids"]) == 1
            await eventlog.settle(connection, [_verdict(row, was_alone=was_alone) for row in held])
            if held or await _all_settled(connection, run["event_ids"]):
                await connection.execute(_Q["close"], run["id"])
            if held:
                found += len(held)
                log.warning("fold.worker_vanished", events=len(held), event_id=str(held[0]["event_id"]))
    return found


async def _all_settled(connection: Connection, events: Sequence[UUID]) -> bool:
    return not await connection.fetchval(_Q["any_waiting"], list(events))


def _verdict(row: asyncpg.Record, *, was_alone: bool) -> Settlement:
    """Folded alone from now on; dead, if a worker vanished over it alone too often.

    Attempts that failed otherwise count, too, but never for the only one over which a worker vanished.
    """
    attempts: int = row["attempts"] + was_alone
    error = _VANISHED_ALONE if was_alone else _VANISHED
    if was_alone and attempts >= DEADLY_AFTER and row["last_error"] == _VANISHED_ALONE:
        reason = f"{error}, again and again; this was attempt {attempts}"
        return Settlement(row["event_id"], EventState.DEAD, reason=reason, last_error=reason, attempts=attempts)
    return Settlement(
        row["event_id"], EventState.WAITING, last_error=error, attempts=attempts, due_at=datetime.now(UTC), alone=True
    )
