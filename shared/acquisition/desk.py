"""What a person asks for, and the answer: for whoever serves people (the API, the dashboard, the command line).

Each is an act (acts.py): appended to the log as an event of the operator, and folded at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from shared.acquisition.acts import Act, act
from shared.acquisition.asking import job_id_for, same_request
from shared.acquisition.batches import STALE, batch_id_for
from shared.acquisition.fold import Folding
from shared.acquisition.signals import (
    BatchCancelled,
    BatchRequested,
    JobCancelled,
    JobRequested,
    JobRetried,
    Replayed,
)
from shared.errors import Conflict, NotFound, StaleVersion
from shared.eventlog.event import EventState
from shared.eventlog.history import get_event
from shared.postgres.pool import Pool


@dataclass(frozen=True, slots=True)
class Asked:
    """The job that a wish led to. created is False where it was active already."""

    job_id: UUID
    created: bool
    act: Act


async def ask_for_album(pool: Pool, folding: Folding, wish: JobRequested) -> Asked:
    """The job for this album, made or found: the same user, album and batch have one active job at a time."""
    done = await act(pool, folding, wish)
    for acquisition in done.folded.work.acquisitions.values():
        made = job_id_for(done.event_id, acquisition.id)
        if any(job.id == made for job in acquisition.jobs):
            return Asked(made, created=True, act=done)
        if acquisition.album_mbid == wish.album.album_mbid and (job := same_request(acquisition, wish)):
            return Asked(job.id, created=False, act=done)
    raise Conflict(f"the request was not taken: {done.settlement.reason or done.settlement.state}")


async def ask_for_batch(pool: Pool, folding: Folding, wish: BatchRequested) -> tuple[UUID, Act]:
    """A new batch with a job for each of its albums."""
    done = await act(pool, folding, wish)
    return batch_id_for(done.event_id), done


async def cancel_job(pool: Pool, folding: Folding, job_id: UUID, reason: str | None = None) -> Act:
    """Cancel an open job. Raises NotFound, and Conflict when it is over."""
    return _taken(await act(pool, folding, JobCancelled(job_id=job_id, reason=reason)), f"job {job_id}")


async def retry_job(pool: Pool, folding: Folding, job_id: UUID, reason: str | None = None) -> Act:
    """Open a failed or cancelled job again. Raises NotFound, and Conflict when it is open or completed."""
    return _taken(await act(pool, folding, JobRetried(job_id=job_id, reason=reason)), f"job {job_id}")


async def cancel_batch(
    pool: Pool, folding: Folding, batch_id: UUID, *, expected_version: int | None = None, reason: str | None = None
) -> Act:
    """Cancel a batch and its open jobs. Raises NotFound, Conflict when it is over, and StaleVersion."""
    signal = BatchCancelled(batch_id=batch_id, expected_version=expected_version, reason=reason)
    return _taken(await act(pool, folding, signal), f"batch {batch_id}")


async def replay(pool: Pool, folding: Folding, event_id: UUID, reason: str | None = None) -> Act:
    """Fold a settled event again, under what is known now. Raises NotFound, and Conflict while it is unfinished."""
    async with pool.acquire() as connection:
        event = await get_event(connection, event_id)
    if event.state in (EventState.WAITING, EventState.PARKED):
        raise Conflict(f"event {event_id} is {event.state}: it will be folded anyway; retry does it now")
    return await act(pool, folding, Replayed(of=event_id, reason=reason))


def _taken(done: Act, what: str) -> Act:
    """The act, if it changed something; else the error that says why it didn't."""
    if done.settlement.state is not EventState.IGNORED:
        return done
    match done.settlement.reason:
        case "no_such_job" | "no_such_batch":
            raise NotFound(f"there is no {what}")
        case reason if reason == STALE:
            raise StaleVersion(f"{what} has another version by now")
        case reason:
            raise Conflict(f"{what}: {reason}")
