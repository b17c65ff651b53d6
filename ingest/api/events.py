"""History: which events there are, what became of each, and its exact bytes."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

import msgspec
from aiohttp import web

from ingest.api.paging import EventKey, Page, Paged, decode_cursor, encode_cursor, page_of
from ingest.api.routes import Call, Nothing, Route, answer
from ingest.api.shapes import Decision, Event, EventDetail, Time
from shared.errors import NotFound
from shared.eventlog.event import EventState
from shared.postgres.queries import load

_Q = load("history")

# How many events one page of a search looks through at most.
SEARCH_WINDOW = 5_000
# An id holds the time of its receiver's clock; a clock may be wrong, and has been put right while events came.
_CLOCK_SLACK = timedelta(days=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_Short = Annotated[str, msgspec.Meta(max_length=500)]


class EventFilter(Paged, kw_only=True, forbid_unknown_fields=True):
    """Which events to list; without any, all of them."""

    source: Annotated[_Short | None, msgspec.Meta(description="lidarr, slskd, reprise or operator.")] = None
    type: Annotated[_Short | None, msgspec.Meta(description="The source's own name for the type.")] = None
    state: Annotated[EventState | None, msgspec.Meta(description="Where its processing stands.")] = None
    since: Annotated[
        Time | None, msgspec.Meta(description="Received at this time or later, like 2026-11-22T14:00:00Z.")
    ] = None
    until: Annotated[Time | None, msgspec.Meta(description="Received before this time, like 2026-11-22T14:00:00Z.")] = (
        None
    )
    correlation_id: _Short | None = None
    q: Annotated[
        Annotated[str, msgspec.Meta(max_length=200)] | None,
        msgspec.Meta(
            description="Text to find, upper or lower case: in id, source, type, correlation id, dedupe key, reason, "
            "last error and the first 64 KiB of the body. A page looks through at most "
            f"{SEARCH_WINDOW} events that fit the "
            "other filters, so it may hold fewer items than `limit` (even none) and still have a `next`."
        ),
    ] = None


async def list_events(call: Call[EventFilter, Nothing]) -> web.Response:
    """Events, newest first."""
    query = call.query
    below = decode_cursor(query.cursor, EventKey)[1] if query.cursor else None
    async with call.services.reading() as connection:
        rows = await connection.fetch(
            _Q["events"],
            *(query.source, query.type, query.state, query.since, query.until, query.correlation_id, below),
            None if query.since is None else _id_at(query.since, -_CLOCK_SLACK),
            None if query.until is None else _id_at(query.until, _CLOCK_SLACK),
            *(query.limit + 1, SEARCH_WINDOW if query.q else query.limit + 1, query.q),
        )
    found = [row for row in rows if row["id"] is not None]
    page = page_of(found, query.limit, Event, lambda row: encode_cursor("events", row["id"]))
    if page.next is None and query.q and rows[0]["looked_at"] == SEARCH_WINDOW:
        page = Page(items=page.items, next=encode_cursor("events", rows[0]["looked_to"]))
    return answer(page)


async def show_event(call: Call[Nothing, Nothing]) -> web.Response:
    """One event, with every decision that it led to."""
    async with call.services.reading() as connection:
        row = await connection.fetchrow(_Q["event"], call.id)
        if row is None:
            raise NotFound("There is no such event.")
        decisions = await connection.fetch(_Q["decisions_of"], call.id)
    made = [msgspec.convert(dict(one), Decision) for one in decisions]
    return answer(msgspec.convert({**row, "decisions": made}, EventDetail))


async def show_body(call: Call[Nothing, Nothing]) -> web.Response:
    """The bytes of an event, exactly as they came."""
    async with call.services.reading() as connection:
        row = await connection.fetchrow(_Q["body"], call.id)
    if row is None:
        raise NotFound("There is no such event.")
    readable = row["type"] != "unreadable"
    name = f"{_file_name(row['type'])}-{call.id}.{'json' if readable else 'bin'}"
    return web.Response(
        body=row["body"],
        content_type="application/json" if readable else "application/octet-stream",
        headers={"Content-Disposition": f'inline; filename="{name}"'},
    )


def _file_name(type_: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "_", type_)[:60]


def _id_at(at: datetime, slack: timedelta) -> UUID:
    """The smallest UUIDv7 of that time, with slack."""
    ms = (at - _EPOCH + slack) // timedelta(milliseconds=1)
    return UUID(int=min(max(ms, 0), 2**48 - 1) << 80)


ROUTES = (
    Route(
        method="GET",
        path="/events",
        handler=list_events,
        summary="The log of everything that happened, newest first.",
        query=EventFilter,
        answers={200: Page[Event]},
    ),
    Route(
        method="GET",
        path="/events/{id}",
        handler=show_event,
        summary="One event, with every decision that it led to.",
        answers={200: EventDetail},
    ),
    Route(
        method="GET",
        path="/events/{id}/body",
        handler=show_body,
        summary="The exact bytes of an event.",
        answers={200: bytes},
    ),
)
