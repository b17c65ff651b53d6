"""An attempt at Soulseek by the rules: searched rung by rung, chosen, counted file by file, handed over, left."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from shared.acquisition.commands import (
    AbandonDownload,
    DropTransfers,
    EnqueueDownload,
    FollowSoulseekSearch,
    ImportAlbum,
    ObservePeer,
    RemoveLeftovers,
    SearchAlbum,
    SearchSoulseek,
)
from shared.acquisition.findings import CommandFailed, LeftoversRemoved
from shared.acquisition.model import AttemptState, State
from shared.acquisition.signals import JobCancelled
from shared.acquisition.soulseek import DOWNLOADED_ALONE, batch_id_for
from tests.shared.acquisition.at_soulseek import (
    PEER,
    all_arrived,
    arrived,
    candidate,
    downloading,
    enqueued,
    import_ended,
    import_refused,
    import_started,
    importing,
    in_state,
    searched,
    searching,
    started,
    transfers_failed,
    waiting,
)
from tests.shared.acquisition.casting import Story, checked, grab, imported


def left(story: Story) -> list[tuple[str, int]]:
    """What was ordered to leave peers: command and attempt."""
    leaving = (AbandonDownload, DropTransfers, RemoveLeftovers)
    return [(type(one).__name__, one.attempt) for one in story.orders if isinstance(one, leaving)]


# --- searched and chosen ---


def test_a_search_is_followed_and_its_time_begins_when_it_has_its_turn() -> None:
    story = waiting()
    assert story.now.attempts[0].searched_at is None
    story.tell(started(story))
    assert story.now.attempts[0].searched_at is not None
    assert story.commands(FollowSoulseekSearch)[0].rung == 0


def test_with_nothing_found_the_next_text_waits_for_its_turn_again() -> None:
    story = searching()
    story.tell(searched(story, rung=0, rungs=2))
    assert (story.now.state, story.states) == (State.SEARCHING, ["searching"])
    assert story.now.attempts[0].searched_at is None, "no deadline runs while it waits in line"
    assert [order.rung for order in story.commands(SearchSoulseek)] == [0, 1]
    story.tell(started(story, rung=1), searched(story, candidate(), rung=1, rungs=2))
    assert story.now.state is State.DOWNLOADING


def test_what_is_chosen_is_noted_before_it_is_ordered() -> None:
    """The download's id at slskd comes from acquisition and attempt, so a file can be told whose it is at any time."""
    story = searching()
    story.tell(searched(story, candidate()))
    attempt, (order,) = story.now.attempts[0], story.commands(EnqueueDownload)
    assert order.batch_id == batch_id_for(story.now.id, 1)
    assert attempt.download_id == str(order.batch_id)
    assert (attempt.peer, attempt.folder, attempt.size_bytes) == (PEER, candidate().folder, candidate().size_bytes)
    assert attempt.release_title == "First Light"
    assert story.last is not None
    assert story.last.reason == "it's the album"


def test_once_enqueued_we_look_at_slskd() -> None:
    story = downloading()
    story.tell(enqueued(story))
    assert [order.peer for order in story.commands(ObservePeer)] == ["slskd"]


@pytest.mark.parametrize("refused", [("01.flac: not shared",), ("01.flac: not shared", "02.flac: not shared")])
def test_a_folder_of_which_a_file_is_refused_is_useless(refused: tuple[str, ...]) -> None:
    story = downloading()
    story.tell(enqueued(story, refused=refused))
    assert story.states == ["failed", "searching"]
    assert str(story.now.attempts[0].reason).startswith("enqueue_refused: 01.flac: not shared")
    assert left(story) == [("DropTransfers", 1)], "the other file may be under way"


# --- counted ---


@pytest.mark.parametrize("batch", [True, False], ids=["with a batch", "without"])
def test_files_are_counted_in_any_order_and_only_once(batch: bool) -> None:
    story = downloading(candidate(tracks=3))
    files = [arrived(story, file, batch=batch) for file in (2, 0, 2, 1, 0)]
    story.tell(*files[:3])
    assert (story.now.state, story.now.attempts[0].files_arrived) == (State.DOWNLOADING, 2)
    story.tell(*files[3:])
    assert (story.now.state, story.now.attempts[0].files_arrived) == (State.IMPORTING, 3)
    assert len(story.commands(ImportAlbum)) == 1
    assert [file.local for file in story.now.attempts[0].files] == [f"/downloads/1/{file}.flac" for file in range(3)]


def test_a_file_that_nobody_wanted_counts_for_nothing() -> None:
    story = downloading()
    other = arrived(downloading(candidate(title="A cover")), 0)
    outcome = story.tell(other)
    assert (outcome.applied, outcome.reason) == (False, "attempt_is_over")
    with_our_id = arrived(story, 0)
    outcome = story.tell(replace(other, batch_id=with_our_id.batch_id))
    assert (outcome.applied, outcome.reason) == (False, "file_is_not_wanted")


@pytest.mark.parametrize("size_bytes", [0, 1])
def test_a_file_that_came_in_part_is_no_file(size_bytes: int) -> None:
    story = downloading()
    story.tell(arrived(story, 0))
    story.tell(arrived(story, 1, size_bytes=size_bytes))
    assert story.states == ["failed", "searching"]
    assert f"has {size_bytes} bytes instead of" in str(story.now.attempts[0].reason)
    assert left(story) == [("DropTransfers", 1), ("RemoveLeftovers", 1)]


