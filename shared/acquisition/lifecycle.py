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
RULES_VERSION = 3

Rule: TypeAlias = Callable[[Acquisition, Any, Context], Outcome]

PENDING, SEARCHING, DOWNLOADING, IMPORTING, COMPLETED, FAILED, CANCELLED = State
_UNDER_WAY = ACTIVE - {PENDING}
_HAS_DOWNLOAD = {DOWNLOADING, IMPORTING}

# Where it goes on after a search that came to nothing: to the next, for which Lidarr may have to know the album first,
# or to the end. After a download that came to nothing also back to another one that still runs.
_NEXT_SEARCH = {PENDING, FAILED}
_NEXT = {PENDING, SEARCHING, DOWNLOADING, FAILED}


def _in(states: Iterable[State], *to: State) -> dict[State, frozenset[State]]:
    """In each of these states a rule may lead to one of those, or leaves the acquisition where it is."""
    return {state: frozenset(to) - {state} for state in states}


_ROWS: tuple[tuple[type[Signal], Rule, Mapping[State, frozenset[State]]], ...] = (
    # people
    (JobRequested, asking.request, _in(ACTIVE) | _in({PENDING}, SEARCHING)),
    (JobRequested, asking.request_in_vain, _in({FAILED})),
    (JobCancelled, asking.cancel, _in(ACTIVE, CANCELLED) | _in({IMPORTING}, DOWNLOADING, CANCELLED)),
    (JobRetried, asking.retry, _in(ACTIVE) | _in(TERMINAL, PENDING, SEARCHING)),
    (SourceAppeared, asking.source_appeared, _in({PENDING}, SEARCHING, FAILED)),
    (Adopted, adopted.adopt, _in({PENDING}, *TERMINAL)),
    # our own commands
    (AlbumReady, searching.album_ready, _in(ACTIVE, COMPLETED) | _in({PENDING}, SEARCHING, COMPLETED, FAILED)),
    (SearchStarted, searching.search_started, _in(_UNDER_WAY)),
    (SearchFinished, searching.search_finished, _in(_UNDER_WAY) | _in({SEARCHING}, *_NEXT_SEARCH)),
    (SourceAway, soulseek.source_away, _in(_UNDER_WAY) | _in({SEARCHING}, *_NEXT_SEARCH)),
    (AlbumChecked, importing.album_checked, _in(ACTIVE, COMPLETED) | _in({IMPORTING}, COMPLETED, *_NEXT)),
    (
        CommandFailed,
        searching.command_failed,
        _in({PENDING}, FAILED)
        | _in({SEARCHING}, *_NEXT_SEARCH)
        | _in({DOWNLOADING}, *_NEXT)
        | _in({IMPORTING}, DOWNLOADING, FAILED),
    ),
    (DownloadAbandoned, importing.noted, _in(State)),
    # Lidarr
    (Grabbed, grabbing.grabbed, _in(State) | _in({PENDING, SEARCHING}, DOWNLOADING)),
    (Imported, importing.imported, _in(ACTIVE, IMPORTING, COMPLETED)),
    (Imported, importing.imported_after_end, _in(TERMINAL)),
    (DownloadFailureHinted, importing.failure_hinted, _in({SEARCHING}) | _in(_HAS_DOWNLOAD, *_NEXT)),
    (DownloadFailed, importing.row_ends_attempt, _in(_HAS_DOWNLOAD, *_NEXT)),
    (ImportIncomplete, importing.row_ends_attempt, _in(_HAS_DOWNLOAD, *_NEXT)),
    (DownloadDropped, importing.row_ends_attempt, _in(_HAS_DOWNLOAD, *_NEXT)),
    (AlbumDeleted, importing.album_deleted, _in(ACTIVE, FAILED)),
    # Soulseek: an attempt there may be under way beside a download that Lidarr began by itself
    (SoulseekSearchStarted, soulseek.search_started, _in(_UNDER_WAY)),
    (SoulseekSearched, soulseek.searched, _in(_UNDER_WAY) | _in({SEARCHING}, DOWNLOADING, *_NEXT_SEARCH)),
    (DownloadEnqueued, soulseek.enqueued, _in({DOWNLOADING}, *_NEXT) | _in({IMPORTING})),
    (FileArrived, soulseek.file_arrived, _in({DOWNLOADING}, IMPORTING, COMPLETED, *_NEXT) | _in({IMPORTING})),
    (TransfersFailed, soulseek.transfers_failed, _in({DOWNLOADING}, *_NEXT) | _in({IMPORTING})),
    (ImportStarted, soulseek.import_started, _in({IMPORTING})),
    (ImportBlocked, soulseek.import_blocked, _in({IMPORTING})),
    (ImportRefused, soulseek.import_refused, _in({IMPORTING}, *_NEXT)),
    (ImportEnded, soulseek.import_ended, _in({IMPORTING}, COMPLETED, *_NEXT)),
    (TransfersDropped, soulseek.transfers_dropped, _in(State)),
    (LeftoversRemoved, soulseek.leftovers_removed, _in(State)),
    # the clock
    (
        DeadlinePassed,
        deadlines.deadline_passed,
        _in({PENDING}, FAILED) | _in({SEARCHING}, *_NEXT_SEARCH) | _in(_HAS_DOWNLOAD, *_NEXT),
    ),
    (DownloadVanished, deadlines.download_vanished, _in(_HAS_DOWNLOAD, *_NEXT)),
)

RULES: Mapping[tuple[State, type[Signal]], Rule] = {(state, signal): rule for signal, rule, to in _ROWS for state in to}
# Where a signal may lead from a state besides leaving it; the diagram in docs/how-it-works.md is made of this.
LEADS_TO: Mapping[tuple[State, type[Signal]], frozenset[State]] = {
    (state, signal): leads for signal, _, to in _ROWS for state, leads in to.items()
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
