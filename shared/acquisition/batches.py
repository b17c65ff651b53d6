"""The rules whose subject is a batch: opened, cancelled, counted. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from msgspec.structs import replace

from shared.acquisition.choosing import is_spent
from shared.acquisition.commands import RollUpBatch
from shared.acquisition.model import Acquisition, Context, Order, State
from shared.acquisition.signals import BatchCancelled, BatchRequested, JobCancelled, JobRequested, Signal
from shared.acquisition.workspace import Batch, Decision, Workspace, record
from shared.eventlog.identity import derived_id

STALE = "stale_version"
# A missing album that couldn't be had is asked for anew by the clock after this long, however often the clock looks.
ASK_AGAIN_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class BatchDecision:
    """The record of a decision about a batch, and what it means for albums and jobs."""

    record: Decision
    signals: tuple[Signal, ...] = ()
    orders: tuple[Order, ...] = field(default=())


def batch_id_for(cause: UUID) -> UUID:
    """The id of the batch that an event makes; a replay finds the same one."""
    return derived_id(cause, "batch")


def not_asked_lately(signal: BatchRequested, work: Workspace, now: datetime) -> BatchRequested:
    """What Lidarr misses, without what is being got, was asked for within ASK_AGAIN_AFTER, or has spent its budget."""
    return replace(
        signal, albums=tuple(wish for wish in signal.albums if not _asked_lately(work, wish.album_mbid, now))
    )


def _asked_lately(work: Workspace, album: UUID, now: datetime) -> bool:
    if work.active_for(album) is not None:
        return True
    last = work.last_for(album)
    if last is None or last.finished_at is None:
        return False
    return is_spent(last, now) or (last.driven and now - last.finished_at < ASK_AGAIN_AFTER)


def decide(signal: BatchRequested | BatchCancelled, work: Workspace, context: Context, event_id: UUID) -> BatchDecision:
    """Open or cancel a batch in the workspace; its jobs follow as signals of their own."""
    if isinstance(signal, BatchRequested):
        return _open(signal, work, context, event_id)
    return _cancel(signal, work, context, event_id)


def _open(signal: BatchRequested, work: Workspace, context: Context, event_id: UUID) -> BatchDecision:
    wishes = {wish.album_mbid: wish for wish in reversed(signal.albums)}
    batch = Batch(
        id=batch_id_for(context.cause),
        user_id=signal.user_id,
        label=signal.label,
        state="active",
        version=1,
        total=len(wishes),
        completed=0,
        failed=0,
        cancelled=0,
        created_at=context.now,
        sequence=1,
    )
    work.batches[batch.id] = batch
    requests = tuple(
        JobRequested(user_id=signal.user_id, album=wishes[album], batch_id=batch.id, origin=signal.origin)
        for album in sorted(wishes)
    )
    decision = _record(batch, signal, context, event_id, reason=None, applied=True)
    return BatchDecision(decision, requests, (Order(RollUpBatch(batch_id=batch.id)),))


def _cancel(signal: BatchCancelled, work: Workspace, context: Context, event_id: UUID) -> BatchDecision:
    batch = work.batches[signal.batch_id]
    numbered = replace(batch, sequence=batch.sequence + 1)
    if signal.expected_version is not None and signal.expected_version != batch.version:
        work.batches[batch.id] = numbered
        return BatchDecision(_record(numbered, signal, context, event_id, reason=STALE, applied=False))
    if batch.state != "active":
        work.batches[batch.id] = numbered
        return BatchDecision(
            _record(numbered, signal, context, event_id, reason=f"batch_is_{batch.state}", applied=False)
        )
    after = replace(numbered, state="cancelled", version=batch.version + 1, finished_at=context.now)
    work.batches[batch.id] = after
    cancels = tuple(
        cancelled for one in list(work.acquisitions.values()) if (cancelled := cancel_within(one, signal)) is not None
    )
    decision = _record(after, signal, context, event_id, reason=signal.reason, applied=True)
    return BatchDecision(decision, cancels, (Order(RollUpBatch(batch_id=batch.id)),))


def cancel_within(acquisition: Acquisition, signal: BatchCancelled) -> JobCancelled | None:
    """What the cancel of a batch means for one album: the end of every open job that it has there, several people's
    too; None where it has none."""
    jobs = [job.id for job in acquisition.jobs if job.batch_id == signal.batch_id and job.is_active]
    if not jobs:
        return None
    return JobCancelled(job_id=jobs[0], others=tuple(jobs[1:]), reason=signal.reason or "batch_cancelled")


def _record(
    batch: Batch, signal: Signal, context: Context, event_id: UUID, *, reason: str | None, applied: bool
) -> Decision:
    return record(
        subject_id=batch.id,
        sequence=batch.sequence,
        kind="batch",
        event_id=event_id,
        signal=signal,
        context=context,
        applied=applied,
        reason=reason,
        after_state=batch.state,
        changes={"version": batch.version, "total": batch.total},
    )


def recounted(batch: Batch, states: Mapping[State, int], now: datetime) -> Batch:
    """The batch with its counters as its jobs have them; the same object if nothing differs.

    It ends when no job is open any more, and opens again if a job is retried; a cancelled batch stays cancelled.
    Its total grows with an album that is asked for within it later.
    """
    total = max(batch.total, sum(states.values()))
    completed, failed, cancelled = (states.get(one, 0) for one in (State.COMPLETED, State.FAILED, State.CANCELLED))
    ended = completed + failed + cancelled >= total
    if batch.state == "cancelled" and ended:
        state = "cancelled"
    elif not ended:
        state = "active" if batch.state != "cancelled" else "cancelled"
    elif completed:
        state = "completed"
    else:
        state = "failed" if failed else "cancelled"
    counted = replace(batch, state=state, total=total, completed=completed, failed=failed, cancelled=cancelled)
    if counted == batch:
        return batch
    finished = None if state == "active" else batch.finished_at or now
    return replace(counted, version=batch.version + 1, finished_at=finished)
