"""Ids that sort by time, and ids that follow from what made them."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from shared.eventlog.identity import derived_id, peer_id, uuid7, uuid7_named


def test_ids_of_one_process_ascend_even_from_several_threads() -> None:
    ids = [uuid7() for _ in range(5000)]
    assert ids == sorted(set(ids))
    with ThreadPoolExecutor(8) as threads:
        runs = list(threads.map(lambda _: [uuid7() for _ in range(1000)], range(8)))
    assert all(run == sorted(run) for run in runs)
    assert len({one for run in runs for one in run}) == 8000


def test_an_id_is_a_uuid7_of_now() -> None:
    before = time.time_ns() // 1_000_000
    one = uuid7()
    after = time.time_ns() // 1_000_000
    assert one.version == 7
    assert one.variant == "specified in RFC 4122"
    assert before - 1 <= one.int >> 80 <= after + 5


@given(st.integers(min_value=0, max_value=2**48 - 1), st.integers(min_value=0, max_value=2**48 - 1))
def test_ids_for_given_times_sort_like_these_times(one: int, other: int) -> None:
    assert uuid7(one).int >> 80 == one
    assert uuid7(one).version == 7
    if one != other:
        assert (uuid7(one) < uuid7(other)) == (one < other)


def test_a_derived_id_follows_from_event_and_parts_alone() -> None:
    event, other = uuid7(), uuid7()
    assert derived_id(event, "job", 1) == derived_id(event, "job", 1)
    assert len({derived_id(event, "job", 1), derived_id(event, "job", 2), derived_id(other, "job", 1)}) == 3
    assert peer_id("lidarr") == peer_id("lidarr") != peer_id("slskd")
    assert isinstance(peer_id("lidarr"), UUID)


names = st.text(st.characters(codec="utf-8"))  # what a database can hold


@given(st.integers(min_value=-(2**50), max_value=2**50), names, names)
def test_ids_named_by_another_system_are_the_same_for_ever(at_ms: int, name: str, other: str) -> None:
    one = uuid7_named(at_ms, name)
    assert one == uuid7_named(at_ms, name)
    assert (one == uuid7_named(at_ms, other)) == (name == other)
    assert (one.version, one.variant) == (7, "specified in RFC 4122")
    assert one.int >> 80 == min(max(at_ms, 0), 2**48 - 1)
