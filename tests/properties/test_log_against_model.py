"""The event log on Postgres does what a few dictionaries do, whatever is appended, claimed, settled or woken."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.eventlog.event import Appended, Delivery, EventState, Settlement
from shared.eventlog.identity import uuid7
from shared.eventlog.store import append, claim, isolate, settle, wake_parked

_COUNT = 8
_AWAITED = ("album:1", "download:x")
_END = datetime(2026, 1, 1, tzinfo=UTC)

outcomes = st.sampled_from(["processed", "ignored", "dead", "parked 0", "parked 1", "parked 01", "later", "alone"])
numbers = st.integers(0, _COUNT - 1)
moves = st.one_of(
    st.tuples(st.just("append"), st.lists(numbers, min_size=1, max_size=5, unique=True)),
    st.tuples(st.just("append"), st.lists(numbers, min_size=1, max_size=5, unique=True)),
    st.tuples(st.just("fold"), st.integers(1, 4), st.booleans(), st.lists(outcomes, min_size=4, max_size=4)),
    st.tuples(st.just("vanish"), st.integers(1, 4)),
    st.tuples(st.just("wake"), st.sampled_from(_AWAITED)),
    st.tuples(st.just("isolate"), numbers),
)
keys = st.lists(st.sampled_from([None, None, "a", "b"]), min_size=_COUNT, max_size=_COUNT)


@dataclass(slots=True)
class Entry:
    """What the model knows of an event."""

    due_at: datetime
    state: str = "waiting"
    waits_for: tuple[str, ...] = ()
    alone: bool = False
    attempts: int = 0


@dataclass(slots=True)
class Model:
    """The log as dictionaries: events by id, which event first bore a key, and what was folded into it."""

    events: dict[UUID, Entry] = field(default_factory=dict)
    first: dict[str, UUID] = field(default_factory=dict)
    folded: dict[UUID, UUID] = field(default_factory=dict)

    def append(self, deliveries: list[Delivery]) -> list[Appended]:
        for one in sorted(deliveries, key=lambda each: each.id):
            first = one.id if one.dedupe_key is None else self.first.setdefault(one.dedupe_key, one.id)
            if first != one.id:
                self.folded[one.id] = first
            elif one.id not in self.events:
                self.events[one.id] = Entry(one.received_at)
        return [Appended(self.folded.get(one.id, one.id), duplicate=one.id in self.folded) for one in deliveries]

    def claim(self, limit: int, *, alone: bool) -> list[UUID]:
        due = [
            (entry.due_at, one)
            for one, entry in self.events.items()
            if entry.state == "waiting" and entry.alone == alone and entry.due_at <= _END
        ]
        return [one for _, one in sorted(due)[:limit]]

    def settle(self, settlement: Settlement) -> None:
        entry = self.events[settlement.event_id]
        entry.state, entry.waits_for = settlement.state.value, settlement.waits_for
        entry.alone, entry.attempts = settlement.alone, settlement.attempts
        entry.due_at = settlement.due_at or entry.due_at

    def wake(self, key: str) -> int:
        woken = [one for one in self.events.values() if one.state == "parked" and key in one.waits_for]
        for one in woken:
            one.state, one.waits_for = "waiting", ()
        return len(woken)


def settlement(event_id: UUID, attempts: int, outcome: str) -> Settlement:
    match outcome.split():
        case ["parked", awaited]:
            waits_for = tuple(_AWAITED[int(number)] for number in awaited)
            return Settlement(event_id, EventState.PARKED, attempts=attempts, waits_for=waits_for)
        case ["later"]:
            later = datetime.now(UTC) + timedelta(hours=1)
            return Settlement(event_id, EventState.WAITING, attempts=attempts + 1, due_at=later)
        case ["alone"]:
            return Settlement(event_id, EventState.WAITING, attempts=attempts, alone=True)
    return Settlement(event_id, EventState(outcome), reason="so it was told", attempts=attempts)


async def folded(connection: Any, model: Model, limit: int, outcomes: list[str], *, alone: bool) -> None:
    """Claim as a worker does, compare what was claimed, and settle each."""
    events = await claim(connection, limit=limit, alone=alone)
    assert [event.id for event in events] == model.claim(limit, alone=alone)
    assert [event.attempts for event in events] == [model.events[event.id].attempts for event in events]
    told = [settlement(event.id, event.attempts, outcome) for event, outcome in zip(events, outcomes, strict=False)]
    await settle(connection, told)
    for one in told:
        model.settle(one)


async def equal(connection: Any, model: Model, deliveries: list[Delivery]) -> None:
    """Every row is what the model says, byte for byte."""
    rows = await connection.fetch("SELECT event_id, state, waits_for, alone, attempts FROM event_status")
    stored = {
        row["event_id"]: (row["state"], tuple(row["waits_for"] or ()), row["alone"], row["attempts"]) for row in rows
    }
    assert stored == {
        one: (entry.state, entry.waits_for, entry.alone, entry.attempts) for one, entry in model.events.items()
    }
    kept = await connection.fetch(
        "SELECT id, NULL::uuid, body FROM events UNION ALL SELECT id, event_id, body FROM folded_deliveries"
    )
    bodies = {one.id: one.body for one in deliveries}
    assert {row[0]: (row[1], row[2]) for row in kept} == {
        **{one: (None, bodies[one]) for one in model.events},
        **{one: (first, bodies[one]) for one, first in model.folded.items()},
    }


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(keys=keys, moves=st.lists(moves, max_size=14))
async def test_the_log_agrees_with_a_model_in_memory(pool: Any, keys: list[str | None], moves: list[Any]) -> None:
    deliveries = [
        Delivery(uuid7(), "lidarr", "Test", f"{number}".encode(), _END - timedelta(minutes=number % 3), key)
        for number, key in enumerate(keys)
    ]
    model = Model()
    async with pool.acquire() as connection:
        example = connection.transaction()
        await example.start()
        try:
            for move in moves:
                await moved(connection, model, deliveries, move)
                await equal(connection, model, deliveries)
        finally:
            await example.rollback()


async def moved(connection: Any, model: Model, deliveries: list[Delivery], move: Any) -> None:
    match move:
        case ("append", which):
            arriving = [deliveries[number] for number in which]
            assert await append(connection, arriving) == model.append(arriving)
        case ("fold", limit, alone, outcomes):
            await folded(connection, model, limit, outcomes, alone=alone)
        case ("vanish", limit):
            worker = connection.transaction()
            await worker.start()
            claimed = await claim(connection, limit=limit)
            await settle(connection, [Settlement(event.id, EventState.PROCESSED) for event in claimed])
            await worker.rollback()
        case ("wake", key):
            assert await wake_parked(connection, [key]) == model.wake(key)
        case ("isolate", number):
            await isolate(connection, [deliveries[number].id])
            entry = model.events.get(deliveries[number].id)
            if entry and entry.state == "waiting":
                entry.alone = True
