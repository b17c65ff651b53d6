"""What holds after any sequence of signals whatever, likely or not, from both peers and from people."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.acquisition.commands import (
    AbandonDownload,
    DropTransfers,
    EnqueueDownload,
    EnsureAlbum,
    ImportAlbum,
    RemoveLeftovers,
    SearchAlbum,
    SearchSoulseek,
)
from shared.acquisition.lifecycle import LEADS_TO, RULES
from shared.acquisition.model import TERMINAL, AttemptState
from shared.acquisition.signals import DownloadFailureHinted, JobRetried
from tests.properties.holding import begun_within_budget, holds
from tests.properties.moves import moves, signal_of
from tests.shared.acquisition.at_soulseek import MIB
from tests.shared.acquisition.casting import NOW, Story, asked, blank, failed, grab, ready, watched, wish

_DRIVING = (EnsureAlbum, SearchAlbum, SearchSoulseek, EnqueueDownload, ImportAlbum)
_LEAVING = (AbandonDownload, DropTransfers, RemoveLeftovers)
# Who is asked first and next, which of the two peers is there, and what may be spent.
hows = st.fixed_dictionaries(
    {
        "lidarr": st.booleans(),
        "slskd": st.booleans(),
        "download_source": st.sampled_from(["lidarr", "soulseek"]),
        "fallback": st.sampled_from(["none", "lidarr", "soulseek"]),
        "attempts": st.integers(1, 3),
        "album_max_bytes": st.sampled_from([30 * MIB, 500 * MIB]),
    }
)


@settings(max_examples=400, deadline=None)
@given(moves=st.lists(moves, max_size=40), how=hows)
def test_any_story_of_an_asked_album(moves: list[Any], how: dict[str, Any]) -> None:
    story = asked(**how)
    holds(story.now)
    for move in moves:
        before, signal = story.now, signal_of(move, story)
        outcome = story.tell(signal)
        holds(story.now)
        begun_within_budget(before, story.now, story.context().settings)
        if story.now.state is not before.state:
            assert story.now.state in LEADS_TO[before.state, type(signal)], "the table says otherwise"
        if before.state in TERMINAL and not isinstance(signal, JobRetried):
            assert story.now.state is before.state, "only a person opens again what is over"
        if not outcome.applied:
            assert outcome.reason
            assert outcome.after is before
            assert (before.state, type(signal)) in RULES or not outcome.orders
    if not how["lidarr"]:
        assert not [one for one in story.orders if isinstance(one, SearchAlbum | EnsureAlbum | AbandonDownload)]


@settings(max_examples=200, deadline=None)
@given(moves=st.lists(moves, max_size=40), how=hows)
def test_every_download_that_is_over_has_left_its_peer(moves: list[Any], how: dict[str, Any]) -> None:
    """Each attempt that had a download at Soulseek is dropped there once it's over, and never before."""
    story = asked(**how)
    for move in moves:
        story.tell(signal_of(move, story))
        for attempt in story.now.attempts:
            if attempt.peer:
                orders = [one for one in story.commands(DropTransfers) if one.attempt == attempt.number]
                assert bool(orders) == (not attempt.is_open)
                left = [one for one in story.commands(RemoveLeftovers) if one.attempt == attempt.number]
                wasted = attempt.state in (AttemptState.FAILED, AttemptState.ABANDONED)
                assert bool(left) == bool(wasted and attempt.arrived)


@settings(max_examples=200, deadline=None)
@given(moves=st.lists(moves.filter(lambda move: move[0] not in ("ask", "retry")), max_size=30), lidarr=st.booleans())
def test_a_watched_album_is_never_driven_whatever_comes(moves: list[Any], lidarr: bool) -> None:
    story = watched(lidarr=lidarr)
    story.slskd = True
    for move in moves:
        story.tell(signal_of(move, story))
        holds(story.now)
    assert not [one for one in story.orders if isinstance(one, _DRIVING + _LEAVING)]


@settings(max_examples=200, deadline=None)
@given(moves=st.lists(moves, max_size=20), lidarr=st.booleans())
def test_one_who_asks_before_anything_else_gets_no_second_job_by_any_story(moves: list[Any], lidarr: bool) -> None:
    story = Story(blank(), lidarr=lidarr)
    cause = UUID(int=7)
    story.tell(wish("ann"), cause=cause)
    for move in moves:
        story.tell(signal_of(move, story))
    story.tell(wish("ann"), cause=cause)
    assert len({job.id for job in story.now.jobs}) == len(story.now.jobs)
    holds(story.now)


@settings(max_examples=200, deadline=None)
@given(data=st.data(), first=st.sampled_from(["lidarr", "soulseek"]), slskd=st.booleans())
def test_grab_and_failure_of_one_hash_never_kill_the_wrong_attempt(
    data: st.DataObject, first: str, slskd: bool
) -> None:
    """Rows 1, 3, 5 … are grabs of one hash, 2, 4 … their failures; the last grab has none. Webhooks come anywhere.

    In whatever order rows are read, as long as a grab's row comes before its failure's, the last grab stays alive.
    """
    count = data.draw(st.integers(2, 4))
    story = asked(attempts=9, slskd=slskd, download_source=first, fallback="lidarr")
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
