"""Which source comes next: the preferred one first, the other when that has failed, nobody beyond the budget."""

from __future__ import annotations

import pytest

from shared.acquisition.choosing import next_source, sources
from shared.acquisition.commands import EnsureAlbum, SearchAlbum, SearchSoulseek
from shared.acquisition.findings import CommandFailed, SearchFinished
from shared.acquisition.model import State
from tests.shared.acquisition.at_soulseek import (
    MIB,
    all_arrived,
    away,
    candidate,
    enqueued,
    import_refused,
    searched,
    started,
    transfers_failed,
    waiting,
)
from tests.shared.acquisition.casting import Story, asked, context, failed, grab, ready


def at_lidarr_first(**how: object) -> Story:
    """Lidarr is preferred and searches; Soulseek would be next."""
    story = asked(slskd=True, download_source="lidarr", fallback="soulseek", **how)
    story.tell(ready(story))
    return story


def nothing_at_lidarr(story: Story) -> SearchFinished:
    assert story.now.current is not None
    return SearchFinished(acquisition_id=story.now.id, attempt=story.now.current.number, found=0)


def rejected(story: Story, peer: str) -> None:
    """A whole attempt at Soulseek, up to the peer's refusal."""
    story.tell(started(story), searched(story, candidate(peer)), transfers_failed(story))


def at(story: Story) -> list[str]:
    """The sources of the attempts, by number."""
    return [attempt.source for attempt in story.now.attempts]


@pytest.mark.parametrize(
    ("preferred", "fallback", "lidarr", "slskd", "expected"),
    [
        ("lidarr", "soulseek", True, True, ("lidarr", "soulseek")),
        ("soulseek", "lidarr", True, True, ("soulseek", "lidarr")),
        ("soulseek", "none", True, True, ("soulseek",)),
        ("soulseek", "soulseek", True, True, ("soulseek",)),
        ("lidarr", "soulseek", True, False, ("lidarr",)),
        ("lidarr", "soulseek", False, True, ("soulseek",)),
        ("lidarr", "none", False, True, ()),
        ("lidarr", "soulseek", False, False, ()),
    ],
)
def test_sources_are_those_wished_for_as_far_as_they_are_configured(
    preferred: str, fallback: str, lidarr: bool, slskd: bool, expected: tuple[str, ...]
) -> None:
    told = context(lidarr=lidarr, slskd=slskd, download_source=preferred, fallback=fallback)
    assert sources(told) == expected


def test_nothing_found_at_lidarr_soulseek_is_next() -> None:
    story = at_lidarr_first()
    story.tell(nothing_at_lidarr(story))
    assert (story.now.state, at(story)) == (State.SEARCHING, ["lidarr", "soulseek"])
    assert story.commands(SearchSoulseek)[0].after_lidarr is False, "nothing was grabbed that Lidarr might replace"


def test_nothing_found_at_soulseek_lidarr_is_next() -> None:
    story = waiting()
    story.tell(started(story), searched(story))
    assert (story.now.state, at(story)) == (State.SEARCHING, ["soulseek", "lidarr"])
    assert len(story.commands(SearchAlbum)) == 1


@pytest.mark.parametrize("attempts", [1, 2, 3])
def test_nothing_found_anywhere_ends_it_and_spends_no_budget(attempts: int) -> None:
    """A search costs nothing: with a budget of one attempt the other source is asked all the same."""
    story = at_lidarr_first(attempts=attempts)
    story.tell(nothing_at_lidarr(story))
    story.tell(started(story), searched(story))
    assert (story.now.state, story.now.reason) == (State.FAILED, "nothing_found")
    assert not story.now.budget_spent, "it may be there tomorrow"


def test_none_means_none() -> None:
    story = waiting(fallback="none")
    story.tell(started(story), searched(story))
    assert (story.now.state, story.now.reason) == (State.FAILED, "nothing_found")
    assert not story.commands(SearchAlbum)


def test_a_failed_download_at_lidarr_is_followed_by_a_grace_for_its_own_next_grab() -> None:
    story = at_lidarr_first(attempts=2)
    story.tell(grab("D1"), failed("D1", row=10))
    assert at(story) == ["lidarr", "soulseek"]
    assert story.commands(SearchSoulseek)[0].after_lidarr is True


