"""People act by appending events, so that history shows who did what and why; the answer is the fold's own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from shared.acquisition.fold import Folded, Folding
from shared.acquisition.signals import Signal, encode
from shared.acquisition.workspace import Decision
from shared.eventlog import store as eventlog
from shared.eventlog.event import OPERATOR, Delivery, Settlement
from shared.eventlog.identity import uuid7
from shared.postgres.pool import Connection, Pool

# A person waits for the answer: without Postgres, or with all of its connections taken, it's better to say so soon.
ACQUIRE_S = 5.0


@dataclass(frozen=True, slots=True)
class Act:
    """What came of a person's act: its event, how that was settled, and the decisions it led to."""

    event_id: UUID
    settlement: Settlement
    folded: Folded

    @property
    def decisions(self) -> list[Decision]:
        return self.folded.work.decisions


def own_delivery(signal: Signal, *, source: str, correlation_id: str | None = None, id: UUID | None = None) -> Delivery:
    """A signal of our own on its way into the log. correlation_id defaults to its acquisition.

    id is for what must enter the log once, however often it is brought there.
    """
    about = getattr(signal, "acquisition_id", None)
    return Delivery(
        id=id or uuid7(),
        source=source,
        type=type(signal).__name__,
        body=encode(signal),
        received_at=datetime.now(UTC),
        correlation_id=correlation_id or (str(about) if about else None),
    )


async def act(pool: Pool, folding: Folding, signal: Signal) -> Act:
    """Append a person's act and fold it at once, in one transaction: either both happen or neither."""
    async with pool.acquire(timeout=ACQUIRE_S) as connection, connection.transaction():
        return await act_within(connection, folding, signal)


async def act_within(connection: Connection, folding: Folding, signal: Signal) -> Act:
    """The same inside the caller's transaction, together with what the act is the record of."""
    delivery = own_delivery(signal, source=OPERATOR)
    await eventlog.append(connection, [delivery])
    events = await eventlog.claim_these(connection, [delivery.id])
    folded = await folding.fold(connection, events)
    return Act(delivery.id, folded.settlements[0], folded)
