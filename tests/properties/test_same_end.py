"""Whatever becomes of webhooks, in whatever order things happen: looking at both peers brings it to the same end."""

from __future__ import annotations

from functools import partial
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.acquisition.commands import AFTER_THE_END
from shared.acquisition.model import State
from shared.acquisition.signals import JobCancelled
from shared.eventlog.event import Delivery
from tests.properties.holding import within_budget
from tests.properties.stories import AT_LIDARR, Story, brought, disturbing, stories, world_of
from tests.properties.world import World
from tests.shared.acquisition.cast import Cast

LOSSES = st.sampled_from([0.0, 0.3, 1.0])
SEEDS = st.integers(0, 2**32)


def end(world: World) -> Any:
    """How it ended: for whoever asked, with what had failed until then, and how much of it is there.

    What completed it may differ: Lidarr may be found to have the album before the download that brought it is known,
    and then that download is somebody else's, and watched.
    """
    ours, *watched = world.acquisitions
    assert not any(one.is_active or one.driven for one in watched)
    failed = sorted((one.source, one.peer or one.download_id or "") for one in ours.attempts if one.state == "failed")
    tracks = world.side.files.get(ours.album_mbid, 0)
    return ours.state, ours.budget_spent, [(job.user_id, job.state) for job in ours.jobs], failed, tracks


@settings(max_examples=250, deadline=None)
@given(story=stories, seed=SEEDS, losses=LOSSES)
def test_any_interleaving_duplication_and_loss_ends_the_same(story: Story, seed: int, losses: float) -> None:
    usual = world_of(story)
    usual.ask(Cast().wish())
    usual.go_on()
    usual.observe()
    assert usual.acquisitions[0].state.value in ("completed", "failed")

    dice, late = Random(seed), list[Delivery]()
    world = world_of(story, dice)
    world.ask(Cast().wish())
    world.go_on(disturbing(dice, late, losses=losses))
    world.observe()
    assert end(world) == end(usual)
    world.post(*late)
    world.go_on()
    assert end(world) == end(usual), "what comes late changes nothing"
    assert world.parked == []


@settings(max_examples=200, deadline=None)
@given(
    story=stories,
    theirs=st.lists(st.tuples(st.integers(1, 30), st.sampled_from(sorted(AT_LIDARR))), max_size=2),
    seed=SEEDS,
    losses=LOSSES,
)
def test_whatever_lidarr_downloads_by_itself_meanwhile_it_ends_and_is_told_as_it_is(
    story: Story, theirs: list[tuple[int, str]], seed: int, losses: float
) -> None:
    dice, late = Random(seed), list[Delivery]()
    world, cast = world_of(story, dice), Cast()
    assert world.side.soulseek is not None
    grabs = {
        at: partial(brought, cast, outcome, world.side.soulseek.numbers, f"T{number}")
        for number, (at, outcome) in enumerate(theirs)
    }

    def lidarr_acts() -> None:
        if begun := grabs.pop(len(world.settled), None):
            grab = begun()
            world.side.files[cast.mbid()] = max(grab.tracks, world.side.files.get(cast.mbid(), 0))
            world.side.rows += grab.rows
            world.post(*disturbing(dice, late, losses=losses)(grab.webhooks))

    world.watching += [lidarr_acts, lambda: within_budget(world)]
    world.ask(cast.wish())
    world.go_on(disturbing(dice, late, losses=losses))
    grabs.clear()
    world.observe()
    world.post(*late)
    world.observe()
    ours, *others = world.acquisitions
    whole = world.side.files.get(cast.mbid(), 0) == 10
    assert not any(one.is_active for one in (ours, *others))
    # What began after ours had failed is watched.
    assert not whole or any(one.state is State.COMPLETED for one in (ours, *others))
    assert world.parked == []


@settings(max_examples=150, deadline=None)
@given(story=stories, at=st.integers(1, 40), seed=SEEDS, losses=LOSSES)
def test_a_cancel_at_any_moment_ends_it_and_leaves_nothing_at_soulseek(
    story: Story, at: int, seed: int, losses: float
) -> None:
    dice, late = Random(seed), list[Delivery]()
    world = world_of(story, dice)
    world.ask(Cast().wish())
    for _ in range(at):
        if not world.step(disturbing(dice, late, losses=losses)):
            break
    before = world.acquisitions[0]
    world.ask(JobCancelled(job_id=before.jobs[0].id))
    assert world.acquisitions[0].state is (State.CANCELLED if before.is_active else before.state)
    assert all(type(one).__name__ in AFTER_THE_END for one in world.commands if hasattr(one, "attempt"))
    world.go_on()
    world.observe()
    world.post(*late)
    world.go_on()
    assert world.acquisitions[0].state is (State.CANCELLED if before.is_active else before.state)
    assert world.side.soulseek is not None
    assert world.side.soulseek.dropped >= set(world.side.soulseek.enqueued)
