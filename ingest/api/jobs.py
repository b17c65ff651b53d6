"""Jobs: ask for an album, see how far it is and why, try again, cancel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from aiohttp import web

from ingest.api.albums import NOBODY_ELSE, AlbumAsked, UserId, Why
from ingest.api.paging import JobKey, Page, Paged, decode_cursor, encode_cursor, page_of
from ingest.api.routes import PREFIX, Call, Nothing, Route, answer
from ingest.api.services import Services
from ingest.api.shapes import HistoryEntry, Job, JobDetail, JobOrigin, Tried
from shared.acquisition.acts import Act
from shared.acquisition.asking import BUDGET_SPENT, failed_request, job_id_for, same_request
from shared.acquisition.model import State
from shared.acquisition.signals import JobCancelled, JobRequested, JobRetried
from shared.errors import Conflict, InvalidInput, NotFound
from shared.postgres.pool import Connection
from shared.postgres.queries import load

_Q = load("jobs")

_WHY_NOT = {
    "already_asked": "Another job of the same user for this album, in the same batch, is active already.",
    "job_is_elsewhere": "The job has moved to another acquisition meanwhile; read it again.",
    "no_such_job": "The job is gone.",
    BUDGET_SPENT: "The album's budget is spent: say in `reason` why it should be tried again.",
}


class JobAsked(AlbumAsked, kw_only=True, forbid_unknown_fields=True):
    """One album for one user."""

    user_id: UserId = NOBODY_ELSE
    batch_id: Annotated[UUID | None, msgspec.Meta(description="The id of a batch that this job shall belong to.")] = (
        None
    )


class JobFilter(Paged, kw_only=True, forbid_unknown_fields=True):
    """Which jobs to list; without any, all of them."""

    state: Annotated[State | None, msgspec.Meta(description="How far they are.")] = None
    user_id: Annotated[Annotated[str, msgspec.Meta(max_length=200)] | None, msgspec.Meta(description="Whose.")] = None
    batch_id: Annotated[UUID | None, msgspec.Meta(description="A batch's id, a UUID.")] = None
    album_mbid: Annotated[UUID | None, msgspec.Meta(description="A release-group id, a UUID.")] = None
    origin: Annotated[JobOrigin | None, msgspec.Meta(description="What made them.")] = None
    source: Annotated[
        Literal["lidarr", "soulseek"] | None, msgspec.Meta(description="Where the latest attempt was made.")
    ] = None


async def list_jobs(call: Call[JobFilter, Nothing]) -> web.Response:
    """Jobs, newest first."""
    query = call.query
    _, at, below = decode_cursor(query.cursor, JobKey) if query.cursor else (None, None, None)
    async with call.services.reading() as connection:
        rows = await connection.fetch(
            _Q["jobs"],
            *(None, query.state, query.user_id, query.batch_id, query.album_mbid, query.origin, query.source),
            *(at, below, query.limit + 1),
        )
    return answer(page_of(rows, query.limit, Job, lambda row: encode_cursor("jobs", row["created_at"], row["id"])))


async def show_job(call: Call[Nothing, Nothing]) -> web.Response:
    """One job, with the attempts and the history of its acquisition."""
    async with call.services.reading() as connection:
        job = await _job(connection, call.id)
        attempts = await connection.fetch(_Q["tried"], job.acquisition_id)
        decisions = await connection.fetch(_Q["history"], job.acquisition_id)
    tried = [msgspec.convert(dict(row), Tried) for row in attempts]
    history = [msgspec.convert(dict(row), HistoryEntry) for row in decisions]
    return answer(JobDetail(**msgspec.structs.asdict(job), tried=tried, history=history))


async def ask_for_album(call: Call[Nothing, JobAsked]) -> web.Response:
    """201 with a new job, or 200 with the one that asks for the same already, or asked in vain."""
    asked = call.body
    if asked.batch_id is not None:
        await _check_batch(call.services, asked.batch_id)
    signal = JobRequested(user_id=asked.user_id, album=asked.wish(), batch_id=asked.batch_id)
    done = await call.services.act(signal)
    if not done.decisions:
        raise Conflict(f"The album wasn't taken: {done.settlement.reason}.")
    decision = done.decisions[0]
    home = done.folded.work.acquisitions[decision.subject_id]
    new = decision.outcome == "applied"
    known = None if new else same_request(home, signal) or failed_request(home, signal)
    async with call.services.reading() as connection:
        job = await _job(connection, known.id if known else job_id_for(done.event_id, home.id))
    return answer(job, status=201 if new else 200, headers={"Location": f"{PREFIX}/jobs/{job.id}"})


async def cancel_job(call: Call[Nothing, Why]) -> web.Response:
    """Cancel an active job; the last active job of an album ends its acquisition."""
    return await _act(call, JobCancelled(job_id=call.id, reason=call.body.reason))


async def retry_job(call: Call[Nothing, Why]) -> web.Response:
    """Open a failed or cancelled job again, with a new budget."""
    return await _act(call, JobRetried(job_id=call.id, reason=call.body.reason))


async def _act(call: Call[Nothing, Why], signal: JobCancelled | JobRetried) -> web.Response:
    async with call.services.reading() as connection:
        await _job(connection, call.id)  # what isn't there needs no entry in the log
    _check_applied(await call.services.act(signal))
    async with call.services.reading() as connection:
        return answer(await _job(connection, call.id), status=202)


def _check_applied(done: Act) -> None:
    decisions = done.decisions
    if any(decision.outcome == "applied" for decision in decisions):
        return
    reason = decisions[0].reason if decisions else done.settlement.reason
    state = (reason or "").removeprefix("job_is_").removeprefix("acquisition_is_")
    raise Conflict(_WHY_NOT.get(reason or "") or f"The job is {state}, so this doesn't apply.")


async def _check_batch(services: Services, batch_id: UUID) -> None:
    async with services.reading() as connection:
        batch = await connection.fetchrow(_Q["batches"], batch_id, None, None, None, None, 1)
    if batch is None:
        raise InvalidInput("batch_id", "there is no such batch; leave it out, or make one with POST /api/v1/batches")
    if batch["state"] == "cancelled":
        raise Conflict("The batch is cancelled; it takes no more albums.")


async def _job(connection: Connection, job_id: UUID) -> Job:
    found = await jobs_by(connection, ids=[job_id])
    if not found:
        raise NotFound("There is no such job.")
    return found[0]


async def jobs_by(
    connection: Connection, *, ids: Sequence[UUID] | None = None, batch_id: UUID | None = None
) -> list[Job]:
    """All jobs with these ids, or of a batch."""
    wanted = None if ids is None else list(ids)
    rows = await connection.fetch(_Q["jobs"], wanted, None, None, batch_id, None, None, None, None, None, None)
    return [msgspec.convert(dict(row), Job) for row in rows]


ROUTES = (
    Route(
        method="GET",
        path="/jobs",
        handler=list_jobs,
        summary="What has been asked for, newest first.",
        query=JobFilter,
        answers={200: Page[Job]},
    ),
    Route(
        method="POST",
        path="/jobs",
        handler=ask_for_album,
        summary="Ask for an album: 201 with a new job, or 200 with the one that asks for the same already.",
        body=JobAsked,
        answers={201: Job, 200: Job},
        refusals=(409,),
    ),
    Route(
        method="GET",
        path="/jobs/{id}",
        handler=show_job,
        summary="One job, with every decision about its album and the event that caused it.",
        answers={200: JobDetail},
    ),
    Route(
        method="POST",
        path="/jobs/{id}/cancel",
        handler=cancel_job,
        summary="Cancel an active job. With the last one its acquisition ends, and the download leaves its peer.",
        body=Why,
        body_required=False,
        answers={202: Job},
        refusals=(409,),
    ),
    Route(
        method="POST",
        path="/jobs/{id}/retry",
        handler=retry_job,
        summary="Open a failed or cancelled job again, with a new budget of attempts.",
        body=Why,
        body_required=False,
        answers={202: Job},
        refusals=(409,),
    ),
)