def test_a_transfer_that_failed_ends_the_attempt_but_not_once_all_files_are_there() -> None:
    story = downloading()
    story.tell(transfers_failed(story))
    assert story.states == ["failed", "searching"]
    assert left(story) == [("DropTransfers", 1)], "nothing has arrived that could be left over"
    late = importing()
    assert late.tell(transfers_failed(late)).reason == "attempt_is_over"


def test_without_lidarr_an_album_is_complete_with_its_last_file() -> None:
    story = downloading(lidarr=False)
    story.tell(*all_arrived(story))
    assert (story.now.state, story.now.reason, story.states) == (State.COMPLETED, DOWNLOADED_ALONE, ["completed"])
    assert left(story) == [("DropTransfers", 1)]
    assert not story.commands(ImportAlbum)


# --- handed over ---


def test_a_grab_while_we_wait_for_our_turn_takes_the_attempt_over() -> None:
    """Lidarr's own next download after a failure, say: one is enough, and it counts like any other."""
    story = waiting()
    story.tell(grab("D1"))
    (attempt,) = story.now.attempts
    assert (attempt.source, attempt.state, attempt.foreign_grab) == ("lidarr", AttemptState.DOWNLOADING, False)
    for late in (started(story, attempt=1), searched(story, candidate(), attempt=1), transfers_failed(story, 1)):
        assert not story.tell(late).applied
    assert not story.commands(EnqueueDownload)


def test_a_grab_while_we_search_runs_beside_us() -> None:
    story = searching()
    story.tell(grab("D2"))
    assert story.states == ["searching", "downloading"]
    assert story.now.attempts[1].foreign_grab
    story.tell(searched(story, candidate(), attempt=1))
    assert story.states == ["downloading", "downloading"]


@pytest.mark.parametrize("stage", [downloading, importing], ids=["downloading", "importing"])
def test_the_first_import_wins_and_the_other_is_left_at_its_peer(stage: Callable[[], Story]) -> None:
    story = stage()
    story.tell(grab("D2"), imported("D2"))
    story.tell(checked(story, 10))
    assert story.states == ["abandoned", "completed"], "what is merely handed over has brought nothing yet"
    assert ("DropTransfers", 1) in left(story)
    assert not story.commands(AbandonDownload)


def test_ours_comes_in_first_and_lidarrs_is_abandoned() -> None:
    story = downloading()
    story.tell(grab("D2"))
    story.tell(*[arrived(story, file, attempt=1) for file in (0, 1)])
    story.tell(import_started(story, 1), import_ended(story, 10, attempt=1))
    assert (story.now.state, story.states) == (State.COMPLETED, ["completed", "abandoned"])
    assert left(story) == [("AbandonDownload", 2), ("DropTransfers", 1)]


def test_when_ours_fails_lidarrs_goes_on_and_nothing_new_is_begun() -> None:
    story = downloading()
    story.tell(grab("D2"), transfers_failed(story, 1))
    assert story.states == ["failed", "downloading"]
    assert len(story.commands(SearchSoulseek)) == 1
    assert not story.commands(SearchAlbum)


# --- left ---


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (State.PENDING, []),
        (State.SEARCHING, []),
        (State.DOWNLOADING, [("DropTransfers", 1)]),
        (State.IMPORTING, [("DropTransfers", 1), ("RemoveLeftovers", 1)]),
    ],
)
def test_who_cancels_leaves_the_peer(state: State, expected: list[tuple[str, int]]) -> None:
    story = in_state(state)
    story.tell(JobCancelled(job_id=story.now.jobs[0].id))
    assert story.now.state is State.CANCELLED
    assert left(story) == expected


def test_leftovers_stay_for_some_days_and_what_became_of_them_is_noted_after_the_end() -> None:
    story = importing(leftovers_days=3, fallback="none", attempts=1)
    outcome = story.tell(import_refused(story))
    assert story.now.state is State.FAILED
    assert [order.delay_s for order in outcome.orders if isinstance(order.command, RemoveLeftovers)] == [3 * 86_400.0]
    story.tell(LeftoversRemoved(acquisition_id=story.now.id, attempt=1, outcome="not_allowed", size_bytes=5))
    assert (story.now.state, story.now.attempts[0].leftovers) == (State.FAILED, "not_allowed")


def test_a_command_that_ended_dead_ends_the_attempt_that_it_was_about() -> None:
    for stage, command in ((searching, "FollowSoulseekSearch"), (downloading, "EnqueueDownload")):
        story = stage()
        story.tell(CommandFailed(acquisition_id=story.now.id, attempt=1, command=command, reason="broken"))
        assert story.states == ["failed", "searching"]
    for command in ("DropTransfers", "RemoveLeftovers"):
        story = importing()
        outcome = story.tell(CommandFailed(acquisition_id=story.now.id, attempt=1, command=command, reason="broken"))
        assert (outcome.applied, story.states) == (False, ["importing"])


def test_an_import_that_cannot_be_ordered_blames_nobody() -> None:
    story = importing()
    story.tell(
        CommandFailed(acquisition_id=story.now.id, attempt=1, command="ImportAlbum", reason="Lidarr answers 500")
    )
    assert (story.now.state, story.states, story.now.reason) == (State.FAILED, ["abandoned"], "Lidarr answers 500")
    beside = importing()
    beside.tell(grab("D2"))
    beside.tell(
        CommandFailed(acquisition_id=beside.now.id, attempt=1, command="ImportAlbum", reason="Lidarr answers 500")
    )
    assert (beside.now.state, beside.states) == (State.DOWNLOADING, ["abandoned", "downloading"])
