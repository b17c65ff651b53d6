"""The nouns of the log: a delivery comes in, an event is kept, a settlement says what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol
from uuid import UUID

# Sources of our own: facts found or brought about by the fleet, and acts of people.
REPRISE = "reprise"
OPERATOR = "operator"


class EventState(StrEnum):
    """Where the processing of an event stands. waiting and parked are open; dead waits for a person."""

    WAITING = "waiting"
    PARKED = "parked"
    PROCESSED = "processed"
    IGNORED = "ignored"
    DEAD = "dead"


class Identity(NamedTuple):
    """What can be said of a delivery without understanding it.

    type is the source's own name for it, or "unreadable". dedupe_key is None wherever a body may legitimately
    repeat: then nothing is ever folded.
    """

    type: str
    dedupe_key: str | None = None
    correlation_id: str | None = None


class Identifies(Protocol):
    """A source's pure reading of headers and body; it never raises."""

    def __call__(self, headers: Mapping[str, str], body: bytes, /) -> Identity: ...


@dataclass(frozen=True, slots=True)
class Delivery:
    """One fact on its way into the log. id is minted at arrival and stays the event's id for ever."""

    id: UUID
    source: str
    type: str
    body: bytes
    received_at: datetime
    dedupe_key: str | None = None
    correlation_id: str | None = None


class Appended(NamedTuple):
    """The event that a delivery became: its own id, or the first event's when it was a duplicate."""

    event_id: UUID
    duplicate: bool


@dataclass(frozen=True, slots=True)
class Event:
    """A claimed event: the fact itself, and how often folding it has failed."""

    id: UUID
    source: str
    type: str
    body: bytes
    received_at: datetime
    correlation_id: str | None = None
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of an event. waits_for belongs to parked alone, due_at to waiting alone."""

    event_id: UUID
    state: EventState
    reason: str | None = None
    last_error: str | None = None
    attempts: int = 0
    due_at: datetime | None = None
    waits_for: tuple[str, ...] = ()
    alone: bool = False
