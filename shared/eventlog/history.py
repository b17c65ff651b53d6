"""The log as people look at it: pages of events with their state, one event, its exact bytes; and one run again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar
from uuid import UUID

import msgspec

from shared.errors import Conflict, InvalidInput, NotFound
from shared.postgres.pool import Connection
from shared.postgres.queries import load

T = TypeVar("T")

_Q = load("listing")

MOST_AT_ONCE = 500
# An event's id is minted a moment before its received_at is read; a minute covers every such moment.
_SLACK = timedelta(minutes=1)


class Page(msgspec.Struct, Generic[T], frozen=True):
    """Some items of a list, newest first. next is the cursor of the page that follows, None on the last."""

    items: list[T]
    next: str | None


class EventSummary(msgspec.Struct, frozen=True, kw_only=True):
    """An event as lists show it. deliveries counts how often it came; job_ids are the jobs it was decided about."""

    id: UUID
    source: str
    type: str
    state: str
    dedupe_key: str | None
    deliveries: int
    received_at: datetime
    attempts: int
    correlation_id: str | None
    job_ids: list[UUID]
    reason: str | None
    last_error: str | None


class EventFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which events to list; None means any. since counts in, until doesn't. q is looked for in body and reason."""

    source: str | None = None
    type: str | None = None
    state: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    correlation_id: str | None = None
    q: str | None = None


async def list_events(
    connection: Connection, wanted: EventFilter, *, limit: int = 50, cursor: str | None = None
) -> Page[EventSummary]:
    """One page, newest first. Raises InvalidInput for a cursor that isn't one of ours."""
    rows = await connection.fetch(
        _Q["events"],
        *(wanted.source, wanted.type, wanted.state, wanted.since, wanted.until, wanted.correlation_id, wanted.q),
        _id_at(wanted.since, -_SLACK),
        _id_at(wanted.until, _SLACK),
        None if cursor is None else _id_of(cursor),
        within_limit(limit) + 1,
    )
    items = [EventSummary(**row) for row in rows[:limit]]
    return Page(items, str(items[-1].id) if len(rows) > limit else None)


async def get_event(connection: Connection, event_id: UUID) -> EventSummary:
    """One event. Raises NotFound."""
    row = await connection.fetchrow(_Q["event"], event_id)
    if row is None:
        raise NotFound(f"there is no event {event_id}")
    return EventSummary(**row)


async def body_of(connection: Connection, event_id: UUID) -> bytes:
    """The exact bytes that came. Raises NotFound."""
    body: bytes | None = await connection.fetchval(_Q["body"], event_id)
    if body is None:
        raise NotFound(f"there is no event {event_id}")
    return body


async def retry_event(connection: Connection, event_id: UUID) -> None:
    """Let an unfinished or dead event be folded again, now. Raises NotFound, and Conflict for a settled one."""
    if await connection.fetchval(_Q["retry_event"], event_id) is None:
        event = await get_event(connection, event_id)
        raise Conflict(f"event {event_id} is {event.state}: there is nothing to retry, but it can be replayed")


def within_limit(limit: int) -> int:
    """The limit itself. Raises InvalidInput outside 1 to MOST_AT_ONCE."""
    if not 1 <= limit <= MOST_AT_ONCE:
        raise InvalidInput("limit", f"give a number from 1 to {MOST_AT_ONCE}")
    return limit


def _id_of(cursor: str) -> UUID:
    try:
        return UUID(cursor)
    except ValueError as error:
        raise InvalidInput("cursor", "take it from `next` of the page before") from error


def _id_at(time: datetime | None, slack: timedelta) -> UUID | None:
    """The smallest id of a moment; None stands for any. Times before 1970 have no ids."""
    if time is None:
        return None
    milliseconds = int((time + slack - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(milliseconds=1))
    return UUID(int=max(0, min(milliseconds, 2**48 - 1)) << 80)
