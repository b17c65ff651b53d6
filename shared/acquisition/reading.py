"""What an event means, before anybody decides anything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from shared.acquisition.signals import Replayed, Signal, Unheeded
from shared.eventlog import store as eventlog
from shared.eventlog.event import Event
from shared.postgres.pool import Connection

Interpret: TypeAlias = Callable[[Event], "tuple[Signal, ...] | Unheeded"]


@dataclass(frozen=True, slots=True)
class Read:
    """An event with its meaning. cause names what it may begin: itself, or the original that it replays."""

    event: Event
    signals: tuple[Signal, ...]
    cause: UUID
    unheeded: str | None = None

    @property
    def is_replay(self) -> bool:
        return self.cause != self.event.id


async def read_event(connection: Connection, event: Event, interpret: Interpret) -> Read:
    """What an event means; a replay means what its original means."""
    meaning = interpret(event)
    cause = event.id
    while not isinstance(meaning, Unheeded) and len(meaning) == 1 and isinstance(meaning[0], Replayed):
        original = await eventlog.event_of(connection, meaning[0].of)
        if original is None:
            break
        cause, meaning = original.id, interpret(original)
    if isinstance(meaning, Unheeded):
        return Read(event, (), cause, meaning.reason)
    return Read(event, meaning, cause)
