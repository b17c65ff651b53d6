"""The table itself: every row does what it says, and whatever isn't in it changes nothing."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, get_args
from uuid import uuid4

import pytest
from msgspec.structs import replace

from shared.acquisition.adopted import Adopted, BatchAdopted
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
    WantedRequested,
)
from shared.acquisition.lifecycle import RULES, decide
from shared.acquisition.model import ACTIVE, TERMINAL, State
from shared.acquisition.signals import (
    AlbumDeleted,
    BatchCancelled,
    BatchRequested,
    DownloadDropped,
    DownloadFailed,
    DownloadFailureHinted,
    EventsRetried,
    FileArrived,
    Grabbed,
    Imported,
    ImportFailureHinted,
    ImportIncomplete,
    JobCancelled,
    JobRequested,
    JobRetried,
    Replayed,
    SettingChanged,
    Signal,
)
from tests.shared.acquisition import at_soulseek
from tests.shared.acquisition.casting import (
    NOW,
    REF,
    Story,
    checked,
    context,
    dropped,
    failed,
    grab,
    imported,
    in_state,
    incomplete,
    ready,
    wish,
)

SAID: dict[type[Any], Callable[[Story], Signal]] = {
    JobRequested: lambda story: wish("somebody else"),
    JobCancelled: lambda story: JobCancelled(job_id=story.now.jobs[0].id),
    JobRetried: lambda story: JobRetried(job_id=story.now.jobs[0].id),
    SourceAppeared: lambda story: SourceAppeared(acquisition_id=story.now.id),
    AlbumReady: ready,
    SearchStarted: lambda story: SearchStarted(acquisition_id=story.now.id, attempt=1, command_id=5),
    SearchFinished: lambda story: SearchFinished(acquisition_id=story.now.id, attempt=1, found=0),
    AlbumChecked: lambda story: checked(story, 10),
    CommandFailed: lambda story: CommandFailed(
        acquisition_id=story.now.id, attempt=None, command="CheckAlbum", reason="Lidarr is away"
    ),
    DownloadAbandoned: lambda story: DownloadAbandoned(acquisition_id=story.now.id, attempt=1, dropped=True),
    Grabbed: lambda story: grab("D2"),
    Imported: lambda story: imported("D1"),
    DownloadFailureHinted: lambda story: DownloadFailureHinted(download_id="d1", release_title=None, at=NOW),
    DownloadFailed: lambda story: failed(row=100),
    ImportIncomplete: lambda story: incomplete(row=100),
    DownloadDropped: lambda story: dropped(row=100),
    AlbumDeleted: lambda story: AlbumDeleted(album=REF),
    BatchRequested: lambda story: BatchRequested(user_id="me", albums=()),
    BatchCancelled: lambda story: BatchCancelled(batch_id=uuid4()),
    Replayed: lambda story: Replayed(of=uuid4()),
    SettingChanged: lambda story: SettingChanged(name="observe_interval", value=5, version=2),
    EventsRetried: lambda story: EventsRetried(of=uuid4()),
    ImportFailureHinted: lambda story: ImportFailureHinted(),
    Adopted: lambda story: Adopted(acquisition_id=story.now.id, acquisition=story.now, original={}),
    BatchAdopted: lambda story: BatchAdopted(batch_id=uuid4(), version=1, original={}),
    SoulseekSearchStarted: at_soulseek.started,
    SoulseekSearched: lambda story: at_soulseek.searched(story, at_soulseek.candidate("somebody")),
    SourceAway: at_soulseek.away,
    DownloadEnqueued: at_soulseek.enqueued,
    FileArrived: lambda story: FileArrived(
        batch_id=at_soulseek.batch_id_for(story.now.id, 1),
        transfer_id=None,
        username=at_soulseek.PEER,
        remote_filename=at_soulseek.candidate().files[0].filename,
        local_filename="/downloads/1/0.flac",
        size_bytes=at_soulseek.candidate().files[0].size_bytes,
    ),
    TransfersFailed: at_soulseek.transfers_failed,
    TransfersDropped: lambda story: TransfersDropped(acquisition_id=story.now.id, attempt=1, cancelled=1, removed=2),
    LeftoversRemoved: lambda story: LeftoversRemoved(
        acquisition_id=story.now.id, attempt=1, outcome="removed", size_bytes=5
    ),
    ImportStarted: at_soulseek.import_started,
    ImportBlocked: at_soulseek.import_blocked,
    ImportRefused: at_soulseek.import_refused,
    ImportEnded: lambda story: at_soulseek.import_ended(story, 10),
    DownloadVanished: lambda story: DownloadVanished(acquisition_id=story.now.id, attempt=1, readings=3),
    DeadlinePassed: lambda story: at_soulseek.deadline(story, "absolute"),
    WantedRequested: lambda story: WantedRequested(user_id="me", limit=5, batch_event_id=uuid4()),
}

_UNDER_WAY = ACTIVE - {State.PENDING}
# state → signal → the state afterwards, for every pair in the table whose signal changes something in these castings
_BECOMES_ANYWHERE: dict[tuple[State, type[Any]], State] = {
    **{(state, JobRequested): state for state in ACTIVE},
    **{(state, JobCancelled): State.CANCELLED for state in ACTIVE},
    **{(state, JobRetried): State.PENDING for state in (State.FAILED, State.CANCELLED)},
    (State.PENDING, AlbumReady): State.SEARCHING,
    **{(state, AlbumReady): state for state in _UNDER_WAY},
    **{(state, AlbumChecked): State.COMPLETED for state in ACTIVE},
    **{(state, CommandFailed): state for state in ACTIVE},
    **{(state, DownloadAbandoned): state for state in State},
    **{(state, TransfersDropped): state for state in State},
    (State.FAILED, JobRequested): State.FAILED,
    (State.SEARCHING, SourceAway): State.SEARCHING,
    (State.PENDING, Grabbed): State.DOWNLOADING,
    (State.SEARCHING, Grabbed): State.DOWNLOADING,
    (State.DOWNLOADING, Grabbed): State.DOWNLOADING,
    (State.IMPORTING, Grabbed): State.IMPORTING,
    **{(state, Imported): State.IMPORTING for state in ACTIVE},
    **{(state, AlbumDeleted): State.FAILED for state in ACTIVE},
    **{(state, DeadlinePassed): State.SEARCHING for state in _UNDER_WAY},
}
BECOMES: dict[str, dict[tuple[State, type[Any]], State]] = {
    "at Lidarr": {
        **_BECOMES_ANYWHERE,
        (State.SEARCHING, SearchStarted): State.SEARCHING,
        (State.SEARCHING, SearchFinished): State.FAILED,
        **{(state, DownloadFailureHinted): state for state in (State.DOWNLOADING, State.IMPORTING)},
        **{
            (state, row): State.SEARCHING
            for state in (State.DOWNLOADING, State.IMPORTING)
            for row in (DownloadFailed, ImportIncomplete, DownloadDropped, DownloadVanished)
        },
    },
    "at Soulseek": {
        **_BECOMES_ANYWHERE,
        (State.SEARCHING, SoulseekSearchStarted): State.SEARCHING,
        (State.SEARCHING, SoulseekSearched): State.DOWNLOADING,
        (State.DOWNLOADING, DownloadEnqueued): State.DOWNLOADING,
        (State.DOWNLOADING, FileArrived): State.DOWNLOADING,
        (State.DOWNLOADING, TransfersFailed): State.SEARCHING,
        (State.IMPORTING, ImportStarted): State.IMPORTING,
        (State.IMPORTING, ImportBlocked): State.IMPORTING,
        (State.IMPORTING, ImportRefused): State.SEARCHING,
        (State.IMPORTING, ImportEnded): State.COMPLETED,
        **{(state, LeftoversRemoved): state for state in (*_UNDER_WAY, State.COMPLETED)},
    },
}
CASTINGS: dict[str, Callable[[State], Story]] = {"at Lidarr": in_state, "at Soulseek": at_soulseek.in_state}
PAIRS = list(itertools.product(State, get_args(Signal)))


def test_every_signal_is_cast() -> None:
    assert set(SAID) == set(get_args(Signal))


@pytest.mark.parametrize("casting", CASTINGS)
@pytest.mark.parametrize(("state", "signal"), PAIRS, ids=lambda one: getattr(one, "__name__", one))
def test_each_pair_of_state_and_signal(state: State, signal: type[Any], casting: str) -> None:
    story = CASTINGS[casting](state)
    assert story.now.state is state
    before = story.now
    outcome = story.tell(SAID[signal](story))
    expected = BECOMES[casting].get((state, signal))
    if expected is None:
        assert not outcome.applied
        assert outcome.reason
        assert replace(story.now, sequence=before.sequence) == before
    else:
        assert (state, signal) in RULES
        assert outcome.applied
        assert story.now.state is expected
    assert {job.state for job in story.now.jobs if job.is_active} <= {story.now.state}
    assert (story.now.finished_at is not None) == (story.now.state in TERMINAL)


@pytest.mark.parametrize(("state", "signal"), [pair for pair in PAIRS if pair not in RULES])
def test_a_pair_outside_the_table_is_ignored_with_the_state_as_its_reason(state: State, signal: type[Any]) -> None:
    story = in_state(state)
    outcome = decide(story.now, SAID[signal](story), context())
    assert (outcome.applied, outcome.reason, outcome.orders) == (False, f"acquisition_is_{state}", ())
    assert outcome.after is story.now


def test_every_row_of_the_table_is_cast_somewhere() -> None:
    ignored_in_any_state = {Adopted, SourceAppeared}  # these have tests of their own
    told = {signal for becomes in BECOMES.values() for _, signal in becomes}
    assert {signal for _, signal in RULES} - told == ignored_in_any_state


@pytest.mark.parametrize("casting", CASTINGS)
@pytest.mark.parametrize(
    "signal",
    [
        *(AlbumReady, SearchFinished, Grabbed, Imported, DownloadFailed, AlbumChecked, SoulseekSearched, FileArrived),
        *(TransfersFailed, ImportRefused, ImportEnded, DownloadVanished),
    ],
)
def test_the_same_signal_twice_is_as_good_as_once(signal: type[Any], casting: str) -> None:
    for state in ACTIVE:
        once, twice = CASTINGS[casting](state), CASTINGS[casting](state)
        once.tell(SAID[signal](once))
        said = SAID[signal](twice)
        twice.tell(said, said)
        assert twice.now.state is once.now.state
        assert twice.states == once.states
