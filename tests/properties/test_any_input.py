"""Whatever anybody posts: reading it never raises, and what is read can be stored and indexed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.acquisition.signals import Unheeded
from shared.eventlog.event import Event, Identity
from shared.eventlog.identity import uuid7
from shared.sources import SOURCES, interpret
from shared.sources.lidarr import HISTORY_TYPES
from tests.shared.sources import test_lidarr, test_slskd

LIDARR_TYPES = sorted({shape[0] for shape in test_lidarr.SHAPES.values()} | set(HISTORY_TYPES.values()))
SLSKD_TYPES = sorted({shape[0] for shape in test_slskd.SHAPES.values()})
TYPES = [*(("lidarr", one) for one in LIDARR_TYPES), *(("slskd", one) for one in SLSKD_TYPES)]
FIELDS = sorted(
    {"artist", "album", "albums", "release", "releaseTitle", "downloadId", "trackFiles", "isUpgrade", "eventType"}
    | {"instanceName", "id", "mbId", "title", "foreignAlbumId", "name", "dateAdded", "date", "data", "sourceTitle"}
    | {"type", "transfer", "batchId", "username", "filename", "localFilename", "remoteFilename", "size", "message"}
)
LONGEST = 200  # bytes of several indexed columns together must fit an index row of 2,700

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=-(2**80), max_value=2**80),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(),
    st.text("ab\x00東", min_size=150, max_size=300),
    st.sampled_from(["Grab", "Download", "\x00", "a\x1fb", "00000000-0000-4000-8000-000000000501", "İ", "x" * 70_000]),
    st.sampled_from(["2026-01-01T00:00:00Z", "2026-01-01T00:00:00", "0001-01-01T00:00:00Z"]),
    st.sampled_from([one for _, one in TYPES]),
)
names = st.sampled_from(FIELDS) | st.text(max_size=8)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=6), max_leaves=8
)
objects = st.dictionaries(names, values, max_size=10)


def storable(found: Identity) -> None:
    """Postgres takes each part as text, and can index it."""
    for part, limit in ((found.type, 64), (found.dedupe_key, LONGEST), (found.correlation_id, LONGEST)):
        if part is not None:
            part.encode("utf-8")
            assert part
            assert not any(sign in part for sign in "\x00\x1f\n"), "a parked event lists what it waits for by \x1f"
            assert len(part) <= limit


@pytest.mark.parametrize("source", ["lidarr", "slskd"])
@given(body=st.binary() | values.map(lambda value: json.dumps(value).encode()) | st.text().map(str.encode))
@example(body=b'{"eventType": "\\ud800"}')
@example(body=b'{"eventType": "ArtistAdd", "artist": {"id": ' + b"9" * 5000 + b"}}")
@example(body=b'{"eventType": "Download", "trackFiles": [{"id": ' + b"9" * 5000 + b"}]}")
@example(body=b'{"eventType": "Grab", "downloadId": "a\\u001fb"}')
def test_identify_takes_anything(source: str, body: bytes) -> None:
    storable(SOURCES[source].identify({}, body))


@pytest.mark.parametrize("source", ["lidarr", "slskd"])
@pytest.mark.parametrize("where", [b'{"eventType":"Download","trackFiles":[{"id":1}],"instanceName":%s}', b"%s"])
def test_identify_takes_any_depth(source: str, where: bytes) -> None:
    for depth in (10, 100, 500, *range(900, 1010), 5_000, 100_000):
        storable(SOURCES[source].identify({}, where % (b"[" * depth + b"]" * depth)))


@given(data=objects, type=st.sampled_from(LIDARR_TYPES))
def test_identify_takes_any_object(data: dict[str, Any], type: str) -> None:
    storable(SOURCES["lidarr"].identify({}, json.dumps({**data, "eventType": type}).encode()))
    storable(SOURCES["slskd"].identify({}, json.dumps({**data, "type": type}).encode()))


def texts_of(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for one in value.values() for text in texts_of(one)]
    if isinstance(value, list):
        return [text for one in value for text in texts_of(one)]
    return []


def numbers_of(value: object) -> list[int]:
    if isinstance(value, dict):
        return [number for one in value.values() for number in numbers_of(one)]
    if isinstance(value, list):
        return [number for one in value for number in numbers_of(one)]
    return [value] if isinstance(value, int) else []


@settings(max_examples=120)
@given(kind=st.sampled_from(TYPES), body=objects.map(lambda value: json.dumps(value).encode()) | st.binary())
def test_interpret_takes_any_body_under_any_type(kind: tuple[str, str], body: bytes) -> None:
    source, type = kind
    said = interpret(Event(uuid7(), source, type, body, datetime.now(UTC)))
    if isinstance(said, Unheeded):
        texts = [said.reason]
        assert len(said.reason) < 400
    else:
        plain = [msgspec.to_builtins(signal) for signal in said]
        texts = texts_of(plain)
        assert all(-(2**63) <= number < 2**63 for number in numbers_of(plain)), "bigint"
    for text in texts:
        text.encode("utf-8")
        assert "\x00" not in text
        assert len(text) <= 2000


@given(
    body=st.sampled_from([test_lidarr.body_of(name) for name in test_lidarr.SHAPES]).map(json.loads),
    field=st.sampled_from(FIELDS),
    value=values,
)
def test_a_real_body_with_one_strange_field(body: dict[str, Any], field: str, value: object) -> None:
    inner = [one for one in body.values() if isinstance(one, dict)] + [
        one for many in body.values() if isinstance(many, list) for one in many if isinstance(one, dict)
    ]
    for place in (body, *inner):
        kept = place.get(field, ...)
        place[field] = value
        raw = json.dumps(body).encode()
        found = SOURCES["lidarr"].identify({}, raw)
        storable(found)
        said = interpret(Event(uuid7(), "lidarr", found.type, raw, datetime.now(UTC)))
        if isinstance(said, tuple):
            plain = [msgspec.to_builtins(signal) for signal in said]
            assert all("\x00" not in text for text in texts_of(plain))
            assert all(-(2**63) <= number < 2**63 for number in numbers_of(plain))
        if kept is ...:
            del place[field]
        else:
            place[field] = kept


@pytest.mark.parametrize("source", ["operator", "reprise", "spotify"])
def test_events_of_our_own_and_of_nobody_never_raise_either(source: str) -> None:
    for body in (b"", b"{}", b'{"type": "JobRequested"}', b"\xff"):
        assert isinstance(interpret(Event(uuid7(), source, "JobRequested", body, datetime.now(UTC))), Unheeded)
