"""The state machine: one table from (state, signal) to a rule. A pair that isn't in it is ignored, with a reason.

Pure: clock, settings and configuration come in the context, so the same decision can be made again at any time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from msgspec.structs import replace

from shared.acquisition import adopted, asking, deadlines, grabbing, importing, searching, soulseek
from shared.acquisition.adopted import Adopted
from shared.acquisition.commands import RollUpBatch
from shared.acquisition.findings import (
    AlbumChecked,
    AlbumReady,
    CommandFailed,
    DeadlinePassed,
    DownloadAbandoned,
    DownloadEnqueued,
    DownloadVanished,
    ImportBlocked,
    ImportEnded,
    ImportRefused,
    ImportStarted,
    LeftoversRemoved,
    SearchFinished,
    SearchStarted,
    SoulseekSearched,
    SoulseekSearchStarted,
    SourceAppeared,
    SourceAway,
    TransfersDropped,
    TransfersFailed,
)
from shared.acquisition.model import ACTIVE, TERMINAL, Acquisition, Context, Order, Outcome, State
from shared.acquisition.signals import (
    AlbumDeleted,
    DownloadDropped,
    DownloadFailed,
    DownloadFailureHinted,
    FileArrived,
    Grabbed,
    Imported,
    ImportIncomplete,
    JobCancelled,
    JobRequested,
    JobRetried,
    Signal,
)
from shared.acquisition.steps import ignored

# Counted up whenever a rule decides otherwise than before: older decisions are then applied as recorded.
RULES_VERSION = 2

Rule: TypeAlias = Callable[[Acquisition, Any, Context], Outcome]

_UNDER_WAY = ACTIVE - {State.PENDING}

_ROWS: tuple[tuple[Iterable[State], type[Signal], Rule], ...] = (
    # people
    (ACTIVE, JobRequested, asking.request),
    ({State.FAILED}, JobRequested, asking.request_in_vain),
    (ACTIVE, JobCancelled, asking.cancel),
    (State, JobRetried, asking.retry),
    ({State.PENDING}, SourceAppeared, asking.source_appeared),
    ({State.PENDING}, Adopted, adopted.adopt),
    # our own commands
    (ACTIVE, AlbumReady, searching.album_ready),
    (_UNDER_WAY, SearchStarted, searching.search_started),
    (_UNDER_WAY, SearchFinished, searching.search_finished),
    (_UNDER_WAY, SourceAway, soulseek.source_away),
    (ACTIVE, AlbumChecked, importing.album_checked),
    (ACTIVE, CommandFailed, searching.command_failed),
    (State, DownloadAbandoned, importing.noted),
    # Lidarr
    (State, Grabbed, grabbing.grabbed),
    (ACTIVE, Imported, importing.imported),
    (TERMINAL, Imported, importing.imported_after_end),
    (_UNDER_WAY, DownloadFailureHinted, importing.failure_hinted),
    (_UNDER_WAY, DownloadFailed, importing.row_ends_attempt),
    (_UNDER_WAY, ImportIncomplete, importing.row_ends_attempt),
    (_UNDER_WAY, DownloadDropped, importing.row_ends_attempt),
    (ACTIVE, AlbumDeleted, importing.album_deleted),
    # Soulseek: an attempt there may be under way beside a download that Lidarr began by itself
    (_UNDER_WAY, SoulseekSearchStarted, soulseek.search_started),
    (_UNDER_WAY, SoulseekSearched, soulseek.searched),
    (_UNDER_WAY, DownloadEnqueued, soulseek.enqueued),
    (_UNDER_WAY, FileArrived, soulseek.file_arrived),
    (_UNDER_WAY, TransfersFailed, soulseek.transfers_failed),
    (_UNDER_WAY, ImportStarted, soulseek.import_started),
    (_UNDER_WAY, ImportBlocked, soulseek.import_blocked),
    (_UNDER_WAY, ImportRefused, soulseek.import_refused),
    (_UNDER_WAY, ImportEnded, soulseek.import_ended),
    (State, TransfersDropped, soulseek.transfers_dropped),
    (State, LeftoversRemoved, soulseek.leftovers_removed),
    # the clock
    (ACTIVE, DeadlinePassed, deadlines.deadline_passed),
    (_UNDER_WAY, DownloadVanished, deadlines.download_vanished),
)

RULES: Mapping[tuple[State, type[Signal]], Rule] = {
    (state, signal): rule for states, signal, rule in _ROWS for state in states
}


def decide(acquisition: Acquisition, signal: Signal, context: Context) -> Outcome:
    """What becomes of an acquisition when a signal arrives: the one place where state changes."""
    rule = RULES.get((acquisition.state, type(signal)))
    if rule is None:
        return ignored(acquisition, f"acquisition_is_{acquisition.state}")
    outcome = rule(acquisition, signal, context)
    return _with_jobs(acquisition, outcome, context) if outcome.applied else outcome


def _with_jobs(before: Acquisition, outcome: Outcome, context: Context) -> Outcome:
    """Active jobs stand where their acquisition stands; a job that ended or began has its batch recounted."""
    after = outcome.after
    ended = context.now if after.state in TERMINAL else None
    jobs = tuple(
        replace(job, state=after.state, reason=after.reason, finished_at=ended)
        if job.is_active and (job.state, job.reason) != (after.state, after.reason)
        else job
        for job in after.jobs
    )
    was_active = {job.id: job.is_active for job in before.jobs}
    begun_or_ended = [job for job in jobs if was_active.get(job.id, False) is not job.is_active]
    batches = sorted({job.batch_id for job in begun_or_ended if job.batch_id})
    roll_ups = tuple(Order(RollUpBatch(batch_id=batch_id)) for batch_id in batches)
    return Outcome(
        replace(after, jobs=jobs, updated_at=context.now),
        applied=True,
        reason=outcome.reason,
        orders=(*outcome.orders, *roll_ups),
    )
