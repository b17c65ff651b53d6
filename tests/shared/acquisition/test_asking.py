"""What people ask: jobs share one acquisition, the last cancel ends it, a retry opens it with a new budget."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from shared.acquisition.commands import AbandonDownload, EnsureAlbum, RollUpBatch, SearchAlbum
from shared.acquisition.findings import CommandFailed, SearchFinished, SourceAppeared
from shared.acquisition.model import State
from shared.acquisition.signals import JobCancelled, JobRetried
from shared.eventlog.identity import uuid7
from tests.shared.acquisition.casting import (
    asked,
    checked,
    downloading,
    failed,
    grab,
    imported,
    importing,
    ready,
    searching,
    watched,
    wish,
)


def job_states(story: object) -> list[str]:
    return [job.state.value for job in story.now.jobs]  # type: ignore[attr-defined]


def test_the_first_wish_sets_the_album_going_and_the_second_joins() -> None:
    story = asked("ann")
    assert story.ordered == ["EnsureAlbum"]
    story.tell(wish("bob"))
    assert story.ordered == ["EnsureAlbum"]
    assert job_states(story) == ["pending", "pending"]
    story.tell(ready(story))
    assert job_states(story) == ["searching", "searching"]


def test_the_same_wish_twice_is_one_job_but_another_batch_is_another() -> None:
    story = asked("ann")
    assert story.tell(wish("ann")).reason == "already_asked"
    batch = uuid7()
    assert story.tell(wish("ann", batch)).applied
    assert story.tell(wish("ann", batch)).reason == "already_asked"
    assert len(story.now.jobs) == 2
    assert [order.batch_id for order in story.commands(RollUpBatch)] == [batch]


def test_an_event_replayed_makes_no_second_job() -> None:
    story, cause = asked("ann"), uuid7()
    story.tell(wish("bob"), cause=cause)
    story.tell(JobCancelled(job_id=story.now.jobs[1].id))
    outcome = story.tell(wish("bob"), cause=cause)
    assert (outcome.applied, outcome.reason) == (False, "already_decided")
    assert job_states(story) == ["pending", "cancelled"]


def test_only_the_last_cancel_ends_the_download() -> None:
    story = downloading()
    story.tell(wish("bob"))
    first, second = story.now.jobs
    story.tell(JobCancelled(job_id=first.id, reason="changed my mind"))
    assert story.now.state is State.DOWNLOADING
    assert (story.now.jobs[0].state, story.now.jobs[0].reason) == (State.CANCELLED, "changed my mind")
    assert not story.commands(AbandonDownload)
    story.tell(JobCancelled(job_id=second.id))
    assert story.now.state is State.CANCELLED
    assert [order.download_id for order in story.commands(AbandonDownload)] == ["D1"]
    assert story.states == ["abandoned"]


def test_a_cancel_of_what_is_over_or_elsewhere_changes_nothing() -> None:
    story = asked()
    assert story.tell(JobCancelled(job_id=uuid7())).reason == "job_is_elsewhere"
    story.tell(wish("bob"), JobCancelled(job_id=story.now.jobs[0].id))
    assert story.tell(JobCancelled(job_id=story.now.jobs[0].id)).reason == "job_is_cancelled"


def test_without_a_source_a_job_waits_until_there_is_one() -> None:
    story = asked(lidarr=False)
    assert (story.now.state, story.now.reason, story.ordered) == (State.PENDING, "no_source_configured", [])
    assert story.now.jobs[0].reason == "no_source_configured"
    story.lidarr = True
    story.tell(SourceAppeared(acquisition_id=story.now.id))
    assert story.commands(EnsureAlbum)
    assert story.now.jobs[0].reason is None
    assert story.tell(SourceAppeared(acquisition_id=story.now.id)).reason == "already_under_way"


def test_an_album_that_is_there_already_is_completed_at_once() -> None:
    story = asked()
    story.tell(ready(story, files=10))
    assert (story.now.state, story.now.reason) == (State.COMPLETED, "already_in_library")
    assert (job_states(story), story.states) == (["completed"], [])


def test_what_came_in_while_the_album_was_looked_up_is_no_download_to_throw_away() -> None:
    """Lidarr grabbed and imported by itself between our wish and our look: that import is what completes it."""
    story = asked()
    story.tell(grab("D1"), imported("D1"))
    story.tell(ready(story, files=10))
    assert story.now.state is State.COMPLETED
    assert story.states == ["completed"]
    assert not story.commands(AbandonDownload)


def test_the_budget_is_spent_and_a_retry_gives_a_new_one() -> None:
    story = searching(attempts=2)
    story.tell(grab("D1"), failed("D1", row=10), grab("D2"))
    outcome = story.tell(failed("D2", row=12))
    assert story.now.state is State.FAILED
    assert str(outcome.reason).startswith("attempts_spent: download_failed: took too long. Tried: 1. lidarr A release")
    assert len(story.commands(SearchAlbum)) == 2
    story.tell(JobRetried(job_id=story.now.jobs[0].id, reason="another indexer has been added"))
    assert (story.now.state, story.now.budget_from) == (State.PENDING, 2)
    assert job_states(story) == ["pending"]
    assert story.now.finished_at is None
    story.tell(ready(story), grab("D3"), failed("D3", row=14))
    assert story.now.state is State.SEARCHING
    story.tell(grab("D4"), failed("D4", row=16))
    assert story.now.state is State.FAILED
    assert story.states == ["failed"] * 4


def test_nothing_found_is_final() -> None:
    story = searching()
    story.tell(SearchFinished(acquisition_id=story.now.id, attempt=1, found=0))
    assert (story.now.state, story.now.reason) == (State.FAILED, "nothing_found")


def test_a_search_that_broke_off_is_tried_again_until_the_budget_is_spent() -> None:
    story = searching(attempts=2)
    for attempt in (1, 2):
        story.tell(SearchFinished(acquisition_id=story.now.id, attempt=attempt, found=None, message="orphaned"))
    assert (story.now.state, story.states) == (State.FAILED, ["failed", "failed"])
    assert str(story.now.reason).startswith("attempts_spent: search_broke_off")


@pytest.mark.parametrize("state", ["active", "completed"])
def test_a_job_that_is_open_or_complete_is_not_opened_again(state: str) -> None:
    story = importing()
    if state == "completed":
        story.tell(checked(story, 10))
    outcome = story.tell(JobRetried(job_id=story.now.jobs[0].id))
    assert not outcome.applied
    assert str(outcome.reason).startswith("job_is_")


def test_who_has_asked_again_meanwhile_need_not_retry() -> None:
    story = asked("ann")
    story.tell(wish("bob"))
    story.tell(JobCancelled(job_id=story.now.jobs[0].id), wish("ann"))
    assert story.tell(JobRetried(job_id=story.now.jobs[0].id)).reason == "already_asked"


def test_one_of_several_jobs_is_opened_again_on_the_album_under_way() -> None:
    story = downloading()
    story.tell(wish("bob"), JobCancelled(job_id=story.now.jobs[0].id), JobRetried(job_id=story.now.jobs[0].id))
    assert job_states(story) == ["downloading", "downloading"]
    assert story.now.budget_from == 0


def test_an_album_that_lidarr_does_not_take_fails_and_says_why() -> None:
    story = asked()
    reason = "Lidarr knows no such album"
    story.tell(CommandFailed(acquisition_id=story.now.id, attempt=None, command="EnsureAlbum", reason=reason))
    assert (story.now.state, story.now.jobs[0].reason) == (State.FAILED, reason)


def test_who_joins_an_album_that_is_only_watched_has_it_driven_and_who_leaves_lets_it_go() -> None:
    story = watched()
    story.tell(wish("ann"))
    assert story.now.driven
    ann = next(job for job in story.now.jobs if job.user_id == "ann")
    story.tell(JobCancelled(job_id=ann.id))
    assert story.now.state is State.DOWNLOADING, "Lidarr downloads it anyway"
    assert not story.now.driven, "nobody wants it: it must not be searched again when it fails"
    story.tell(failed(row=20))
    assert story.now.state is State.FAILED
    assert story.ordered == []


def test_a_pending_album_that_failed_before_its_id_was_known_asks_lidarr_again() -> None:
    story = asked()
    story.tell(replace(grab("D1"), album=replace(grab().album, lidarr_id=None)), failed("D1", row=10))
    assert (story.now.state, story.now.lidarr_album_id) == (State.PENDING, None)
    assert story.ordered == ["EnsureAlbum", "EnsureAlbum"]
    story.tell(ready(story), ready(story))
    assert (story.now.state, story.states) == (State.SEARCHING, ["failed", "searching"])
    assert len(story.commands(SearchAlbum)) == 1


def test_the_floor_is_not_laid_over_a_download_that_is_under_way() -> None:
    """Lidarr grabbed by itself before we looked: the row of its failure may lie below the floor of that look."""
    story = asked()
    story.tell(grab("D1"), ready(story, floor=20), grab("D1", row=19), failed("D1", row=20))
    assert story.states[0] == "failed"
    assert story.now.state is State.SEARCHING
