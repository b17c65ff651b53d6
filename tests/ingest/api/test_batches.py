"""Discovery batches over real HTTP: counted by distinct albums, changed only under their version."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from shared.acquisition.rollup import roll_up

Album = dict[str, str]


def _albums(count: int) -> list[Album]:
    return [
        {"album_mbid": str(uuid4()), "artist_name": f"Artist {n}", "album_title": f"Album {n}"} for n in range(count)
    ]


async def test_a_batch_has_a_job_for_each_distinct_album(api: Any) -> None:
    albums = _albums(3)
    made = await api(
        "POST", "/api/v1/batches", json={"user_id": "ann", "label": "Iceland", "albums": [*albums, albums[0]]}
    )
    assert made.status == 201
    batch = made.json
    assert (batch["state"], batch["version"], batch["total"], batch["label"]) == ("active", 1, 3, "Iceland")
    assert made.headers["ETag"] == '"1"'
    assert {job["album_mbid"] for job in batch["jobs"]} == {album["album_mbid"] for album in albums}
    assert {(job["user_id"], job["origin"], job["batch_id"]) for job in batch["jobs"]} == {
        ("ann", "batch", batch["id"])
    }
    shown = await api("GET", made.headers["Location"])
    assert shown.json == batch
    assert shown.headers["ETag"] == '"1"'
    listed = await api.get("/api/v1/batches")
    assert listed["items"] == [{name: value for name, value in batch.items() if name != "jobs"}]
    assert (await api.get("/api/v1/batches", state="completed"))["items"] == []
    assert len((await api.get("/api/v1/jobs", batch_id=batch["id"]))["items"]) == 3


async def test_cancel_goes_by_the_version(api: Any) -> None:
    batch = await api.post("/api/v1/batches", {"albums": _albums(2)}, status=201)
    cancel = f"/api/v1/batches/{batch['id']}/cancel"
    for stale in ('"7"', 'W/"1"', '"1x"'):
        await api.post(cancel, headers={"If-Match": stale}, status=412)
    wrong = await api.post(cancel, headers={"If-Match": "1"}, status=422)
    assert wrong["field"] == "If-Match"
    assert (await api.get(f"/api/v1/batches/{batch['id']}"))["state"] == "active"
    gone = await api("POST", cancel, headers={"If-Match": '"1"'}, json={"reason": "too many"})
    assert (gone.status, gone.headers["ETag"]) == (202, '"2"')
    assert gone.json["state"] == "cancelled"
    assert {job["state"] for job in gone.json["jobs"]} == {"cancelled"}
    await api.post(cancel, headers={"If-Match": '"1"'}, status=412)
    over = await api.post(cancel, headers={"If-Match": '"2"'}, status=409)
    assert "cancelled" in over["detail"]
    await api.post(f"/api/v1/batches/{uuid4()}/cancel", status=404)


async def test_of_many_cancels_under_one_version_one_wins(api: Any) -> None:
    batch = await api.post("/api/v1/batches", {"albums": _albums(3)}, status=201)
    cancel = f"/api/v1/batches/{batch['id']}/cancel"
    answers = await asyncio.gather(*(api("POST", cancel, headers={"If-Match": '"1"'}) for _ in range(10)))
    assert sorted(answer.status for answer in answers) == [202] + [412] * 9


async def test_every_version_is_kept(api: Any, pool: Any) -> None:
    batch = await api.post("/api/v1/batches", {"albums": _albums(3)}, status=201)
    for job in batch["jobs"][:2]:
        await api.post(f"/api/v1/jobs/{job['id']}/cancel", status=202)
        await roll_up(pool, UUID(batch["id"]), datetime.now(UTC))
    versions = await api.pages(f"/api/v1/batches/{batch['id']}/versions", limit=1)
    assert [(one["version"], one["cancelled"], one["cause"]) for one in versions] == [
        (3, 2, "roll_up"),
        (2, 1, "roll_up"),
        (1, 0, "request"),
    ]
    await api("GET", f"/api/v1/batches/{uuid4()}/versions")


async def test_an_album_counts_once_however_often_it_is_asked_for_in_a_batch(api: Any, pool: Any) -> None:
    batch = await api.post("/api/v1/batches", {"albums": _albums(1)}, status=201)
    job = batch["jobs"][0]
    album = {name: job[name] for name in ("album_mbid", "artist_name", "album_title")} | {"batch_id": batch["id"]}
    await api.post("/api/v1/jobs", {**album, "user_id": "bob"}, status=201)
    await api.post(f"/api/v1/jobs/{job['id']}/cancel", status=202)
    counted = await roll_up(pool, UUID(batch["id"]), datetime.now(UTC))
    assert (counted.total, counted.cancelled, counted.state) == (1, 0, "active")
    another = {**album, "album_mbid": str(uuid4())}
    await api.post("/api/v1/jobs", another, status=201)
    grown = await roll_up(pool, UUID(batch["id"]), datetime.now(UTC))
    assert (grown.total, grown.cancelled, grown.state) == (2, 0, "active")
    await api.post(f"/api/v1/batches/{batch['id']}/cancel", status=202)
    refused = await api.post("/api/v1/jobs", {**another, "user_id": "cid"}, status=409)
    assert "cancelled" in refused["detail"]


async def test_wrong_albums_are_named(api: Any) -> None:
    albums = _albums(2)
    del albums[1]["artist_name"]
    problem = await api.post("/api/v1/batches", {"albums": albums}, status=422)
    assert problem["field"] == "albums[1].artist_name"
    assert (await api.post("/api/v1/batches", {"albums": []}, status=422))["field"] == "albums"
    assert (await api.post("/api/v1/batches", {"albums": _albums(501)}, status=422))["field"] == "albums"
    nul = await api.post("/api/v1/batches", {"albums": [{**_albums(1)[0], "album_title": "\x00"}]}, status=422)
    assert nul["field"] == "albums[0].album_title"


async def test_without_a_lidarr_there_is_nobody_to_ask_what_it_misses(api: Any) -> None:
    problem = await api.post("/api/v1/batches", {"from": "lidarr-wanted"}, status=409)
    assert "LIDARR_URL" in problem["detail"]
