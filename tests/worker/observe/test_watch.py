"""The clocks: nothing counts twice, nothing counts while we or the peer were away, and what is over is told once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.settings.registry import Settings
from worker.observe.watch import (
    ABSENT,
    FAILED,
    HELD,
    PHASES,
    UNDER_WAY,
    WAITING,
    Passed,
    Reading,
    Watch,
    count,
    limits_of,
)

START = datetime(2026, 1, 1, tzinfo=UTC)
MOST = timedelta(seconds=10)
LIMITS = limits_of(Settings(), absent=timedelta(seconds=30))
OPEN = [phase for phase in PHASES if phase != "absolute"] + [UNDER_WAY, ABSENT]
Look = tuple[float, Reading]


def looks(*phases: str, every_s: float = 10.0) -> list[Look]:
    """Looks at equal distances."""
    return [(place * every_s, Reading(phase=phase)) for place, phase in enumerate(phases)]


def watched(readings: Iterable[Look], before: Watch | None = None) -> tuple[Watch, list[Passed]]:
    """What is on the clocks after looks at these seconds, and what was told."""
    told, watch = [], before
    for at_s, reading in readings:
        watch, passed = count(watch, reading, START + timedelta(seconds=at_s), at_most=MOST, limits=LIMITS)
        told += [passed] if passed else []
    assert watch is not None
    return watch, told


def test_time_counts_from_the_first_look() -> None:
    watch, told = watched(looks("no_bytes", "no_bytes", "no_bytes"))
    assert (watch.phase_s, watch.total_s, told) == (20.0, 20.0, [])


def test_another_phase_begins_anew_and_the_whole_attempt_goes_on() -> None:
    watch, _ = watched(looks("no_bytes", "no_bytes", "remote_queue", "remote_queue"))
    assert (watch.phase, watch.phase_s, watch.total_s) == ("remote_queue", 10.0, 30.0)


def test_progress_begins_the_phase_anew() -> None:
    readings = [(0.0, 5), (9.0, 5), (18.0, 6), (27.0, 6)]
    watch, _ = watched((at_s, Reading(phase="no_bytes", mark=mark)) for at_s, mark in readings)
    assert (watch.phase_s, watch.total_s) == (9.0, 27.0)


def test_a_look_that_tells_nothing_of_progress_keeps_what_is_known() -> None:
    readings = [Reading(phase=UNDER_WAY, mark=5), Reading(phase=UNDER_WAY), Reading(phase=UNDER_WAY, mark=5)]
    watch, _ = watched(enumerate(readings))
    assert (watch.phase_s, watch.mark) == (2.0, 5)


@pytest.mark.parametrize("stopped", [WAITING, HELD])
def test_who_waits_for_a_turn_has_all_the_time(stopped: str) -> None:
    watch, told = watched(looks(*[stopped] * 10_000))
    assert (watch.phase_s, watch.total_s, told) == (0.0, 0.0, [])
    watch, _ = watched(looks("no_source", "no_source", stopped, stopped, "no_source", "no_source"))
    assert (watch.phase_s, watch.total_s) == (10.0, 20.0), "what lies between two kinds of time counts for neither"


def test_a_weekend_without_looks_is_nothing() -> None:
    watch, told = watched([(0.0, Reading(phase="no_bytes")), (200_000.0, Reading(phase="no_bytes"))])
    assert (watch.phase_s, told) == (MOST.total_seconds(), [])


def test_a_clock_that_was_set_back_stops_nothing() -> None:
    watch, _ = watched([(7200.0, Reading(phase="import")), (0.0, Reading(phase="import"))])
    assert (watch.phase_s, watch.seen_at) == (0.0, START)
    watch, _ = watched([(5.0, Reading(phase="import"))], watch)
    assert watch.phase_s == 5.0


def test_the_looks_before_one_that_was_faster_change_nothing() -> None:
    watch, _ = watched([(0.0, Reading(phase="import")), (8.0, Reading(phase="import"))])
    assert watched([(5.0, Reading(phase="no_bytes"))], watch) == (watch, [])


@pytest.mark.parametrize("phase", [phase for phase in PHASES if phase != "absolute"])
def test_each_phase_has_its_deadline(phase: str) -> None:
    limit = int(LIMITS[phase])
    watch, told = watched(looks(phase, *[phase] * (limit // 10 - 1)))
    assert told == []
    watch, told = watched([(limit, Reading(phase=phase, detail="why"))], watch)
    assert [(one.phase, one.waited_s, one.reading.detail) for one in told] == [(phase, limit, "why")]


def test_a_deadline_is_told_once_and_again_only_after_another_one() -> None:
    _, told = watched(looks(*["materialise"] * 19))
    assert [one.waited_s for one in told] == [90, 90]


def test_the_whole_attempt_has_a_deadline_whatever_its_phases() -> None:
    phases = [UNDER_WAY, "no_bytes"] * 1080
    watch, told = watched(looks(*phases))
    assert told == []
    _, told = watched([(21_600, Reading(phase=UNDER_WAY))], watch)
    assert [(one.phase, one.waited_s) for one in told] == [("absolute", 21_600)]


def test_gone_is_what_is_missing_for_a_while_and_in_three_looks() -> None:
    watch, told = watched(looks(UNDER_WAY, ABSENT, ABSENT, ABSENT))
    assert (told, watch.absent) == ([], 3)
    _, told = watched([(40.0, Reading(phase=ABSENT))], watch)
    assert [(one.phase, one.readings) for one in told] == [(ABSENT, 4)]
    few = [(at_s, Reading(phase=ABSENT)) for at_s in (0.0, 10.0)]
    watch, told = watched(few, Watch(phase=ABSENT, phase_s=90.0, absent=0, seen_at=START))
    assert (told, watch.absent) == ([], 2)


def test_one_look_at_an_empty_list_is_forgotten() -> None:
    watch, told = watched(looks("no_bytes", ABSENT, ABSENT, "no_bytes", ABSENT, ABSENT, "no_bytes"))
    assert (told, watch.absent) == ([], 0)


def test_a_failure_is_told_at_once_and_not_at_every_look() -> None:
    _, told = watched(looks("no_bytes", FAILED, FAILED, FAILED))
    assert len(told) == 1
    _, told = watched(looks(*[FAILED] * 8))
    assert len(told) == 2, "still there a minute later, it is told again"


gaps = st.floats(0.01, 40.0) | st.floats(100.0, 1e6)
readings = st.builds(Reading, phase=st.sampled_from([*OPEN, WAITING, HELD, FAILED]), mark=st.integers(0, 3))


@given(st.lists(st.tuples(gaps, readings), min_size=1, max_size=60))
def test_the_clocks_never_show_more_time_than_there_was(steps: list[Look]) -> None:
    at_s, most, told_s, watch = 0.0, 0.0, 0.0, None
    for place, (gap, reading) in enumerate(steps):
        at_s += gap
        most += min(gap, MOST.total_seconds()) if place else 0.0
        watch, passed = watched([(at_s, reading)], watch)
        told_s += sum(one.waited_s for one in passed if one.phase == "absolute")
        assert watch.total_s + told_s <= most + 1e-6
        assert watch.phase_s <= most + 1e-6
        assert watch.seen_at == START + timedelta(seconds=at_s)


@given(st.lists(st.tuples(st.floats(0.0, 500.0), readings), min_size=2, max_size=40))
def test_looks_that_end_in_any_order_count_no_time_twice(unsorted: list[Look]) -> None:
    """Each look knows when it began; the clocks go by that."""
    begun = [at_s for at_s, _ in unsorted]
    near = [(at_s, reading) for at_s, reading in unsorted if max(begun) - at_s < MOST.total_seconds()]
    watch, _ = watched(near)
    span = max(at_s for at_s, _ in near) - min(at_s for at_s, _ in near)
    assert watch.total_s <= span + 1e-6


@given(st.sampled_from(OPEN), st.lists(st.floats(0.01, 40.0), min_size=1, max_size=400))
def test_a_limit_is_told_as_often_as_it_was_reached(phase: str, gaps: list[float]) -> None:
    at_s, watch, told = 0.0, None, []
    for gap in gaps:
        at_s += gap
        watch, passed = watched([(at_s, Reading(phase=phase))], watch)
        told += [one for one in passed if one.phase != "absolute"]
    counted = sum(min(gap, MOST.total_seconds()) for gap in gaps[1:])
    limit = LIMITS.get(phase)
    assert len(told) <= (counted / limit if limit else 0)


@given(st.lists(st.tuples(gaps, st.sampled_from([WAITING, HELD])), max_size=40))
def test_while_it_waits_nothing_is_told(steps: list[tuple[float, str]]) -> None:
    at_s, readings = 0.0, []
    for gap, phase in steps:
        at_s += gap
        readings.append((at_s, Reading(phase=phase)))
    assert watched([(0.0, Reading(phase="no_bytes")), *readings])[1] == []
