"""No endless downloads: a budget by attempts and by bytes, which only a person opens again, saying why."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace

from shared.acquisition.choosing import BUDGET_LASTS, is_spent
from shared.acquisition.commands import EnqueueDownload, RollUpBatch, SearchSoulseek
from shared.acquisition.locate import ToAcquisitions, ToNew, locate
from shared.acquisition.model import Acquisition, State
from shared.acquisition.signals import JobCancelled, JobRetried
from shared.acquisition.workspace import Workspace
from tests.shared.acquisition.at_soulseek import MIB, candidate, searched, started, transfers_failed, waiting
from tests.shared.acquisition.casting import NOW, Story, asked, blank, failed, grab, ready, watched, wish

BATCH = UUID(int=9)


def attempt_at_soulseek(story: Story, peer: str, *, mib: int = 10) -> None:
    story.tell(started(story), searched(story, candidate(peer, mib=mib)), transfers_failed(story))


def spent(**how: Any) -> Story:
    """An album whose one attempt has failed."""
    story = waiting(**{"attempts": 1, "fallback": "none", **how})
    attempt_at_soulseek(story, "ann")
    assert (story.now.state, story.now.budget_spent) == (State.FAILED, True)
    return story


def where(signal: Any, *acquisitions: Acquisition, days: float = 0) -> Any:
    """Where a signal goes, these acquisitions of the album being known."""
    work = Workspace()
    work.load(acquisitions)
    return locate(signal, work, uuid4(), NOW + timedelta(days=days))


@pytest.mark.parametrize("attempts", [1, 2, 5])
def test_a_peer_that_always_delivers_rubbish_is_tried_as_often_as_the_budget_says(attempts: int) -> None:
    story = waiting(attempts=attempts, fallback="none")
    for number in range(attempts):
        assert story.now.is_active
        attempt_at_soulseek(story, f"peer {number}")
    assert story.now.state is State.FAILED
    assert len(story.commands(EnqueueDownload)) == attempts
    assert str(story.now.reason).startswith("attempts_spent: rejected")
    assert str(story.now.reason).count("soulseek peer") == attempts


def test_bytes_count_whatever_became_of_them() -> None:
    story = waiting(attempts=100, fallback="none", album_max_bytes=50 * MIB)
    for peer in ("ann", "bob"):
        attempt_at_soulseek(story, peer)  # 20 MiB each
    assert [order.max_bytes for order in story.commands(SearchSoulseek)] == [50 * MIB, 30 * MIB, 10 * MIB]
    attempt_at_soulseek(story, "cleo", mib=5)
    assert story.now.state is State.FAILED
    assert str(story.now.reason).startswith("bytes_spent: rejected")


def test_lidarrs_releases_count_by_their_size_too() -> None:
    story = waiting(download_source="lidarr", fallback="soulseek", album_max_bytes=50 * MIB)
    story.tell(replace(grab("D1"), size_bytes=60 * MIB), failed("D1", row=10))
    assert (story.now.state, story.now.budget_spent) == (State.FAILED, True)
    assert not story.commands(SearchSoulseek)


def test_what_lidarr_grabs_by_itself_beside_ours_costs_nothing() -> None:
    story = waiting(attempts=2, fallback="none")
    story.tell(started(story))
    for number in (1, 2, 3):
        story.tell(grab(f"D{number}"), failed(f"D{number}", row=number * 10))
    assert story.now.state is State.SEARCHING
    attempt_at_soulseek(story, "ann")
    assert (story.now.state, story.states[-1]) == (State.SEARCHING, "searching")


def test_lidarrs_own_next_download_in_the_grace_counts_as_the_attempt_that_waited() -> None:
    """Else a Lidarr that downloads the same again by itself would have us begin an attempt after each, for ever."""
    story = waiting(attempts=3)
    for number in (1, 2, 3):
        assert story.now.is_active
        story.tell(grab(f"D{number}"), failed(f"D{number}", row=number * 10))
    assert (story.now.state, story.now.budget_spent, len(story.now.attempts)) == (State.FAILED, True, 3)


def test_a_budget_that_is_made_larger_meanwhile_counts() -> None:
    story = waiting(attempts=1, fallback="none")
    story.settings["album_max_attempts"] = 2
    attempt_at_soulseek(story, "ann")
    assert story.now.is_active


# --- who asks anew ---


def test_who_asks_anew_is_told_so_at_once_and_nothing_is_downloaded() -> None:
    story = spent()
    orders = len(story.orders)
    story.tell(wish("bob"))
    assert [job.state for job in story.now.jobs] == [State.FAILED, State.FAILED]
    assert str(story.now.jobs[1].reason).startswith("budget_spent: retry the job and say why")
    assert "Tried: 1. soulseek ann" in str(story.now.jobs[1].reason)
    assert len(story.orders) == orders


def test_who_asks_twice_is_shown_the_job_that_has_failed() -> None:
    story = spent()
    outcome = story.tell(wish("me"))
    assert (outcome.applied, outcome.reason, len(story.now.jobs)) == (False, "budget_spent", 1)


def test_in_a_batch_it_is_a_job_that_has_failed_but_only_one() -> None:
    story = spent()
    outcome = story.tell(wish("me", BATCH))
    assert [type(order.command) for order in outcome.orders] == [RollUpBatch]
    assert [job.batch_id for job in story.now.jobs] == [None, BATCH]
    assert story.tell(wish("me", BATCH)).reason == "budget_spent"
    assert len(story.now.jobs) == 2


def test_the_same_request_again_makes_no_second_job() -> None:
    story, cause = spent(), uuid4()
    story.tell(wish("bob"), cause=cause)
    assert story.tell(wish("bob"), cause=cause).reason == "already_decided"


def test_it_holds_for_a_while_and_against_the_albums_newest_acquisition_alone() -> None:
    over = spent().now
    assert is_spent(over, NOW + BUDGET_LASTS - timedelta(minutes=1))
    assert where(wish("bob"), over) == ToAcquisitions((over.id,))
    assert isinstance(where(wish("bob"), over, days=31), ToNew)
    later = replace(blank(), state=State.COMPLETED, finished_at=NOW, created_at=NOW + timedelta(hours=1))
    assert isinstance(where(wish("bob"), over, later), ToNew), "it has been got since: Lidarr will say so"


def test_a_download_that_lidarr_began_by_itself_and_that_failed_opens_no_new_budget() -> None:
    over, story = spent().now, watched()
    story.tell(failed("D1", row=10))
    theirs = replace(story.now, created_at=NOW + timedelta(hours=1))
    assert theirs.state is State.FAILED
    assert where(wish("bob"), over, theirs) == ToAcquisitions((over.id,))


def test_what_was_cancelled_or_not_found_may_be_asked_for_anew() -> None:
    cancelled = waiting()
    cancelled.tell(JobCancelled(job_id=cancelled.now.jobs[0].id))
    assert isinstance(where(wish("bob"), cancelled.now), ToNew)
    nothing = waiting(fallback="none")
    nothing.tell(started(nothing), searched(nothing))
    assert isinstance(where(wish("bob"), nothing.now), ToNew)


# --- a person's retry ---


@pytest.mark.parametrize("reason", [None, "", "  "])
def test_a_retry_without_a_reason_is_refused(reason: str | None) -> None:
    story = spent()
    outcome = story.tell(JobRetried(job_id=story.now.jobs[0].id, reason=reason))
    assert (outcome.applied, outcome.reason, story.now.state) == (False, "budget_spent", State.FAILED)


def test_a_retry_with_a_reason_gives_a_whole_new_budget() -> None:
    story = spent(album_max_bytes=30 * MIB)
    story.tell(JobRetried(job_id=story.now.jobs[0].id, reason="a better peer is online"))
    assert (story.now.state, story.now.budget_from, story.now.budget_spent) == (State.PENDING, 1, False)
    story.tell(ready(story))
    assert story.commands(SearchSoulseek)[-1].max_bytes == 30 * MIB
    attempt_at_soulseek(story, "bob")
    assert (story.now.state, story.now.budget_spent) == (State.FAILED, True)
    assert "ann" not in str(story.now.reason), "what was tried before the retry is another story"


def test_the_retry_of_an_older_job_does_not_go_around_the_budget_that_was_spent_since() -> None:
    old = asked()
    old.tell(JobCancelled(job_id=old.now.jobs[0].id))
    over = replace(spent().now, created_at=NOW + timedelta(hours=1))
    assert where(JobRetried(job_id=old.now.jobs[0].id), old.now, over) == ToAcquisitions((over.id,))
    assert where(JobRetried(job_id=old.now.jobs[0].id), old.now) == ToAcquisitions((old.now.id,))
