"""Which download belongs to which attempt: one hash several times, several hashes at once, downloads of nobody."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from shared.acquisition.commands import AbandonDownload, CheckAlbum, ObservePeer, SearchAlbum
from shared.acquisition.findings import SearchFinished
from shared.acquisition.model import State
from shared.acquisition.signals import DownloadFailureHinted
from tests.shared.acquisition.casting import (
    NOW,
    asked,
    checked,
    downloading,
    dropped,
    failed,
    grab,
    imported,
    importing,
    incomplete,
    ready,
    searching,
    watched,
)


def hint(download: str | None = "D1") -> DownloadFailureHinted:
    return DownloadFailureHinted(download_id=download, release_title=None, at=NOW)


def test_the_straight_road() -> None:
    story = searching()
    story.tell(SearchFinished(acquisition_id=story.now.id, attempt=1, found=1), grab("D1"))
    attempt = story.now.attempts[0]
    assert (attempt.download_id, attempt.release_title, attempt.foreign_grab) == ("D1", "A release", False)
    story.tell(imported("d1"))
    assert story.commands(CheckAlbum)
    story.tell(checked(story, 10))
    assert (story.now.state, story.states) == (State.COMPLETED, ["completed"])
    assert not story.commands(AbandonDownload)


def test_one_hash_grabbed_failed_and_grabbed_again_with_rows() -> None:
    """The late failure of the first grab must not kill the second, nor the second's the third."""
    story = searching()
    story.tell(grab("HASH"), grab("hash", row=10), failed("HASH", row=11))
    assert story.states == ["failed", "searching"]
    again = story.tell(grab("HASH"))
    assert again.orders
    assert story.states == ["failed", "searching"], "a webhook can't tell: the history is asked"
    story.tell(grab("HASH", row=12))
    assert story.states == ["failed", "downloading"]
    story.tell(failed("HASH", row=11), hint("HASH"))
    assert story.states == ["failed", "downloading"], "a row from before its grab"
    story.tell(failed("HASH", row=13))
    assert story.states == ["failed", "failed", "searching"]
    assert [attempt.end_history_id for attempt in story.now.attempts] == [11, 13, None]


def test_both_grabs_are_read_before_both_failures() -> None:
    story = searching()
    story.tell(grab("H", row=10), grab("H", row=12))
    assert story.states == ["downloading", "downloading"]
    story.tell(failed("H", row=13))
    assert story.states == ["downloading", "failed"]
    story.tell(failed("H", row=11))
    assert story.states == ["failed", "failed", "searching"]


def test_without_an_api_key_the_hint_itself_decides() -> None:
    story = asked(lidarr=False)
    story.tell(grab("D1"), hint("d1"))
    assert story.states == ["failed"]
    assert (story.now.state, story.now.reason) == (State.PENDING, "no_source_configured")
    assert story.ordered == [], "there is nobody who could search"
    story.tell(grab("D2"), imported("D2"))
    assert (story.now.state, story.states) == (State.COMPLETED, ["failed", "completed"])


def test_with_an_api_key_a_hint_is_only_a_reason_to_look() -> None:
    story = downloading()
    story.tell(hint("D1"))
    assert (story.states, len(story.commands(ObservePeer))) == (["downloading"], 1)
    assert story.tell(hint("other")).reason == "attempt_is_over"


def test_a_grab_that_nobody_asked_for_is_watched_and_never_driven() -> None:
    story = watched()
    (job,) = story.now.jobs
    assert (job.user_id, job.origin, job.state) == ("lidarr", "lidarr", State.DOWNLOADING)
    story.tell(hint("D1"), failed("D1", row=9))
    assert (story.now.state, story.states) == (State.FAILED, ["failed"])
    assert set(story.ordered) <= {"ObservePeer"}


@pytest.mark.parametrize("end", [incomplete(row=9), dropped(row=9), failed(row=9)])
def test_whatever_ends_a_watched_download_gives_no_order_to_its_peer(end: object) -> None:
    story = watched()
    story.tell(imported("D1"), end)  # type: ignore[arg-type]
    assert story.now.state is State.FAILED
    assert not story.commands(SearchAlbum) + story.commands(AbandonDownload)


def test_a_foreign_grab_beside_our_own_and_the_first_import_wins() -> None:
    story = downloading("OURS")
    story.tell(grab("THEIRS"))
    assert [one.foreign_grab for one in story.now.attempts] == [False, True]
    story.tell(imported("THEIRS"), checked(story, 10))
    assert (story.now.state, story.states) == (State.COMPLETED, ["abandoned", "completed"])
    assert [order.download_id for order in story.commands(AbandonDownload)] == ["OURS"]


