"""How long what is under way has been where it is, counting only time in which we ran and its peer answered. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import get_args

import msgspec

from shared.acquisition.findings import Phase
from shared.settings.registry import Settings

PHASES: tuple[Phase, ...] = get_args(Phase)

# Beside the phases that have a deadline, what is watched may be in one of these.
WAITING = "waiting"
"""For its turn: no clock runs."""
HELD = "held"
"""By something that isn't its fault (a paused client, a Soulseek that is away): no clock runs."""
UNDER_WAY = "under_way"
"""As it should be: only the clock of the whole attempt runs."""
ABSENT = "absent"
"""Gone from its peer's list, where it has been before."""
FAILED = "failed"
"""Its peer says that it can't be finished."""

_STOPPED = frozenset({WAITING, HELD})
READINGS_OF_ABSENCE = 3
# A failure is told at once; still there after this long, it is told again.
TELL_AGAIN_S = 60.0


class Watch(msgspec.Struct, frozen=True, kw_only=True):
    """What is on the clocks: phase_s of the present phase, total_s of the whole attempt, both in seconds.

    mark: what was there at the last reading of what counts as progress; absent: readings in a row without it.
    """

    phase: str
    phase_s: float = 0.0
    total_s: float = 0.0
    mark: int = 0
    absent: int = 0
    seen_at: datetime


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What one good look at the peer shows. mark None: this look doesn't tell.

    detail says for people what is the matter; files are those that it is about.
    """

    phase: str
    mark: int | None = None
    detail: str = ""
    files: tuple[str, ...] = ()


class Passed(msgspec.Struct, frozen=True, kw_only=True):
    """A limit that was reached: the phase's, or the one of the whole attempt (absolute)."""

    phase: str
    waited_s: int
    readings: int
    reading: Reading


def limits_of(settings: Settings, *, absent: timedelta) -> Mapping[str, float]:
    """How long each phase may take, in seconds. absent: for how long something must be gone."""
    limits = {phase: float(getattr(settings, f"deadline_{phase}")) for phase in PHASES}
    return limits | {ABSENT: absent.total_seconds(), FAILED: TELL_AGAIN_S}


def count(
    before: Watch | None, reading: Reading, at: datetime, *, at_most: timedelta, limits: Mapping[str, float]
) -> tuple[Watch, Passed | None]:
    """Put the time since the reading before on the clocks, and tell which limit that reaches.

    at_most bounds what two readings can put on them: nobody knows what was in between. A reading from before the
    latest one changes nothing. What has been told starts anew, so a limit is told once, and again only after it has
    been reached a second time.
    """
    if before is None:
        before = Watch(phase=WAITING, seen_at=at)
    elapsed = at - before.seen_at
    # Two looks at once may end in either order; but a clock that was set back must not stop ours.
    if -at_most < elapsed < timedelta(0):
        return before, None
    counted = min(max(elapsed, timedelta(0)), at_most).total_seconds()
    runs = not {before.phase, reading.phase} & _STOPPED
    same = before.phase == reading.phase
    mark = before.mark if reading.mark is None else reading.mark
    watch = Watch(
        phase=reading.phase,
        phase_s=before.phase_s + counted if runs and same and mark == before.mark else 0.0,
        total_s=before.total_s + (counted if runs else 0.0),
        mark=mark,
        absent=(before.absent if same else 0) + 1 if reading.phase == ABSENT else 0,
        seen_at=at,
    )
    return _tell(watch, reading, limits, entered=not same)


def _tell(watch: Watch, reading: Reading, limits: Mapping[str, float], *, entered: bool) -> tuple[Watch, Passed | None]:
    limit = limits.get(watch.phase)
    reached = limit is not None and watch.phase_s >= limit
    if watch.phase == ABSENT:
        reached = reached and watch.absent >= READINGS_OF_ABSENCE
    if watch.phase == FAILED:
        reached = reached or entered
    if reached:
        passed = Passed(phase=watch.phase, waited_s=int(watch.phase_s), readings=watch.absent, reading=reading)
        return msgspec.structs.replace(watch, phase_s=0.0, absent=0), passed
    # What hasn't begun yet has no attempt whose time could be up.
    if watch.phase != "pending" and watch.total_s >= limits["absolute"]:
        passed = Passed(phase="absolute", waited_s=int(watch.total_s), readings=0, reading=reading)
        return msgspec.structs.replace(watch, total_s=0.0), passed
    return watch, None
