"""Files from Soulseek on their way into Lidarr: what an import is of, and what it blames. Pure."""

from __future__ import annotations

from shared.acquisition.commands import (
    AbandonDownload,
    CheckAlbum,
    DropTransfers,
    FollowImport,
    ImportAlbum,
    RemoveLeftovers,
)
from shared.acquisition.model import State
from shared.acquisition.soulseek import IMPORT_AGAIN_S
from tests.shared.acquisition.at_soulseek import (
    downloading,
    import_blocked,
    import_ended,
    import_refused,
    import_started,
    importing,
)
from tests.shared.acquisition.casting import Story, checked, grab, imported


def left(story: Story) -> list[tuple[str, int]]:
    """What was ordered to leave peers: command and attempt."""
    leaving = (AbandonDownload, DropTransfers, RemoveLeftovers)
    return [(type(one).__name__, one.attempt) for one in story.orders if isinstance(one, leaving)]


# --- searched and chosen ---


def test_an_import_is_followed_to_the_end_and_what_is_complete_leaves_slskds_list() -> None:
    story = importing()
    story.tell(import_started(story))
    assert [order.command_id for order in story.commands(FollowImport)] == [7]
    story.tell(import_ended(story, 10))
    assert (story.now.state, story.states) == (State.COMPLETED, ["completed"])
    assert left(story) == [("DropTransfers", 1)], "what Lidarr took in is no leftover"


def test_an_import_of_half_the_album_is_none() -> None:
    story = importing()
    story.tell(import_started(story), import_ended(story, 5))
    assert story.states == ["failed", "searching"]
    assert story.now.attempts[0].reason == "import_incomplete: 5 of 10 tracks. imported"
    assert left(story) == [("DropTransfers", 1), ("RemoveLeftovers", 1)]


def test_files_that_are_another_album_are_never_tried_again() -> None:
    story = importing()
    story.tell(import_refused(story))
    assert story.states == ["failed", "searching"]
    assert story.now.attempts[0].reason == "import_refused: another album"


def test_a_blocked_import_says_what_a_person_can_do_and_is_tried_again() -> None:
    story = importing()
    outcome = story.tell(import_blocked(story))
    assert (story.now.state, story.now.reason) == (State.IMPORTING, "Lidarr doesn't see /downloads/1")
    assert [(type(order.command), order.delay_s) for order in outcome.orders] == [(ImportAlbum, IMPORT_AGAIN_S)]
    story.tell(import_started(story))
    assert (story.now.reason, story.now.attempts[0].reason) == (None, None)


def test_our_own_import_is_known_though_it_bears_no_id() -> None:
    story = importing()
    story.tell(import_started(story), imported(None, row=5))
    assert story.states == ["importing"], "nobody else's"
    assert story.commands(CheckAlbum)
    story.tell(checked(story, 10))
    assert (story.now.state, story.states) == (State.COMPLETED, ["completed"])


def test_our_own_import_is_known_beside_a_grab_of_lidarrs() -> None:
    story = importing()
    story.tell(grab("D2"), import_started(story), imported(None))
    assert story.states == ["importing", "downloading"]
    story.tell(checked(story, 10))
    assert story.states == ["completed", "abandoned"]
    assert left(story) == [("AbandonDownload", 2), ("DropTransfers", 1)]


def test_rows_of_our_import_that_are_read_after_its_end_are_not_the_next_attempts() -> None:
    """Lidarr writes a row for each file of an import by hand, without id; we read them up to a minute later."""
    story = importing()
    story.tell(import_started(story), import_ended(story, 5))
    story.tell(imported(None, row=5), imported(None, row=6))
    assert story.states == ["failed", "searching"]
    assert len(story.commands(CheckAlbum)) == 2
    story.tell(checked(story, 5))
    assert story.states == ["failed", "searching"]
    story.tell(checked(story, 10))
    assert (story.now.state, story.states) == (State.COMPLETED, ["failed", "abandoned"])


def test_nor_are_they_taken_for_the_search_that_lidarr_runs_next() -> None:
    story = importing(attempts=2)
    story.tell(import_ended(story, 5))
    assert [attempt.source for attempt in story.now.attempts] == ["soulseek", "lidarr"]
    story.tell(imported(None, row=5))
    assert story.states == ["failed", "searching"]


def test_an_import_by_hand_during_our_download_is_somebody_elses() -> None:
    story = downloading()
    story.tell(imported(None))
    assert story.commands(CheckAlbum)
    story.tell(checked(story, 5))
    assert story.states == ["downloading"], "half of it is no reason to stop"
    story.tell(checked(story, 10))
    assert (story.now.state, story.states) == (State.COMPLETED, ["abandoned"])
    assert left(story) == [("DropTransfers", 1)]


# --- beside Lidarr's own downloads ---
