"""What a person does to events: fold a dead one again, replay a settled one, retry many."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

import asyncpg
import msgspec
import structlog
from aiohttp import web

from ingest.api import operations
from ingest.api.albums import Reason, Why
from ingest.api.operations import DeadFilter
from ingest.api.routes import PREFIX, Call, Nothing, Route, answer
from ingest.api.services import Services, again_if_rolled_back
from ingest.api.shapes import Operation, Time
from shared.acquisition.signals import EventsRetried, Replayed
from shared.errors import Conflict, NotFound
from shared.eventlog.event import EventState
from shared.postgres.queries import load

_Q = load("admin")
_log = structlog.get_logger("ingest.api")

_Short = Annotated[str, msgspec.Meta(max_length=500)]

# What an event's own content can cause when it is folded; a replay of such a one changes nothing and says so.
_POISON = (
    *(ArithmeticError, AssertionError, AttributeError, LookupError, RecursionError, TypeError, ValueError),
    *(asyncpg.DataError, asyncpg.IntegrityConstraintViolationError),
)
_NO_RETRY = {
    EventState.WAITING: "The event waits for a worker already.",
    EventState.PARKED: "The event is parked: it is folded by itself once what it belongs to is known (waits_for).",
    EventState.PROCESSED: "The event is processed; use replay to fold it again.",
    EventState.IGNORED: "The event is ignored (reason says why); use replay to fold it again.",
}


class Retried(msgspec.Struct, kw_only=True):
    """The event waits for a worker now."""

    event_id: UUID
    state: Literal["waiting"]


class ReplayOutcome(msgspec.Struct, kw_only=True):
    """The event that records the replay, and what came of folding the original again."""

    event_id: UUID
    state: EventState
    reason: str | None


class RetryMany(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Which dead events to fold again."""

    state: Annotated[Literal["dead"], msgspec.Meta(description="Only dead ones can be retried.")] = "dead"
    source: Annotated[_Short | None, msgspec.Meta(description="lidarr, slskd, reprise or operator.")] = None
    type: Annotated[_Short | None, msgspec.Meta(description="The source's own name for the type.")] = None
    since: Annotated[Time | None, msgspec.Meta(description="Received then or later, like 2026-11-22T14:00:00Z.")] = None
    until: Annotated[Time | None, msgspec.Meta(description="Received before, like 2026-11-22T14:00:00Z.")] = None
    dry_run: Annotated[bool, msgspec.Meta(description="Only count them.")] = False
    reason: Reason = None


class Count(msgspec.Struct, kw_only=True):
    """How many events it would be."""

    count: int


async def retry_event(call: Call[Nothing, Why]) -> web.Response:
    """Let a dead event start over, or a waiting one go at once."""
    event_id = call.id
    await again_if_rolled_back(lambda: _retry(call.services, event_id, call.body.reason))
    call.services.wake_ups.offer("drain")
    return answer(Retried(event_id=event_id, state="waiting"), status=202)


async def _retry(services: Services, event_id: UUID, reason: str | None) -> None:
    async with services.writing() as connection:
        if await connection.fetchval(_Q["event_state"], event_id) is None:
            raise NotFound("There is no such event.")
        held = await connection.fetchrow(_Q["hold_event"], event_id)
        if held is None:
            raise Conflict("The event is being folded right now.")
        state = EventState(held["state"])
        if state is EventState.DEAD:
            await connection.execute(_Q["retry_dead"], event_id)
        elif state is EventState.WAITING and not held["due"]:
            await connection.execute(_Q["retry_now"], event_id)
        else:
            raise Conflict(_NO_RETRY[state])
        await services.act_within(connection, EventsRetried(of=event_id, reason=reason))


async def replay_event(call: Call[Nothing, Why]) -> web.Response:
    """Fold a settled event again, under what is known now; the original stays as it is."""
    event_id = call.id
    async with call.services.reading() as connection:
        state = await connection.fetchval(_Q["event_state"], event_id)
    if state is None:
        raise NotFound("There is no such event.")
    if state in (EventState.WAITING, EventState.PARKED):
        raise Conflict(f"The event is {state}: it hasn't been folded yet, so there is nothing to replay.")
    try:
        done = await call.services.act(Replayed(of=event_id, reason=call.body.reason))
    except _POISON as error:
        _log.exception("replay.failed", event_id=str(event_id))
        raise Conflict(
            f"Folding it fails with {type(error).__name__}; nothing has changed, the log has more."
        ) from error
    outcome = ReplayOutcome(event_id=done.event_id, state=done.settlement.state, reason=done.settlement.reason)
    return answer(outcome, status=202, headers={"Location": f"{PREFIX}/events/{done.event_id}"})


async def retry_many(call: Call[Nothing, RetryMany]) -> web.Response:
    """Start an operation that retries all dead events that fit; with dry_run only count them."""
    asked = call.body
    which = DeadFilter(source=asked.source, type=asked.type, since=asked.since, until=asked.until)
    if asked.dry_run:
        return answer(Count(count=await operations.count(call.services, which)))
    started = await operations.start(call.services, which, asked.reason)
    return answer(started, status=202, headers={"Location": f"{PREFIX}/admin/operations/{started.id}"})


async def show_operation(call: Call[Nothing, Nothing]) -> web.Response:
    """How far an operation is."""
    return answer(await operations.show(call.services, call.id))


async def cancel_operation(call: Call[Nothing, Nothing]) -> web.Response:
    """Stop an operation; what it has done stays done."""
    return answer(await operations.cancel(call.services, call.id), status=202)


ROUTES = (
    Route(
        method="POST",
        path="/admin/events/retry",
        handler=retry_many,
        summary="Fold all dead events again that fit a filter: an operation to watch or cancel. dry_run only counts.",
        body=RetryMany,
        body_required=False,
        answers={200: Count, 202: Operation},
    ),
    Route(
        method="POST",
        path="/admin/events/{id}/retry",
        handler=retry_event,
        summary="Let a dead event start over, or one that waits for its next try go at once.",
        body=Why,
        body_required=False,
        answers={202: Retried},
        refusals=(409,),
    ),
    Route(
        method="POST",
        path="/admin/events/{id}/replay",
        handler=replay_event,
        summary="Fold a settled event again, under what is known now. Harmless where nothing has changed.",
        body=Why,
        body_required=False,
        answers={202: ReplayOutcome},
        refusals=(409,),
    ),
    Route(
        method="GET",
        path="/admin/operations/{id}",
        handler=show_operation,
        summary="How far an operation is.",
        answers={200: Operation},
    ),
    Route(
        method="POST",
        path="/admin/operations/{id}/cancel",
        handler=cancel_operation,
        summary="Stop an operation; what it has done stays done.",
        answers={202: Operation},
        refusals=(409,),
    ),
)
