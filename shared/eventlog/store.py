"""Append, claim, settle: typed functions over sql/queries/eventlog.sql."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from shared.eventlog.event import Appended, Delivery, Event, EventState, Settlement
from shared.postgres.pool import Connection
from shared.postgres.queries import load
from shared.postgres.text import storable

_Q = load("eventlog")


async def append(connection: Connection, deliveries: Sequence[Delivery]) -> list[Appended]:
    """Append all deliveries in one statement; answers come in the same order.

    Repeating an append whose answer was lost is harmless: the id is the key. Deliveries with a known dedupe key
    are kept as folded deliveries of the first event.
    """
    rows = await connection.fetch(
        _Q["append"],
        [d.id for d in deliveries],
        [d.source for d in deliveries],
        [d.type for d in deliveries],
        [d.received_at for d in deliveries],
        [d.dedupe_key for d in deliveries],
        [d.correlation_id for d in deliveries],
        [d.body for d in deliveries],
    )
    first = {row["id"]: row["first_id"] for row in rows}
    return [Appended(first[d.id], duplicate=first[d.id] != d.id) for d in deliveries]


async def claim(connection: Connection, *, limit: int, alone: bool = False) -> list[Event]:
    """Claim due events for the length of the current transaction, oldest due first.

    The row lock is the claim: when the transaction ends in any way, whatever it did not settle is free again.
    alone picks events that must be folded by themselves.
    """
    return [_event(row) for row in await connection.fetch(_Q["claim"], limit, alone)]


async def claim_these(connection: Connection, ids: Sequence[UUID]) -> list[Event]:
    """Claim the given events where they still wait, whether due or not; others are left out."""
    return [_event(row) for row in await connection.fetch(_Q["claim_these"], list(ids))]


async def settle(connection: Connection, settlements: Iterable[Settlement]) -> None:
    """Write down what became of each event. The caller holds their claims."""
    rows, now = list(settlements), datetime.now(UTC)
    await connection.execute(
        _Q["settle"],
        [row.event_id for row in rows],
        [row.state.value for row in rows],
        [row.reason and storable(row.reason) for row in rows],
        [row.last_error and storable(row.last_error) for row in rows],
        [row.attempts for row in rows],
        # A duration, because our clock may be wrong, and events are claimed by Postgres'.
        [row.due_at - now if row.due_at else None for row in rows],
        ["\x1f".join(row.waits_for) if row.state is EventState.PARKED else None for row in rows],
        [row.alone for row in rows],
    )


async def isolate(connection: Connection, ids: Sequence[UUID]) -> None:
    """Have each of these events folded by itself from now on: one of them broke the batch they were in."""
    await connection.execute(_Q["isolate"], list(ids))


async def wake_parked(connection: Connection, keys: Sequence[str]) -> int:
    """Let every event that is parked for one of these bindings be folded again; answers how many."""
    return int((await connection.execute(_Q["wake_parked"], list(keys))).split()[-1])


async def expire_parked(connection: Connection, *, older_than: timedelta, reason: str) -> int:
    """Settle as ignored what has been parked for longer than older_than; answers how many."""
    return int((await connection.execute(_Q["expire_parked"], older_than, reason)).split()[-1])


async def event_of(connection: Connection, event_id: UUID) -> Event | None:
    """One event of the log, whatever its state, or None."""
    return next(iter(await events_of(connection, [event_id])), None)


async def events_of(connection: Connection, event_ids: Sequence[UUID]) -> list[Event]:
    """Those of these events that are in the log, in any state and order."""
    return [_event(row) for row in await connection.fetch(_Q["events_of"], event_ids)]


def _event(row: object) -> Event:
    return Event(*row)  # type: ignore[misc]  # the statements select Event's fields in order
