"""Retry and replay over real HTTP: only where they apply, and in the log."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from ingest.api import operations
from ingest.api.operations import DeadFilter
from shared.eventlog import store as eventlog
from tests.harness.waiting import until

Album = dict[str, str]


async def _kill(pool: Any, *events: UUID) -> None:
    await pool.execute(
        "UPDATE event_status SET state = 'dead', attempts = 8, reason = 'poison', last_error = 'KeyError',"
        " settled_at = now() WHERE event_id = ANY ($1::uuid[])",
        list(events),
    )


async def test_a_dead_event_starts_over(api: Any, pool: Any, log_event: Any) -> None:
    event = await log_event()
    await _kill(pool, event)
    answer = await api.post(f"/api/v1/admin/events/{event}/retry", {"reason": "upgraded"}, status=202)
    assert answer == {"event_id": str(event), "state": "waiting"}
    shown = await api.get(f"/api/v1/events/{event}")
    assert (shown["state"], shown["attempts"], shown["last_error"]) == ("waiting", 0, "KeyError")
    async with pool.acquire() as connection, connection.transaction():
        assert [one.id for one in await eventlog.claim(connection, limit=10, alone=True)] == [event]
    (record,) = (await api.get("/api/v1/events", type="EventsRetried"))["items"]
    assert (record["source"], record["state"], record["reason"]) == ("operator", "ignored", "for_the_record")


async def test_a_waiting_event_is_made_due(api: Any, pool: Any, log_event: Any) -> None:
    event = await log_event()
    refused = await api.post(f"/api/v1/admin/events/{event}/retry", status=409)
    assert "waits" in refused["detail"]
    await pool.execute("UPDATE event_status SET attempts = 3, due_at = $1", datetime.now(UTC) + timedelta(hours=1))
    await api.post(f"/api/v1/admin/events/{event}/retry", status=202)
    shown = await api.get(f"/api/v1/events/{event}")
    assert shown["attempts"] == 3
    assert datetime.fromisoformat(shown["due_at"]) <= datetime.now(UTC)


async def test_what_is_being_folded_or_settled_is_not_retried(
    api: Any, pool: Any, log_event: Any, album: Album
) -> None:
    event = await log_event()
    async with pool.acquire() as connection, connection.transaction():
        await eventlog.claim(connection, limit=1)
        refused = await api.post(f"/api/v1/admin/events/{event}/retry", status=409)
        assert "being folded" in refused["detail"]
    await api.post("/api/v1/jobs", album, status=201)
    (asked,) = (await api.get("/api/v1/events", type="JobRequested"))["items"]
    assert "processed" in (await api.post(f"/api/v1/admin/events/{asked['id']}/retry", status=409))["detail"]
    await pool.execute("UPDATE event_status SET state = 'parked', waits_for = '{x}' WHERE event_id = $1", event)
    assert "parked" in (await api.post(f"/api/v1/admin/events/{event}/retry", status=409))["detail"]
    assert (await api.get(f"/api/v1/events/{event}"))["waits_for"] == ["x"]
    assert (await api.get("/api/v1/events", type="EventsRetried"))["items"] == []
    await api.post(f"/api/v1/admin/events/{uuid4()}/retry", status=404)


async def test_a_replay_is_harmless_and_in_the_log(api: Any, album: Album) -> None:
    job = await api.post("/api/v1/jobs", album, status=201)
    (asked,) = (await api.get("/api/v1/events"))["items"]
    answer = await api("POST", f"/api/v1/admin/events/{asked['id']}/replay", json={"reason": "to see"})
    assert answer.status == 202
    assert (answer.json["state"], answer.json["reason"]) == ("ignored", "already_decided")
    record = await api.get(answer.headers["Location"])
    assert (record["source"], record["type"]) == ("operator", "Replayed")
    assert [one["id"] for one in (await api.get("/api/v1/jobs"))["items"]] == [job["id"]]


async def test_a_replay_folds_what_was_ignored_under_what_is_known_now(api: Any, pool: Any, log_event: Any) -> None:
    signal = {"type": "JobRequested", "user_id": "me", "album": {"album_mbid": str(uuid4()), "artist_name": "a"}}
    signal["album"]["album_title"] = "b"
    event = await log_event(json.dumps(signal).encode(), source="operator", type="JobRequested")
    refused = await api.post(f"/api/v1/admin/events/{event}/replay", status=409)
    assert "waiting" in refused["detail"]
    await _kill(pool, event)
    answer = await api.post(f"/api/v1/admin/events/{event}/replay", status=202)
    assert answer["state"] == "processed"
    assert len((await api.get("/api/v1/jobs"))["items"]) == 1
    await api.post(f"/api/v1/admin/events/{uuid4()}/replay", status=404)


async def test_many_are_retried_by_an_operation(api: Any, pool: Any, log_event: Any) -> None:
    lidarr = [await log_event(type="Grab") for _ in range(5)]
    slskd = await log_event(source="slskd", type="Noop")
    await _kill(pool, *lidarr, slskd)
    which = {"source": "lidarr", "type": "Grab", "since": "2020-01-01T00:00:00Z"}
    assert await api.post("/api/v1/admin/events/retry", {**which, "dry_run": True}, status=200) == {"count": 5}
    assert len((await api.get("/api/v1/events", state="dead"))["items"]) == 6
    started = await api("POST", "/api/v1/admin/events/retry", json=which)
    assert (started.status, started.json["total"]) == (202, 5)

    async def done() -> Any:
        operation = await api.get(started.headers["Location"])
        return operation if operation["state"] == "done" else None

    operation = await until(done)
    assert (operation["done"], operation["args"]["source"]) == (5, "lidarr")
    assert [event["id"] for event in (await api.get("/api/v1/events", state="dead"))["items"]] == [str(slskd)]
    over = await api.post(f"/api/v1/admin/operations/{operation['id']}/cancel", status=409)
    assert "done" in over["detail"]


async def test_an_operation_left_unfinished_by_another_process_goes_on(api: Any, pool: Any, log_event: Any) -> None:
    event = await log_event()
    await _kill(pool, event)
    left = uuid4()
    await pool.execute(
        "INSERT INTO operations (id, kind, args, total, started_at) VALUES ($1, 'retry_dead_events', '{}', 1, now())",
        left,
    )

    async def done() -> bool:
        return (await api.get(f"/api/v1/admin/operations/{left}"))["state"] == "done"

    await until(done)
    assert (await api.get(f"/api/v1/events/{event}"))["state"] == "waiting"


@pytest.fixture
def nobody_else_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The served runner doesn't find by itself what somebody else started."""
    monkeypatch.setattr("ingest.api.operations._LOOK_EVERY_S", 3600.0)


@pytest.mark.usefixtures("nobody_else_looks")
async def test_an_operation_can_be_cancelled(api: Any, pool: Any, log_event: Any) -> None:
    event = await log_event()
    await _kill(pool, event)
    started = await operations.start(
        replace(api.services, operation_started=asyncio.Event()), DeadFilter(), "a mistake"
    )
    gone = await api.post(f"/api/v1/admin/operations/{started.id}/cancel", status=202)
    assert (gone["state"], gone["done"], gone["total"]) == ("cancelled", 0, 1)
    # The next one doesn't take up what was cancelled.
    await api.post("/api/v1/admin/events/retry", {"source": "nobody"}, status=202)
    assert (await api.get(f"/api/v1/admin/operations/{started.id}"))["state"] == "cancelled"
    assert (await api.get(f"/api/v1/events/{event}"))["state"] == "dead"
    await api.post(f"/api/v1/admin/operations/{uuid4()}/cancel", status=404)
