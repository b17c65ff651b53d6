"""History over real HTTP: every event by every filter, page by page, and its exact bytes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from yarl import URL

from ingest.api.paging import encode_cursor

_NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


async def test_an_event_is_shown_with_all_its_deliveries(api: Any, log_event: Any) -> None:
    first = await log_event(b'{"eventType":"Download"}', type="Download", dedupe_key="k1", correlation_id="ABC")
    await log_event(b'{"eventType":"Download" }', type="Download", dedupe_key="k1")
    page = await api.get("/api/v1/events")
    assert page["next"] is None
    (event,) = page["items"]
    assert (event["id"], event["source"], event["type"], event["state"]) == (
        str(first),
        "lidarr",
        "Download",
        "waiting",
    )
    assert (event["deliveries"], event["dedupe_key"], event["correlation_id"]) == (2, "k1", "ABC")
    assert (event["attempts"], event["job_ids"], event["reason"], event["last_error"]) == (0, [], None, None)
    shown = await api.get(f"/api/v1/events/{first}")
    assert shown.items() >= event.items()
    assert (shown["decisions"], shown["size_bytes"]) == ([], 24)


@pytest.mark.parametrize("raw", [b"", b"\xff\x00\xfe", b'{"a": "\\u0000", "b": 1e400000}', b"x" * 300_000])
async def test_the_bytes_are_exact(api: Any, log_event: Any, raw: bytes) -> None:
    event = await log_event(raw, type="unreadable" if raw[:1] != b"{" else "Grab")
    answer = await api("GET", f"/api/v1/events/{event}/body")
    assert answer.status == 200
    assert answer.raw == raw
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Content-Type"] == ("application/json" if raw[:1] == b"{" else "application/octet-stream")
    assert (await api("GET", f"/api/v1/events/{uuid4()}/body")).status == 404


async def test_filters(api: Any, pool: Any, log_event: Any) -> None:
    grab = await log_event(type="Grab", correlation_id="ONE", received_at=_NOON)
    test = await log_event(type="Test", received_at=_NOON + timedelta(hours=1))
    noop = await log_event(source="slskd", type="Noop", received_at=_NOON + timedelta(hours=2))
    await pool.execute("UPDATE event_status SET state = 'dead', settled_at = now() WHERE event_id = $1", test)

    async def ids(**params: str) -> list[UUID]:
        return [UUID(event["id"]) for event in (await api.get("/api/v1/events", **params))["items"]]

    assert await ids() == [noop, test, grab]
    assert await ids(source="lidarr") == [test, grab]
    assert await ids(source="lidarr", type="Grab") == [grab]
    assert await ids(state="dead") == [test]
    assert await ids(correlation_id="ONE") == [grab]
    assert await ids(since="2026-03-01T13:00:00Z") == [noop, test]
    assert await ids(since="2026-03-01T14:00:01+01:00") == [noop]
    assert await ids(source="") == [noop, test, grab]


async def test_until_excludes_its_moment(api: Any, log_event: Any) -> None:
    now = datetime.now(UTC)
    old = await log_event(received_at=now - timedelta(hours=2))
    await log_event(received_at=now)
    page = await api.get("/api/v1/events", until=now.isoformat())
    assert [event["id"] for event in page["items"]] == [str(old)]
    assert (await api.get("/api/v1/events", until="0001-01-01T00:00:00Z"))["items"] == []
    assert len((await api.get("/api/v1/events", until="9999-12-31T00:00:00Z"))["items"]) == 2


async def test_a_text_is_found_in_body_and_fields(api: Any, log_event: Any) -> None:
    sigur = await log_event('{"artist":"Sigur Rós"}'.encode(), type="Grab")
    broken = await log_event(b"\xff\xfeMOGWAI", type="unreadable")
    await log_event(b"x" * 70_000 + b"too late")

    async def ids(text: str) -> list[UUID]:
        return [UUID(event["id"]) for event in (await api.get("/api/v1/events", q=text))["items"]]

    assert await ids("sigur rós") == [sigur]
    assert await ids("mogwai") == [broken]
    assert await ids("grab") == [sigur]
    assert await ids(str(broken)[:20]) == [broken]
    assert await ids("100%_") == []
    assert await ids("too late") == []


async def test_a_search_goes_on_where_its_window_ended(
    api: Any, log_event: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.api.events.SEARCH_WINDOW", 3)
    found = [await log_event(b"needle")]
    for _ in range(7):
        await log_event(b"hay")
    found.append(await log_event(b"needle"))
    first = await api.get("/api/v1/events", q="needle")
    assert len(first["items"]) == 1
    assert first["next"]
    everything = await api.pages("/api/v1/events", q="needle")
    assert [event["id"] for event in everything] == [str(one) for one in reversed(found)]


async def test_pages_stay_put_while_events_arrive(api: Any, log_event: Any) -> None:
    there = [str(await log_event()) for _ in range(11)]
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = await api.get("/api/v1/events", limit=3, **cursor)
        seen += [event["id"] for event in page["items"]]
        await log_event()
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert seen == there[::-1]


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "201"}, "limit"),
        ({"limit": "9" * 400}, "limit"),
        ({"limit": "ten"}, "limit"),
        ({"limit": "null"}, "limit"),
        ({"state": "asleep"}, "state"),
        ({"since": "yesterday"}, "since"),
        ({"since": "2026-01-01T00:00:00"}, "since"),
        ({"since": "null"}, "since"),
        ({"until": "1e308"}, "until"),
        ({"cursor": "!"}, "cursor"),
        ({"cursor": "äöü"}, "cursor"),
        ({"cursor": "W10"}, "cursor"),
        ({"cursor": "x" * 400}, "cursor"),
        ({"q": "a\x00"}, "q"),
        ({"q": "x" * 201}, "q"),
        ({"sate": "dead"}, "request"),
    ],
)
async def test_a_wrong_filter_is_named(api: Any, params: dict[str, str], field: str) -> None:
    answer = await api("GET", "/api/v1/events", params=params)
    assert answer.status == 422, answer.raw
    assert answer.json["field"] == field


async def test_a_filter_given_twice_is_refused(api: Any) -> None:
    assert (await api("GET", "/api/v1/events?type=a&type=b")).json["field"] == "type"


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-01-01T00:00:00"])
async def test_a_cursor_made_by_hand_is_no_fault_of_ours(api: Any, at: str) -> None:
    cursor = encode_cursor("jobs", at, uuid4())
    assert (await api("GET", "/api/v1/jobs", params={"cursor": cursor})).status in {200, 422}


async def test_another_lists_cursor_is_refused(api: Any, log_event: Any) -> None:
    await log_event()
    await log_event()
    cursor = (await api.get("/api/v1/events", limit=1))["next"]
    assert (await api("GET", "/api/v1/jobs", params={"cursor": cursor})).json["field"] == "cursor"


@pytest.mark.parametrize("id_", ["x", "5b11f4ce", "%00", "5b11f4ce-a62d-471e-81fc-a69a8278c7dag", "urn:uuid:1"])
async def test_what_is_no_id_is_named(api: Any, id_: str) -> None:
    answer = await api("GET", URL(f"/api/v1/events/{id_}", encoded=True))
    assert answer.status == 422
    assert answer.json["field"] == "id"


async def test_an_unknown_event_is_404(api: Any) -> None:
    assert (await api("GET", f"/api/v1/events/{uuid4()}")).status == 404
