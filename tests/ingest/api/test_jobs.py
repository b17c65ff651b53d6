"""Jobs over real HTTP: asked once, shared by those who want the same, cancelled and opened again."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.acquisition.acts import own_delivery
from shared.acquisition.findings import AlbumReady, CommandFailed
from shared.acquisition.signals import AlbumRef, Imported, Signal
from shared.eventlog import store as eventlog
from shared.eventlog.event import REPRISE

Album = dict[str, str]


async def test_a_job_is_made_and_can_be_read_with_its_history(api: Any, album: Album) -> None:
    made = await api("POST", "/api/v1/jobs", json=album)
    assert made.status == 201
    job = made.json
    assert job["user_id"] == "me"
    assert job["origin"] == "api"
    assert (job["state"], job["reason"]) == ("pending", "no_source_configured")
    assert (job["source"], job["attempts"], job["batch_id"]) == (None, 0, None)
    assert made.headers["Location"] == f"/api/v1/jobs/{job['id']}"
    shown = await api.get(made.headers["Location"])
    history = shown.pop("history")
    assert shown.pop("tried") == []
    assert shown == job
    assert [(one["sequence"], one["signal"], one["outcome"]) for one in history] == [(1, "JobRequested", "applied")]
    assert (history[0]["event_source"], history[0]["event_type"]) == ("operator", "JobRequested")
    event = await api.get(f"/api/v1/events/{history[0]['event_id']}")
    assert event["job_ids"] == [job["id"]]
    assert event["state"] == "processed"
    assert event["decisions"][0]["subject_id"] == job["acquisition_id"]


async def test_fifty_at_once_make_one_job(api: Any, album: Album) -> None:
    answers = await asyncio.gather(*(api("POST", "/api/v1/jobs", json=album) for _ in range(50)))
    assert Counter(answer.status for answer in answers) == {201: 1, 200: 49}
    assert len({answer.json["id"] for answer in answers}) == 1
    assert len((await api.get("/api/v1/jobs"))["items"]) == 1


async def test_two_users_share_one_acquisition_and_the_last_cancel_ends_it(api: Any, album: Album) -> None:
    ann = await api.post("/api/v1/jobs", {**album, "user_id": "ann"}, status=201)
    bob = await api.post("/api/v1/jobs", {**album, "user_id": "bob"}, status=201)
    assert ann["id"] != bob["id"]
    assert ann["acquisition_id"] == bob["acquisition_id"]
    gone = await api.post(f"/api/v1/jobs/{ann['id']}/cancel", {"reason": "changed my mind"}, status=202)
    assert (gone["state"], gone["reason"]) == ("cancelled", "changed my mind")
    assert (await api.get(f"/api/v1/jobs/{bob['id']}"))["state"] == "pending"
    await api.post(f"/api/v1/jobs/{bob['id']}/cancel", status=202)
    history = (await api.get(f"/api/v1/jobs/{bob['id']}"))["history"]
    assert [one["after_state"] for one in history] == ["pending", "pending", "pending", "cancelled"]
    again = await api.post("/api/v1/jobs", {**album, "user_id": "bob"}, status=201)
    assert again["acquisition_id"] != bob["acquisition_id"]


async def test_cancel_and_retry_are_refused_where_they_do_not_apply(api: Any, album: Album) -> None:
    job = await api.post("/api/v1/jobs", album, status=201)
    running = await api.post(f"/api/v1/jobs/{job['id']}/retry", status=409)
    assert "pending" in running["detail"]
    await api.post(f"/api/v1/jobs/{job['id']}/cancel", status=202)
    over = await api.post(f"/api/v1/jobs/{job['id']}/cancel", status=409)
    assert "cancelled" in over["detail"]
    reopened = await api.post(f"/api/v1/jobs/{job['id']}/retry", {"reason": "after all"}, status=202)
    assert (reopened["id"], reopened["state"]) == (job["id"], "pending")
    await api.post(f"/api/v1/jobs/{uuid4()}/retry", status=404)
    assert "JobRetried" in {event["type"] for event in (await api.get("/api/v1/events"))["items"]}


async def test_a_retry_is_refused_while_the_same_is_asked_for_again(api: Any, album: Album) -> None:
    job = await api.post("/api/v1/jobs", album, status=201)
    await api.post(f"/api/v1/jobs/{job['id']}/cancel", status=202)
    await api.post("/api/v1/jobs", album, status=201)
    refused = await api.post(f"/api/v1/jobs/{job['id']}/retry", status=409)
    assert "active already" in refused["detail"]


async def test_a_finished_job_cannot_be_opened_again(api: Any, pool: Any, album: Album) -> None:
    job = await api.post("/api/v1/jobs", album, status=201)
    await told(api, pool, Imported(album=AlbumRef(mbid=UUID(album["album_mbid"])), at=datetime.now(UTC)))
    done = await api.get(f"/api/v1/jobs/{job['id']}")
    assert (done["state"], done["source"], done["attempts"]) == ("completed", "lidarr", 1)
    refused = await api.post(f"/api/v1/jobs/{job['id']}/retry", status=409)
    assert "completed" in refused["detail"]


async def told(api: Any, pool: Any, signal: Signal) -> None:
    """Let something that an effect found be folded."""
    delivery = own_delivery(signal, source=REPRISE)
    async with pool.acquire() as connection, connection.transaction():
        await eventlog.append(connection, [delivery])
        await api.services.folding.fold(connection, await eventlog.claim_these(connection, [delivery.id]))


async def test_a_spent_budget_holds_against_whoever_asks_but_not_against_a_reason(
    api: Any, pool: Any, album: Album
) -> None:
    job = (await replace_lidarr(api)("POST", "/api/v1/jobs", json=album)).json
    home = UUID(job["acquisition_id"])
    await told(api, pool, AlbumReady(acquisition_id=home, lidarr_album_id=1, track_file_count=0, track_count=9))
    for attempt in (1, 2, 3):
        failed = CommandFailed(acquisition_id=home, attempt=attempt, command="SearchAlbum", reason="Lidarr is broken")
        await told(api, pool, failed)
    spent = await api.get(f"/api/v1/jobs/{job['id']}")
    assert (spent["state"], spent["reason"][:14]) == ("failed", "attempts_spent")
    assert [(one["number"], one["source"], one["state"], one["reason"]) for one in spent["tried"]] == [
        (number, "lidarr", "failed", "Lidarr is broken") for number in (1, 2, 3)
    ]
    again = await api("POST", "/api/v1/jobs", json=album)
    assert (again.status, again.json["id"]) == (200, job["id"])
    other = await api.post("/api/v1/jobs", {**album, "user_id": "ann"}, status=201)
    assert (other["state"], other["reason"][:12]) == ("failed", "budget_spent")
    refused = await api.post(f"/api/v1/jobs/{job['id']}/retry", status=409)
    assert "reason" in refused["detail"]
    opened = await api.post(f"/api/v1/jobs/{job['id']}/retry", {"reason": "Lidarr is mended"}, status=202)
    assert opened["state"] == "pending"


async def test_a_job_says_which_peer_it_waits_for(api: Any, pool: Any, album: Album) -> None:
    driven = replace_lidarr(api)
    job = (await driven("POST", "/api/v1/jobs", json=album)).json
    assert job["reason"] is None
    await pool.execute("UPDATE commands SET last_error = 'Lidarr does not answer' WHERE kind = 'EnsureAlbum'")
    assert (await api.get(f"/api/v1/jobs/{job['id']}"))["reason"] == "Lidarr does not answer"


def replace_lidarr(api: Any) -> Any:
    """The same API, with Lidarr configured."""
    object.__setattr__(api.services.folding, "lidarr", True)
    return api


async def test_jobs_are_listed_by_filter(api: Any, album: Album) -> None:
    ann = await api.post("/api/v1/jobs", {**album, "user_id": "ann"}, status=201)
    bob = await api.post("/api/v1/jobs", {**album, "user_id": "bob", "album_mbid": str(uuid4())}, status=201)
    await api.post(f"/api/v1/jobs/{bob['id']}/cancel", status=202)

    async def ids(**params: str) -> list[str]:
        return [job["id"] for job in (await api.get("/api/v1/jobs", **params))["items"]]

    assert await ids() == [bob["id"], ann["id"]]
    assert await ids(user_id="ann") == [ann["id"]]
    assert await ids(state="cancelled") == [bob["id"]]
    assert await ids(album_mbid=album["album_mbid"]) == [ann["id"]]
    assert await ids(origin="api", state="pending") == [ann["id"]]
    assert await ids(source="lidarr") == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"album_mbid": "nonsense"}, "album_mbid"),
        ({"album_mbid": None}, "album_mbid"),
        ({"artist_name": ""}, "artist_name"),
        ({"artist_name": "  "}, "artist_name"),
        ({"artist_name": "x" * 501}, "artist_name"),
        ({"album_title": "a\x00b"}, "album_title"),
        ({"album_title": 5}, "album_title"),
        ({"user_id": ""}, "user_id"),
        ({"user_id": "u" * 201}, "user_id"),
        ({"batch_id": "0"}, "batch_id"),
        ({"batch_id": "5b11f4ce-a62d-471e-81fc-a69a8278c7da"}, "batch_id"),
        ({"artist_mbid": 1}, "artist_mbid"),
        ({"albun": 1}, "body"),
    ],
)
async def test_a_wrong_field_is_named(api: Any, album: Album, change: dict[str, Any], field: str) -> None:
    problem = await api.post("/api/v1/jobs", {**album, **change}, status=422)
    assert problem["field"] in {field, "request"}
    assert problem["detail"].startswith(problem["field"])
    assert await api.get("/api/v1/events") == {"items": [], "next": None}


@pytest.mark.parametrize("raw", [b"{", b"[", b'{"a":}', b"\xff", b"[" * 100_000, b'{"album_title": "\\ud800"}'])
async def test_a_malformed_body_is_400(api: Any, raw: bytes) -> None:
    answer = await api("POST", "/api/v1/jobs", data=raw)
    assert answer.status in {400, 422}
    assert answer.json["status"] == answer.status


async def test_an_unknown_field_is_told_by_name_where_it_looks_like_one(api: Any, album: Album) -> None:
    for name, named in (("albums_mbid", " (albums_mbid); known are"), ("<script>", "isn't known; known are")):
        refused = await api("POST", "/api/v1/jobs", json=album | {name: "x"})
        assert refused.status == 422
        assert named in refused.json["detail"]
        assert "script" not in refused.json["detail"]


async def test_a_missing_body_or_field_is_named(api: Any) -> None:
    assert (await api.post("/api/v1/jobs", status=422))["field"] == "body"
    problem = await api.post("/api/v1/jobs", {}, status=422)
    assert problem["field"] == "album_mbid"
    assert "release-group" in problem["detail"]