def test_our_own_import_wins_and_the_foreign_one_is_abandoned() -> None:
    story = downloading("OURS")
    story.tell(grab("THEIRS"), imported("OURS"), imported("THEIRS"), checked(story, 10))
    assert story.states == ["completed", "abandoned"]
    assert [order.download_id for order in story.commands(AbandonDownload)] == ["THEIRS"]


def test_a_foreign_download_that_fails_costs_nothing() -> None:
    story = downloading("OURS", attempts=1)
    story.tell(grab("THEIRS"), failed("THEIRS", row=9))
    assert (story.now.state, story.states) == (State.DOWNLOADING, ["downloading", "failed"])
    story.tell(failed("OURS", row=10))
    assert str(story.now.reason).startswith("attempts_spent")


def test_files_that_a_person_put_there_leave_our_download_to_be_abandoned() -> None:
    story = downloading("OURS")
    story.tell(imported(None), checked(story, 10))
    assert (story.now.state, story.states) == (State.COMPLETED, ["abandoned"])
    assert [order.download_id for order in story.commands(AbandonDownload)] == ["OURS"]


def test_an_import_before_its_grab() -> None:
    story = searching()
    story.tell(imported("D1"), grab("D1"), grab("D1", row=7))
    assert story.states == ["importing"]
    attempt = story.now.attempts[0]
    assert (attempt.download_id, attempt.grab_seen, attempt.grab_history_id) == ("D1", True, 7)
    assert story.tell(grab("D1", row=7)).reason == "already_known"


def test_a_part_of_the_album_is_not_the_album() -> None:
    story = importing()
    story.tell(checked(story, 3))
    assert (story.now.state, story.now.reason) == (State.IMPORTING, "partial: 3 of 10 tracks")
    story.tell(imported("D1"), checked(story, 10))
    assert story.now.state is State.COMPLETED


def test_a_part_that_stays_a_part_is_blocked_and_the_next_is_searched() -> None:
    story = importing()
    story.tell(checked(story, 3), incomplete(row=9))
    assert story.states == ["failed", "searching"]
    (drop,) = story.commands(AbandonDownload)
    assert (drop.download_id, drop.blocklist) == ("D1", True)


def test_tracks_that_lidarr_does_not_know_yet_are_asked_for_later() -> None:
    story = importing()
    outcome = story.tell(checked(story, 0, 0))
    assert story.now.state is State.IMPORTING
    (again,) = outcome.orders
    assert isinstance(again.command, CheckAlbum)
    assert again.delay_s > 5


def test_a_check_that_finds_the_album_whole_after_its_import_failed_abandons_what_still_runs() -> None:
    story = importing()
    story.tell(incomplete(row=9), grab("D2"), checked(story, 10))
    assert (story.now.state, story.states) == (State.COMPLETED, ["failed", "abandoned"])
    assert [order.download_id for order in story.commands(AbandonDownload)][-1] == "D2"


def test_rows_from_before_our_time_belong_to_others() -> None:
    story = asked()
    story.tell(ready(story, floor=100))
    for old in (grab("OLD", row=100), imported("OLD", row=99)):
        assert story.tell(old).reason == "from_before_our_time"
    assert story.states == ["searching"]
    story.tell(grab("NEW", row=101))
    assert story.tell(failed("NEW", row=100)).reason == "from_before_our_time"
    assert story.states == ["downloading"]
    story.tell(ready(story, floor=500))
    assert story.now.history_floor == 100, "the floor is laid once"


def test_a_watched_album_found_in_history_begins_with_that_row() -> None:
    story = watched(None)
    assert story.now.history_floor is None
    found = watched(None)
    found.now = replace(found.now, sequence=0, attempts=(), jobs=(), state=State.PENDING)
    found.tell(grab("D1", row=50))
    assert found.now.history_floor == 49


def test_a_blackhole_knows_its_grabs_by_title_alone() -> None:
    story = searching()
    story.tell(grab(None, title="One"))
    assert story.states == ["downloading"]
    assert story.tell(grab(None, title="One")).reason == "already_grabbed"
    story.tell(grab(None, title="Two"))
    assert story.states == ["downloading", "downloading"]
    story.tell(imported("Blackhole_One_123"), checked(story, 10))
    assert story.now.state is State.COMPLETED


def test_a_grab_without_id_and_title_is_not_taken_for_a_search() -> None:
    story = searching()
    story.tell(replace(grab(None), release_title=None))
    assert story.states == ["downloading"]


def test_the_same_grab_twice_is_one_download_even_after_its_end() -> None:
    story = importing(lidarr=False)
    assert story.now.state is State.COMPLETED
    assert story.tell(grab("D1")).reason == "already_grabbed"
    assert story.states == ["completed"]


def test_a_row_of_another_download_ends_nothing() -> None:
    story = downloading("D1")
    assert story.tell(failed("D2", row=9)).reason == "attempt_is_over"
    assert story.tell(failed(None, row=9)).reason == "attempt_is_over"
    assert story.states == ["downloading"]
