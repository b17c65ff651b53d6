"""What holds after any sequence of signals whatever, likely or not."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.acquisition.commands import AbandonDownload, EnsureAlbum, SearchAlbum
from shared.acquisition.findings import CommandFailed, DownloadAbandoned, SearchFinished, SearchStarted, SourceAppeared
from shared.acquisition.model import TERMINAL, AttemptState, State
from shared.acquisition.signals import AlbumDeleted, DownloadFailureHinted, JobCancelled, JobRetried, Signal
from tests.shared.acquisition.casting import (
    NOW,
    REF,
    Story,
    asked,
    blank,
    checked,
    dropped,
    failed,
    grab,
    imported,
    incomplete,
    ready,
    watched,
    wish,
)

_ORDER_OF_PROGRESS = {
    AttemptState.IMPORTING: State.IMPORTING,
    AttemptState.DOWNLOADING: State.DOWNLOADING,
    AttemptState.SEARCHING: State.SEARCHING,
}
BATCHES = [None, UUID(int=1), UUID(int=2)]
downloads = st.sampled_from([None, "D1", "d1", "D2", "D3"])
rows = st.integers(min_value=1, max_value=12)
maybe_rows = st.none() | rows
# What a signal is, given the story that it comes to: drawn as a name with its arguments, so that failures read well.
moves = st.one_of(
    st.tuples(st.just("ask"), st.sampled_from(["ann", "bob"]), st.sampled_from(BATCHES)),
    st.tuples(st.just("cancel"), st.integers(0, 3)),
    st.tuples(st.just("retry"), st.integers(0, 3)),
    st.tuples(st.just("source")),
    st.tuples(st.just("ready"), st.sampled_from([0, 3, 10]), st.none() | rows),
    st.tuples(st.just("search started"), st.integers(1, 4)),
    st.tuples(st.just("search finished"), st.integers(1, 4), st.sampled_from([None, 0, 1])),
    st.tuples(st.just("checked"), st.sampled_from([0, 3, 10]), st.sampled_from([0, 10])),
    st.tuples(st.just("command failed"), st.sampled_from(["EnsureAlbum", "SearchAlbum", "CheckAlbum"])),
    st.tuples(st.just("abandoned")),
    st.tuples(st.just("grab"), downloads, maybe_rows),
    st.tuples(st.just("imported"), downloads, maybe_rows),
    st.tuples(st.just("hint"), downloads),
    st.tuples(st.just("failed"), downloads, rows),
    st.tuples(st.just("incomplete"), downloads, rows),
    st.tuples(st.just("dropped"), downloads, rows),
    st.tuples(st.just("deleted")),
)


def signal_of(move: Any, story: Story) -> Signal:
    of = story.now.id
    match move:
        case ("ask", user, batch):
            return wish(user, batch)
        case ("cancel", number) | ("retry", number):
            jobs = story.now.jobs
            job = jobs[number % len(jobs)].id if jobs else UUID(int=0)
            return JobCancelled(job_id=job) if move[0] == "cancel" else JobRetried(job_id=job)
        case ("source",):
            return SourceAppeared(acquisition_id=of)
        case ("ready", files, floor):
            return ready(story, files, floor=floor)
        case ("search started", attempt):
            return SearchStarted(acquisition_id=of, attempt=attempt, command_id=1)
        case ("search finished", attempt, found):
            return SearchFinished(acquisition_id=of, attempt=attempt, found=found)
        case ("checked", files, tracks):
            return checked(story, files, tracks)
        case ("command failed", command):
            attempt = story.now.current.number if command == "SearchAlbum" and story.now.current else None
            return CommandFailed(acquisition_id=of, attempt=attempt, command=command, reason="broken")
        case ("abandoned",):
            return DownloadAbandoned(acquisition_id=of, attempt=1, dropped=True)
        case ("grab", download, row):
            return grab(download, row=row)
        case ("imported", download, row):
            return imported(download, row=row)
        case ("hint", download):
            return DownloadFailureHinted(download_id=download, release_title=None, at=NOW)
        case ("failed", download, row):
            return failed(download, row=row)
        case ("incomplete", download, row):
            return incomplete(download, row=row)
        case ("dropped", download, row):
            return dropped(download, row=row)
        case ("deleted",):
            return AlbumDeleted(album=REF)
    raise AssertionError(move)


def holds(story: Story) -> None:
    """What is true of every acquisition after every decision."""
    one = story.now
    assert (one.state in TERMINAL) == (one.finished_at is not None)
    assert [attempt.number for attempt in one.attempts] == list(range(1, len(one.attempts) + 1))
    for attempt in one.attempts:
        assert attempt.is_open == (attempt.finished_at is None)
    if one.state in TERMINAL:
        assert one.open_attempts == ()
        assert not any(job.is_active for job in one.jobs)
    else:
        open_states = {attempt.state for attempt in one.open_attempts}
        furthest = next((to for state, to in _ORDER_OF_PROGRESS.items() if state in open_states), State.PENDING)
        assert one.state is furthest
        assert {job.state for job in one.jobs if job.is_active} == {one.state}, "an active album is somebody's"
    assert sum(attempt.state is AttemptState.COMPLETED for attempt in one.attempts) <= 1 + one.budget_from
    assert sum(attempt.state is AttemptState.SEARCHING for attempt in one.attempts) <= 1
    asked_for = [(job.user_id, job.batch_id) for job in one.jobs if job.is_active]
    assert len(asked_for) == len(set(asked_for)), "the index would refuse it"


@settings(max_examples=300)
@given(moves=st.lists(moves, max_size=25), lidarr=st.booleans(), attempts=st.integers(1, 3))
def test_any_story_of_an_asked_album(moves: list[Any], lidarr: bool, attempts: int) -> None:
    story = asked(lidarr=lidarr, attempts=attempts)
    holds(story)
    for move in moves:
        before, signal = story.now, signal_of(move, story)
        outcome = story.tell(signal)
        holds(story)
        if before.state in TERMINAL and not isinstance(signal, JobRetried):
            assert story.now.state is before.state, "only a person opens again what is over"
        if not outcome.applied:
            assert outcome.reason
            assert outcome.after is before
    if not lidarr:
        assert not story.commands(SearchAlbum) + story.commands(EnsureAlbum) + story.commands(AbandonDownload)


@settings(max_examples=200)
@given(moves=st.lists(moves.filter(lambda move: move[0] not in ("ask", "retry")), max_size=25), lidarr=st.booleans())
def test_a_watched_album_is_never_driven_whatever_comes(moves: list[Any], lidarr: bool) -> None:
    story = watched(lidarr=lidarr)
    for move in moves:
        story.tell(signal_of(move, story))
        holds(story)
    assert not story.commands(SearchAlbum) + story.commands(EnsureAlbum) + story.commands(AbandonDownload)


@settings(max_examples=200)
@given(moves=st.lists(moves, max_size=20), lidarr=st.booleans())
def test_one_who_asks_before_anything_else_gets_no_second_job_by_any_story(moves: list[Any], lidarr: bool) -> None:
    story = Story(blank(), lidarr=lidarr)
    cause = UUID(int=7)
    story.tell(wish("ann"), cause=cause)
    for move in moves:
        story.tell(signal_of(move, story))
    story.tell(wish("ann"), cause=cause)
    assert len({job.id for job in story.now.jobs}) == len(story.now.jobs)
    holds(story)


@settings(max_examples=200)
@given(data=st.data())
def test_grab_and_failure_of_one_hash_never_kill_the_wrong_attempt(data: st.DataObject) -> None:
    """Rows 1, 3, 5 … are grabs of one hash, 2, 4 … their failures; the last grab has none. Webhooks come anywhere.

    In whatever order rows are read, as long as a grab's row comes before its failure's, the last grab stays alive.
    """
    count = data.draw(st.integers(2, 4))
    story = asked(attempts=9)
    story.tell(ready(story, floor=0))
    order = data.draw(st.permutations([(number, kind) for number in range(count) for kind in ("grab", "fail")]))
    waiting = [(number, kind) for number, kind in order if (number, kind) != (count - 1, "fail")]
    grabs_read: set[int] = set()
    while waiting:
        number, kind = next(one for one in waiting if one[1] == "grab" or one[0] in grabs_read)
        waiting.remove((number, kind))
        if data.draw(st.booleans()):
            story.tell(data.draw(st.sampled_from([grab("HASH"), hint_of("hash")])))
        if kind == "grab":
            grabs_read.add(number)
            story.tell(grab("HASH", row=2 * number + 1))
        else:
            story.tell(failed("hash", row=2 * number + 2))
    alive = [attempt for attempt in story.now.attempts if attempt.state is AttemptState.DOWNLOADING]
    assert [attempt.grab_history_id for attempt in alive] == [2 * count - 1]


def hint_of(download: str) -> DownloadFailureHinted:
    return DownloadFailureHinted(download_id=download, release_title=None, at=NOW)
