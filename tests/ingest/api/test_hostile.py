"""Whatever is sent, the answer is one of the contract's, and none is our fault."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from yarl import URL

from shared.settings.registry import REGISTRY

_TEXT = st.text(st.characters(codec="utf-8"), max_size=30) | st.sampled_from(
    ["\x00", "null", "-1", "9" * 30, "../..", "'"]
)
_VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=8,
)
_ALBUM = st.fixed_dictionaries({"album_mbid": st.uuids().map(str) | _VALUE, "artist_name": _TEXT, "album_title": _TEXT})
_BODY = st.one_of(
    _ALBUM,
    st.builds(
        lambda album, more: {**album, **more}, _ALBUM, st.dictionaries(st.sampled_from(["user_id", "batch_id"]), _TEXT)
    ),
    st.fixed_dictionaries({"albums": st.lists(_ALBUM, max_size=3) | _VALUE}),
    st.fixed_dictionaries({"value": st.integers(0, 120) | _VALUE}),
    st.fixed_dictionaries({"reason": _VALUE}),
    st.just({}),
    st.just({"reason": "why not"}),
    st.builds(lambda mbid: {"album_mbid": str(mbid), "artist_name": "a", "album_title": "b"}, st.uuids()),
    st.dictionaries(
        st.sampled_from(["source", "type", "since", "until", "dry_run", "state", "reason"]), _VALUE | _TEXT
    ),
    _VALUE,
).map(msgspec.json.encode) | st.binary(max_size=60)
_QUERY = st.dictionaries(
    st.sampled_from(["limit", "cursor", "state", "since", "until", "q", "source", "type", "user_id", "batch_id", "x"]),
    _TEXT | st.integers().map(str) | st.datetimes().map(lambda at: at.isoformat() + "Z"),
    max_size=3,
)
_ID = st.uuids().map(str) | st.text(st.characters(codec="ascii", exclude_characters="/?#%"), min_size=1, max_size=20)
_MATCH = st.none() | st.sampled_from(['"1"', "*", "1", '"', 'W/"1"', '"1", "2"'])


async def test_any_request_gets_an_answer_of_the_contract(api: Any, album: dict[str, str], log_event: Any) -> None:
    batch = await api.post("/api/v1/batches", {"albums": [album]}, status=201)
    job = await api.post("/api/v1/jobs", album, status=201)
    events = [event["id"] for event in (await api.get("/api/v1/events"))["items"]]
    there = st.sampled_from([job["id"], batch["id"], *events, str(await log_event(b"{")), *REGISTRY])
    operations = [
        (method.upper(), path)
        for path, methods in api.contract["paths"].items()
        for method in methods
        if path.startswith("/api/v1")
    ]
    loop = asyncio.get_running_loop()

    async def send(operation: tuple[str, str], id_: str, query: dict[str, str], body: bytes, match: str | None) -> None:
        method, template = operation
        path = template.replace("{id}", _quoted(id_)).replace("{name}", _quoted(id_))
        headers = {"If-Match": match} if match else {}
        sent = {} if method == "GET" else {"data": body}
        asked = query if method == "GET" or "limit" in query else {}
        answer = await api(method, URL.build(path=path, query=asked), headers=headers, **sent)
        assert answer.status < 500, answer.raw

    @seed(20261122)
    @settings(max_examples=400, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.tuples(st.sampled_from(operations), there | there | _ID, _QUERY, _BODY, _MATCH))
    def fuzz(request: Any) -> None:
        asyncio.run_coroutine_threadsafe(send(*request), loop).result(60)

    await asyncio.to_thread(fuzz)
    assert (await api("GET", "/api/v1/jobs")).status == 200


def _quoted(text: str) -> str:
    return text if text.strip(".") else "x"


async def test_a_body_too_large_is_413(api: Any) -> None:
    answer = await api("POST", "/api/v1/jobs", data=io.BytesIO(b" " * (6 * 1024 * 1024)))
    assert answer.status == 413
