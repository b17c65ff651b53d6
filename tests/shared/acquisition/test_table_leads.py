"""Where the table says that a signal may lead, some story leads, and none leads elsewhere: so the diagram is true."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from msgspec.structs import replace

from shared.acquisition.adopted import Adopted
from shared.acquisition.lifecycle import LEADS_TO
from shared.acquisition.model import TERMINAL, State
from shared.acquisition.signals import JobCancelled
from tests.properties.moves import COMMANDS, PHASES, signal_of
from tests.shared.acquisition import at_soulseek, casting
from tests.shared.acquisition.at_soulseek import arrived
from tests.shared.acquisition.casting import Story, asked, blank, checked, grab, imported, over_in, wish

# Every kind of thing that can be said, in its variants.
MOVES: list[Any] = [
    *(("ask", "ann", None), ("cancel", 0), ("retry", 0, "because"), ("source",), ("abandoned",), ("deleted",)),
    *(("ready", files, None) for files in (0, 10)),
    *(("search finished", 1, found) for found in (None, 0, 1)),
    *(("checked", files, 10) for files in (3, 10)),
    *(("command failed", command, attempt) for command in COMMANDS for attempt in (None, 1, 2)),
    *(("grab", "D2", row) for row in (None, 50)),
    *(("imported", "D1", row, whole) for row, whole in ((None, False), (60, True))),
    ("hint", "D1"),
    *((kind, "D1", 70) for kind in ("failed", "incomplete", "dropped")),
    *((kind, number) for kind in ("search started", "vanished", "away") for number in (1, 2)),
    *(("searched", 1, 1, peer) for peer in (None, "ann")),
    *(("enqueued", 1, refused) for refused in ((), ("no",))),
    *(("file", 1, number, True, whole) for number in (0, 1) for whole in (True, False)),
    *((kind, 1) for kind in ("transfers failed", "transfers dropped", "leftovers")),
    *((kind, 1) for kind in ("import started", "import blocked", "import refused")),
    *(("turn", 1, 0), ("import ended", 1, 5), ("import ended", 1, 10)),
    *(("deadline", 1, phase) for phase in PHASES),
]

# --- what may have changed meanwhile ---


def _nothing(story: Story) -> None:
    """It is as it was."""


def _spent(story: Story) -> None:
    story.settings.update({"album_max_attempts": 1, "fallback": "none"})


def _source_gone(story: Story) -> None:
    story.settings.update({"download_source": "soulseek", "fallback": "none"})
    story.slskd = False


def _api_gone(story: Story) -> None:
    story.lidarr = False


def _only_soulseek_left(story: Story) -> None:
    story.lidarr, story.slskd = False, True
    story.settings["fallback"] = "soulseek"


def _spent_without_api(story: Story) -> None:
    _only_soulseek_left(story)
    story.settings["album_max_attempts"] = 1


def _album_unknown(story: Story) -> None:
    story.now = replace(story.now, lidarr_album_id=None)


def _another_beside(story: Story) -> None:
    if story.now.state in (State.DOWNLOADING, State.IMPORTING):
        story.tell(grab("D9"))


def _watched_before(story: Story) -> None:
    """Lidarr's own job is there, too, and its own download."""
    _another_beside(story)
    theirs = (replace(job, id=uuid4(), user_id="lidarr", origin="lidarr") for job in story.now.jobs[:1])
    story.now = replace(story.now, jobs=(*story.now.jobs, *theirs))


def _one_file_there(story: Story) -> None:
    if story.now.state is State.DOWNLOADING and story.now.current and story.now.current.files:
        story.tell(arrived(story, 1))


def _one_file_there_without_lidarr(story: Story) -> None:
    _one_file_there(story)
    story.lidarr = False


def _ended_in_history(story: Story) -> None:
    if story.now.state is State.IMPORTING:
        story.tell(imported("D1", row=60, whole=True))


def _then(*nudges: Callable[[Story], None]) -> Callable[[Story], None]:
    def nudge(story: Story) -> None:
        for one in nudges:
            one(story)

    return nudge


NUDGES: list[Callable[[Story], None]] = [
    *(_nothing, _spent, _source_gone, _api_gone, _only_soulseek_left, _spent_without_api, _album_unknown),
    *(_another_beside, _watched_before, _one_file_there, _one_file_there_without_lidarr, _ended_in_history),
    *(_then(_ended_in_history, nudge) for nudge in (_spent, _source_gone, _another_beside)),
    _then(_another_beside, _api_gone),
]

# --- where it may stand ---


def _about_to_ask(state: State) -> Story:
    return Story(blank(), lidarr=False, slskd=True)


def _cancelled_once(state: State) -> Story:
    """An album that was got, and one of whose jobs had been cancelled before."""
    story = casting.in_state(State.IMPORTING)
    story.tell(wish("bob"))
    story.tell(JobCancelled(job_id=story.now.jobs[0].id))
    story.tell(checked(story, 10))
    return story


def _source_appears(state: State) -> Story:
    story = asked(lidarr=False)
    story.slskd = True
    story.settings["fallback"] = "soulseek"
    return story


def _failed_once(state: State) -> Story:
    """The second search, or what must come before it."""
    story = at_soulseek.downloading(fallback="none")
    if state is State.PENDING:
        _album_unknown(story)
    story.tell(at_soulseek.transfers_failed(story))
    return story


def _failed_at_the_only_source(state: State) -> Story:
    story = casting.downloading()
    _api_gone(story)
    story.tell(signal_of(("hint", "D1"), story))
    return story


CASTINGS: list[Callable[[State], Story]] = [
    *(casting.in_state, at_soulseek.in_state, _about_to_ask, _cancelled_once, _source_appears, _failed_once),
    _failed_at_the_only_source,
]


def _led() -> dict[tuple[State, type[Any]], set[State]]:
    """(state, signal) → where it led."""
    led = defaultdict(set)
    for cast in CASTINGS:
        for nudge in NUDGES:
            for state in State:
                base = cast(state)
                nudge(base)
                for move in MOVES:
                    story = Story(base.now, lidarr=base.lidarr, slskd=base.slskd)
                    story.settings = base.settings
                    before, signal = story.now.state, signal_of(move, story)
                    story.tell(signal)
                    if story.now.state is not before:
                        led[before, type(signal)].add(story.now.state)
    for state in TERMINAL:
        story = Story(blank())
        taken = over_in(state, casting.in_state(State.IMPORTING)).now
        story.tell(Adopted(acquisition_id=story.now.id, acquisition=taken, original={}))
        led[State.PENDING, Adopted].add(story.now.state)
    return led


def test_each_signal_leads_where_the_table_says_and_nowhere_else() -> None:
    assert dict(_led()) == {pair: set(to) for pair, to in LEADS_TO.items() if to}
