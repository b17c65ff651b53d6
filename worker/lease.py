"""The exclusive right to run a command, and the clock that says how long it still lasts."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import asyncpg
import msgspec
import structlog

from shared.acquisition.commands import KINDS, Command
from shared.errors import RepriseError
from shared.postgres.pool import Connection, Pool
from shared.postgres.queries import load
from shared.postgres.text import storable

_Q = load("commands")
# How long a command waits for a worker that vanished. A living one renews it, however long its effect takes, so it need
# only be longer than one call that changes a peer (MAX_CHANGE_S in worker/clients/http.py) and a few missed renewals.
LEASE = timedelta(seconds=20)
RENEW_EVERY_S = 2.0
# Left over after an effect's last call, for writing down its result.
_MARGIN_S = 2.0
_KINDS = list(KINDS)

log = structlog.get_logger("worker.lease")


class LeaseLost(RepriseError):  # noqa: N818 - an outcome, like the others in shared/errors.py
    """Another worker may have taken over: nothing may be sent or settled any more."""

    code = "lease_lost"


@dataclass(slots=True)
class Term:
    """Until when a lease is surely ours, by the monotonic clock; renewals prolong it."""

    ends_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Claimed:
    """A command that we run. fence is checked whenever it is settled or renewed; age is how long ago it was ordered."""

    id: UUID
    command: Command
    acquisition_id: UUID | None
    attempts: int
    fence: int
    age: timedelta
    term: Term = field(default_factory=Term)

    def must_outlast(self, seconds: float) -> None:
        """Call this just before sending anything that changes a peer. Raises LeaseLost where time is too short.

        A process that was paused notices here: the monotonic clock went on.
        """
        if time.monotonic() + seconds + _MARGIN_S > self.term.ends_at:
            raise LeaseLost(f"the lease on {type(self.command).__name__} ends before a call of {seconds:.0f} s could")


async def claim(pool: Pool) -> Claimed | None:
    """Lease the command that is due the longest, or None. The lease counts from before the claim was sent."""
    for _ in range(5):
        asked_at = time.monotonic()
        try:
            row = await pool.fetchrow(_Q["claim"], LEASE, _KINDS)
        except asyncpg.UniqueViolationError:
            continue  # another worker runs a command of the same acquisition since a moment ago
        if row is None:
            return None
        try:
            return _claimed(row, asked_at + LEASE.total_seconds())
        except msgspec.ValidationError as error:
            await _bury(pool, row, error)
    return None


async def renew(pool: Pool, claimed: Claimed) -> None:
    """Prolong the lease. Raises LeaseLost if it is no longer ours; then must_outlast refuses from now on."""
    asked_at = time.monotonic()
    if await pool.fetchval(_Q["renew"], claimed.id, claimed.fence, LEASE) is None:
        claimed.term.ends_at = 0.0
        raise LeaseLost("the command was taken over by another worker")
    claimed.term.ends_at = asked_at + LEASE.total_seconds()


async def next_due_s(pool: Pool) -> float | None:
    """Seconds until the next command is due (negative: overdue), or None."""
    value: float | None = await pool.fetchval(_Q["next_due"], _KINDS)
    return value


async def finish(
    connection: Connection, claimed: Claimed, state: str, *, reason: str | None = None, error: str | None = None
) -> None:
    """End a command as done or dead. Raises LeaseLost if it is no longer ours."""
    attempts = claimed.attempts + (state == "dead")
    why = (reason and storable(reason), error and storable(error))
    if await connection.fetchval(_Q["finish"], claimed.id, claimed.fence, state, attempts, *why) is None:
        raise LeaseLost("the command was taken over by another worker")


async def again(connection: Connection, claimed: Claimed, *, after: timedelta, spent: bool, error: str | None) -> None:
    """Give a command back, to be run after a while. Raises LeaseLost if it is no longer ours."""
    attempts = claimed.attempts + spent
    error = error and storable(error)
    if await connection.fetchval(_Q["again"], claimed.id, claimed.fence, attempts, after, error) is None:
        raise LeaseLost("the command was taken over by another worker")


async def expired(connection: Connection) -> list[Claimed]:
    """Commands whose lease ended without result, locked until the transaction ends."""
    found = []
    for row in await connection.fetch(_Q["expired"], _KINDS):
        try:
            found.append(_claimed(row, 0.0))
        except msgspec.ValidationError as error:
            await _bury(connection, row, error)
    return found


async def _bury(connection: Connection | Pool, row: asyncpg.Record, error: msgspec.ValidationError) -> None:
    """End a command that can't be read, so that it doesn't stand in the way of those that can."""
    log.error("command.unreadable", command_id=str(row["id"]), error=str(error))
    reason = storable(f"its arguments can't be read: {error}")
    await connection.fetchval(_Q["finish"], row["id"], row["fence"], "dead", row["attempts"], reason, None)


def _claimed(row: asyncpg.Record, ends_at: float) -> Claimed:
    return Claimed(
        id=row["id"],
        command=msgspec.convert(row["args"], Command),
        acquisition_id=row["acquisition_id"],
        attempts=row["attempts"],
        fence=row["fence"],
        age=row["age"],
        term=Term(ends_at),
    )