def test_half_of_the_attempts_are_the_preferred_sources() -> None:
    story = waiting(attempts=3)
    for peer in ("ann", "bob"):
        rejected(story, peer)
    assert at(story) == ["soulseek", "soulseek", "lidarr"]
    story.tell(grab("D1"), failed("D1", row=10))
    assert (story.now.state, story.now.budget_spent) == (State.FAILED, True)


def test_what_the_fallback_does_not_use_is_the_preferred_sources_again() -> None:
    story = waiting(attempts=3)
    for peer in ("ann", "bob"):
        rejected(story, peer)
    story.tell(nothing_at_lidarr(story))
    assert at(story) == ["soulseek", "soulseek", "lidarr", "soulseek"]
    rejected(story, "cleo")
    assert (story.now.state, story.now.budget_spent) == (State.FAILED, True)


def test_the_end_lists_what_was_tried() -> None:
    story = waiting(fallback="none")
    rejected(story, "ann")
    story.tell(started(story), searched(story, candidate("bob")), enqueued(story))
    story.tell(*all_arrived(story))
    story.tell(import_refused(story))
    story.tell(started(story), searched(story))
    folder = candidate().folder
    assert story.now.reason == (
        f"nothing_found. Tried: 1. soulseek ann, {folder}: rejected: the peer doesn't share it any more; "
        f"2. soulseek bob, {folder}: import_refused: another album"
    )


def test_a_source_that_is_away_is_skipped_at_no_cost() -> None:
    story = waiting(attempts=1)
    story.tell(away(story))
    assert (story.now.state, at(story)) == (State.SEARCHING, ["soulseek", "lidarr"])
    assert story.states == ["abandoned", "searching"]
    story.tell(grab("D1"))
    assert story.now.state is State.DOWNLOADING


def test_a_source_that_was_away_is_waited_for_when_it_is_the_only_one_left() -> None:
    story = waiting()
    story.tell(away(story))
    story.tell(nothing_at_lidarr(story))
    assert at(story) == ["soulseek", "lidarr", "soulseek"]
    assert [order.may_skip for order in story.commands(SearchSoulseek)] == [True, False]


def test_with_both_away_the_preferred_one_is_waited_for() -> None:
    """Else two sources that are away would be skipped in turn, for ever and as fast as we can."""
    story = waiting()
    story.tell(away(story))
    story.tell(away(story))
    assert at(story) == ["soulseek", "lidarr", "soulseek"]
    assert story.commands(SearchSoulseek)[-1].may_skip is False


def test_a_source_that_was_away_has_its_turn_again_after_the_other_has_failed() -> None:
    story = waiting(attempts=3)
    story.tell(away(story), grab("D1"), failed("D1", row=10))
    assert at(story) == ["soulseek", "lidarr", "soulseek"]
    assert story.commands(SearchSoulseek)[-1].may_skip is True, "it may be away still"


def test_the_next_download_may_be_as_large_as_the_budget_still_allows() -> None:
    story = waiting(fallback="none", album_max_bytes=50 * MIB)
    rejected(story, "ann")
    assert story.commands(SearchSoulseek)[-1].max_bytes == 30 * MIB


def test_the_album_is_known_to_lidarr_before_anything_is_searched_anywhere() -> None:
    story = asked(slskd=True, download_source="soulseek", fallback="none")
    assert (story.now.state, story.ordered) == (State.PENDING, ["EnsureAlbum"])
    without = asked(slskd=True, lidarr=False, download_source="soulseek")
    assert (without.now.state, without.ordered) == (State.SEARCHING, ["SearchSoulseek"])
    assert not without.commands(EnsureAlbum)


def test_searches_that_break_off_are_tried_elsewhere_too() -> None:
    story = waiting(attempts=2)
    story.tell(CommandFailed(acquisition_id=story.now.id, attempt=1, command="SearchSoulseek", reason="broken"))
    assert at(story) == ["soulseek", "lidarr"]
    story.tell(SearchFinished(acquisition_id=story.now.id, attempt=2, found=None, message="orphaned"))
    assert (story.now.state, story.now.budget_spent) == (State.FAILED, True)
    assert next_source(story.now, story.context()) is not None, "it's the budget that ended it"
