"""The journal's format: what was written comes back, and damage takes only what it hit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from ingest.spool.record import MARK, Damage, encode, scan
from shared.eventlog.event import Delivery

SALT = 0x5EED

storable = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
deliveries = st.builds(
    Delivery,
    id=st.uuids(),
    source=storable,
    type=storable,
    # bodies that look like the format itself are the ones worth trying
    body=st.binary(max_size=200) | st.binary(max_size=20).map(lambda b: MARK + b) | st.just(MARK * 20),
    received_at=st.datetimes(
        datetime(2000, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
        datetime(2100, 1, 1),  # noqa: DTZ001
        timezones=st.just(UTC),
    ),
    dedupe_key=st.none() | storable,
    correlation_id=st.none() | storable,
)
journals = st.lists(deliveries, max_size=8)


def frames(kept: list[Delivery]) -> list[bytes]:
    return [encode(delivery, SALT) for delivery in kept]


def whole(data: bytes) -> list[Delivery]:
    return [found for found in scan(data, SALT) if isinstance(found, Delivery)]


@given(journals)
def test_what_was_written_comes_back(kept: list[Delivery]) -> None:
    assert list(scan(b"".join(frames(kept)), SALT)) == kept


@given(journals, deliveries, st.data())
def test_a_write_that_was_interrupted_is_a_torn_tail(kept: list[Delivery], last: Delivery, data: st.DataObject) -> None:
    tail = encode(last, SALT)
    cut = data.draw(st.integers(1, len(tail) - 1))
    before = b"".join(frames(kept))
    assert list(scan(before + tail[:cut], SALT)) == [*kept, Damage(len(before), len(before) + cut, torn=True)]


@given(journals, st.integers(1, 5000))
def test_blocks_that_were_never_filled_are_a_torn_tail(kept: list[Delivery], size: int) -> None:
    before = b"".join(frames(kept))
    assert list(scan(before + bytes(size), SALT)) == [*kept, Damage(len(before), len(before) + size, torn=True)]


@given(journals.filter(bool), st.data())
def test_a_damaged_byte_costs_its_own_record_alone(kept: list[Delivery], data: st.DataObject) -> None:
    parts = frames(kept)
    hit = data.draw(st.integers(0, len(parts) - 1))
    at = data.draw(st.integers(0, len(parts[hit]) - 1))
    broken = bytearray(parts[hit])
    broken[at] ^= data.draw(st.integers(1, 255))
    found = list(scan(b"".join([*parts[:hit], bytes(broken), *parts[hit + 1 :]]), SALT))
    start = sum(map(len, parts[:hit]))
    expected: list[Delivery | Damage] = [
        *kept[:hit],
        Damage(start, start + len(parts[hit]), torn=False),
        *kept[hit + 1 :],
    ]
    assert found == expected


@given(st.binary(max_size=300), journals)
def test_any_rubbish_in_front_leaves_what_follows(rubbish: bytes, kept: list[Delivery]) -> None:
    if rubbish:
        assert whole(rubbish + b"".join(frames(kept))) == kept


@given(st.binary(max_size=2000))
def test_scanning_ends_and_accounts_for_every_byte(data: bytes) -> None:
    damage = [found for found in scan(data, SALT) if isinstance(found, Damage)]
    assert sum(found.end - found.start for found in damage) == len(data)


@given(deliveries, st.integers(0, 2**32 - 1).filter(lambda salt: salt != SALT))
def test_a_frame_of_another_segment_is_no_record(delivery: Delivery, salt: int) -> None:
    assert whole(encode(delivery, salt)) == []


def test_a_frame_inside_a_damaged_body_is_no_record() -> None:
    inner = encode(_delivery(b"inner"), SALT + 1)
    outer = bytearray(encode(_delivery(inner), SALT))
    outer[2] ^= 1  # the head is gone, so the search goes through the body
    assert whole(bytes(outer) + encode(_delivery(b"next"), SALT)) == [_delivery(b"next")]


def test_half_a_surrogate_pair_costs_the_name_and_not_the_bytes() -> None:
    odd = Delivery(UUID(int=1), "lidarr", "\ud800", b"body", datetime.now(UTC), "key", "\udfff")
    (found,) = scan(encode(odd, SALT), SALT)
    assert isinstance(found, Delivery)
    assert (found.id, found.type, found.body, found.dedupe_key) == (odd.id, "unreadable", b"body", None)


def test_marks_without_end_are_scanned_in_no_time() -> None:
    # Linear: each of these million marks is refused by its head alone.
    assert whole(b"x" + MARK * 1_000_000 + encode(_delivery(b"last"), SALT)) == [_delivery(b"last")]


def _delivery(body: bytes) -> Delivery:
    return Delivery(UUID(int=7), "lidarr", "Grab", body, datetime(2026, 1, 1, tzinfo=UTC) + timedelta(microseconds=1))
