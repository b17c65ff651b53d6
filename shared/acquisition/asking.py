"""The rules for what people ask: a job, its cancel, its retry. Pure."""

from __future__ import annotations

from uuid import UUID

from msgspec.structs import replace

from shared.acquisition.commands import RollUpBatch
from shared.acquisition.model import Acquisition, Context, Job, Order, Outcome, State
from shared.acquisition.signals import JobCancelled, JobRequested, JobRetried
from shared.acquisition.steps import NO_SOURCE, abandon, applied, finish, go_on, ignored
from shared.eventlog.identity import derived_id

ALREADY_ASKED = "already_asked"
BUDGET_SPENT = "budget_spent"


def job_id_for(cause: UUID, acquisition_id: UUID) -> UUID:
    """The id of the job that an event makes on an acquisition; a replay finds the same one."""
    return derived_id(cause, "job", acquisition_id)


def same_request(acquisition: Acquisition, signal: JobRequested) -> Job | None:
    """The active job that already asks for this: same user and same batch (no batch counts as one, too)."""
    return next(
        (
            job
            for job in acquisition.jobs
            if job.is_active and job.user_id == signal.user_id and job.batch_id == signal.batch_id
        ),
        None,
    )


def request(acquisition: Acquisition, signal: JobRequested, context: Context) -> Outcome:
    """Join the album's acquisition. The first who asks sets it going; a watched one is driven from now on."""
    job_id = job_id_for(context.cause, acquisition.id)
    if any(job.id == job_id for job in acquisition.jobs):
        return ignored(acquisition, "already_decided")
    if same_request(acquisition, signal):
        return ignored(acquisition, ALREADY_ASKED)
    job = _job(acquisition, signal, context)
    after = replace(acquisition, jobs=(*acquisition.jobs, job), origin="asked")
    fresh = acquisition.sequence == 0 or not acquisition.driven
    return begin(after, context) if fresh else applied(after)


def _job(acquisition: Acquisition, signal: JobRequested, context: Context) -> Job:
    return Job(
        id=job_id_for(context.cause, acquisition.id),
        user_id=signal.user_id,
        origin=signal.origin,
        album_mbid=acquisition.album_mbid,
        artist_name=signal.album.artist_name,
        album_title=signal.album.album_title,
        batch_id=signal.batch_id,
        acquisition_id=acquisition.id,
        state=acquisition.state,
        created_at=context.now,
    )


def request_in_vain(acquisition: Acquisition, signal: JobRequested, context: Context) -> Outcome:
    """The album's budget is spent: whoever asks anew is told so at once, and nothing is downloaded again."""
    job = _job(acquisition, signal, context)
    if any(job.id == one.id for one in acquisition.jobs):
        return ignored(acquisition, "already_decided")
    if failed_request(acquisition, signal):
        return ignored(acquisition, BUDGET_SPENT)
    reason = f"{BUDGET_SPENT}: retry the job and say why, to have it tried again. {acquisition.reason}"[:2000]
    told = replace(job, state=State.FAILED, finished_at=context.now, reason=reason)
    counted = (Order(RollUpBatch(batch_id=told.batch_id)),) if told.batch_id else ()
    return applied(replace(acquisition, jobs=(*acquisition.jobs, told)), *counted, reason=BUDGET_SPENT)


def failed_request(acquisition: Acquisition, signal: JobRequested) -> Job | None:
    """The newest failed job that asked for the same: same user, same batch."""
    same = (
        job
        for job in acquisition.jobs
        if job.state is State.FAILED and (job.user_id, job.batch_id) == (signal.user_id, signal.batch_id)
    )
    return max(same, key=lambda job: (job.created_at, job.id), default=None)


def begin(acquisition: Acquisition, context: Context) -> Outcome:
    """Set a pending acquisition going at the first source there is; one under way just goes on."""
    return go_on(acquisition, context) if acquisition.state is State.PENDING else applied(acquisition)


def source_appeared(acquisition: Acquisition, signal: object, context: Context) -> Outcome:
    """Go on with an acquisition that found no source configured."""
    if acquisition.reason != NO_SOURCE:
        return ignored(acquisition, "already_under_way")
    return begin(acquisition, context)


def cancel(acquisition: Acquisition, signal: JobCancelled, context: Context) -> Outcome:
    """Cancel a job, or a batch's; with the last one the acquisition ends, and its download leaves the peer."""
    job = next((job for job in acquisition.jobs if job.id == signal.job_id), None)
    if job is None or not job.is_active:
        return ignored(acquisition, f"job_is_{job.state}" if job else "job_is_elsewhere")
    over = {"state": State.CANCELLED, "finished_at": context.now, "reason": signal.reason or "cancelled"}
    unwanted = {job.id, *signal.others}
    jobs = (replace(one, **over) if one.id in unwanted and one.is_active else one for one in acquisition.jobs)
    after = replace(acquisition, jobs=tuple(jobs))
    wanted = [one for one in after.jobs if one.is_active]
    if any(one.origin != "lidarr" for one in wanted):
        return applied(after, reason="cancelled one of several jobs")
    if wanted and any(attempt.foreign_grab for attempt in acquisition.open_attempts):
        # Lidarr's own download goes on without us: it is watched again.
        ours = (attempt for attempt in after.open_attempts if not attempt.foreign_grab)
        watched, orders = abandon(after, ours, context, signal.reason or "cancelled")
        why = "nobody wants it any more; Lidarr goes on by itself"
        return applied(replace(watched, origin="lidarr"), *orders, reason=why)
    return finish(after, State.CANCELLED, context, reason=signal.reason or "cancelled")


def retry(acquisition: Acquisition, signal: JobRetried, context: Context) -> Outcome:
    """Open a finished job again, on the album's active acquisition or by opening its own, with a new budget."""
    job = next((job for job in acquisition.jobs if job.id == signal.job_id), None)
    if job is None:
        return ignored(acquisition, "job_is_elsewhere")
    if job.is_active or job.state is State.COMPLETED:
        return ignored(acquisition, f"job_is_{job.state}")
    if any(
        other.is_active and other.user_id == job.user_id and other.batch_id == job.batch_id
        for other in acquisition.jobs
    ):
        return ignored(acquisition, ALREADY_ASKED)
    if acquisition.budget_spent and not acquisition.is_active and not (signal.reason or "").strip():
        return ignored(acquisition, BUDGET_SPENT)
    reopened = replace(job, state=State.PENDING, finished_at=None, reason=None)
    after = replace(
        acquisition,
        jobs=tuple(reopened if one.id == job.id else one for one in acquisition.jobs),
        origin="asked",
    )
    if acquisition.is_active:
        return applied(after) if acquisition.driven else begin(after, context)
    spent = max((attempt.number for attempt in acquisition.attempts), default=0)
    return begin(
        replace(
            after,
            state=State.PENDING,
            finished_at=None,
            reason=None,
            budget_from=spent,
            budget_spent=False,
            lidarr_album_id=None,
        ),
        context,
    )
