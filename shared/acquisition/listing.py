"""Read jobs and batches as people look at them. Typed functions over listing.sql."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from uuid import UUID

import msgspec

from shared.errors import InvalidInput, NotFound
from shared.eventlog.history import Page, within_limit
from shared.postgres.pool import Connection
from shared.postgres.queries import load

_Q = load("listing")


class JobSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A job as lists show it. source and attempts are those of its album's acquisition, which jobs may share."""

    id: UUID
    user_id: str
    origin: str
    album_mbid: UUID
    artist_name: str
    album_title: str
    batch_id: UUID | None
    acquisition_id: UUID
    state: str
    source: str | None
    attempts: int
    created_at: datetime
    finished_at: datetime | None
    reason: str | None


class DecisionOfJob(msgspec.Struct, frozen=True, kw_only=True):
    """One decision about a job's album, and the event that caused it."""

    sequence: int
    decided_at: datetime
    signal: str
    outcome: str
    before_state: str | None
    after_state: str | None
    reason: str | None
    event_id: UUID
    event_source: str | None
    event_type: str | None
    event_received_at: datetime | None


class JobDetail(JobSummary, frozen=True, kw_only=True):
    """A job with every decision about it, oldest first."""

    history: list[DecisionOfJob]


class BatchSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A batch with its counters. version counts committed updates; total counts distinct albums."""

    id: UUID
    user_id: str
    label: str | None
    state: str
    version: int
    total: int
    completed: int
    failed: int
    cancelled: int
    created_at: datetime
    finished_at: datetime | None


class VersionOfBatch(msgspec.Struct, frozen=True, kw_only=True):
    """One committed version of a batch."""

    version: int
    at: datetime
    state: str
    total: int
    completed: int
    failed: int
    cancelled: int
    cause: str


class BatchDetail(BatchSummary, frozen=True, kw_only=True):
    """A batch with its jobs by artist and album, and every version it has had."""

    jobs: list[JobSummary]
    history: list[VersionOfBatch]


class JobFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which jobs to list; None means any. q is looked for in "artist - album"."""

    state: str | None = None
    user_id: str | None = None
    album_mbid: UUID | None = None
    batch_id: UUID | None = None
    q: str | None = None


class BatchFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which batches to list; None means any."""

    state: str | None = None
    user_id: str | None = None


async def list_jobs(
    connection: Connection, wanted: JobFilter, *, limit: int = 50, cursor: str | None = None
) -> Page[JobSummary]:
    """One page, newest first. Raises InvalidInput for a cursor that isn't one of ours."""
    rows = await connection.fetch(
        _Q["jobs"],
        *(wanted.state, wanted.user_id, wanted.album_mbid, wanted.batch_id, wanted.q),
        *_place(cursor),
        within_limit(limit) + 1,
    )
    items = [JobSummary(**row) for row in rows[:limit]]
    return Page(items, _cursor(items[-1].created_at, items[-1].id) if len(rows) > limit else None)


async def get_job(connection: Connection, job_id: UUID) -> JobDetail:
    """One job with its history. Raises NotFound."""
    row = await connection.fetchrow(_Q["job"], job_id)
    if row is None:
        raise NotFound(f"there is no job {job_id}")
    history = [DecisionOfJob(**one) for one in await connection.fetch(_Q["job_history"], job_id)]
    return JobDetail(**row, history=history)


async def list_batches(
    connection: Connection, wanted: BatchFilter, *, limit: int = 50, cursor: str | None = None
) -> Page[BatchSummary]:
    """One page, newest first. Raises InvalidInput for a cursor that isn't one of ours."""
    rows = await connection.fetch(_Q["batches"], wanted.state, wanted.user_id, *_place(cursor), within_limit(limit) + 1)
    items = [BatchSummary(**row) for row in rows[:limit]]
    return Page(items, _cursor(items[-1].created_at, items[-1].id) if len(rows) > limit else None)


async def get_batch(connection: Connection, batch_id: UUID) -> BatchDetail:
    """One batch with its jobs and versions. Raises NotFound."""
    row = await connection.fetchrow(_Q["batch"], batch_id)
    if row is None:
        raise NotFound(f"there is no batch {batch_id}")
    jobs = [JobSummary(**one) for one in await connection.fetch(_Q["jobs_of_batch"], batch_id)]
    history = [VersionOfBatch(**one) for one in await connection.fetch(_Q["batch_history"], batch_id)]
    return BatchDetail(**row, jobs=jobs, history=history)


def _cursor(created_at: datetime, last: UUID) -> str:
    return urlsafe_b64encode(f"{created_at.isoformat()} {last}".encode()).decode().rstrip("=")


def _place(cursor: str | None) -> tuple[datetime | None, UUID | None]:
    if cursor is None:
        return None, None
    try:
        time, _, last = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii").partition(" ")
        place = datetime.fromisoformat(time), UUID(last)
    except (binascii.Error, ValueError) as error:
        raise InvalidInput("cursor", "take it from `next` of the page before") from error
    if place[0].tzinfo is None:
        raise InvalidInput("cursor", "take it from `next` of the page before")
    return place
