"""What is true of every acquisition after every decision, whatever was said."""

from __future__ import annotations

from shared.acquisition.model import TERMINAL, Acquisition, AttemptState, State
from shared.settings.registry import Settings
from tests.properties.world import World

_ORDER_OF_PROGRESS = {
    AttemptState.IMPORTING: State.IMPORTING,
    AttemptState.DOWNLOADING: State.DOWNLOADING,
    AttemptState.SEARCHING: State.SEARCHING,
}


def holds(one: Acquisition) -> None:
    """States, times and numbers of an acquisition, its attempts and its jobs agree."""
    assert (one.state in TERMINAL) == (one.finished_at is not None)
    assert [attempt.number for attempt in one.attempts] == list(range(1, len(one.attempts) + 1))
    for attempt in one.attempts:
        assert attempt.is_open == (attempt.finished_at is None)
        assert attempt.files_arrived == len(attempt.arrived)
        assert (attempt.peer is not None) == bool(attempt.files)
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
    assert not one.budget_spent or one.state is State.FAILED


def begun_within_budget(before: Acquisition, after: Acquisition, settings: Settings) -> None:
    """An attempt of our own is begun only while failed downloads and bytes leave room for it."""
    known = {attempt.number for attempt in before.attempts}
    for new in after.attempts:
        if new.number in known or new.foreign_grab:
            continue
        earlier = [
            one for one in after.attempts if after.budget_from < one.number < new.number and not one.foreign_grab
        ]
        failed = [one for one in earlier if one.state is AttemptState.FAILED and one.reason != "nothing_found"]
        assert len(failed) < settings.album_max_attempts
        assert sum(one.size_bytes or 0 for one in earlier) < settings.album_max_bytes


def within_budget(world: World) -> None:
    """The same of every acquisition in a world, against how it stood when this was asked last."""
    for one in world.acquisitions:
        holds(one)
        if before := world.seen.get(one.id):
            begun_within_budget(before, one, world.settings)
        world.seen[one.id] = one
