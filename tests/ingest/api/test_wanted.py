"""Asking over HTTP for what Lidarr misses: a batch at once, or why there is none (yet)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from ingest.api import wanted
from reprise.simulator import LidarrSimulator
from shared.config import Config, Secret
from tests.harness.waiting import until
from worker.serve import working

KEY = "key-of-the-simulated-lidarr"
WANTED = {"from": "lidarr-wanted"}


@pytest.fixture
async def lidarr() -> AsyncIterator[LidarrSimulator]:
    """A Lidarr that finds nothing, and sends no webhooks."""
    found = LidarrSimulator(api_key=KEY)
    async with found.serve():
        found.control(default_outcome="nothing_found")
        yield found


@pytest.fixture
def config(config: Config, lidarr: LidarrSimulator) -> Config:
    return replace(config, lidarr_url=lidarr.url, lidarr_api_key=Secret(KEY))


@asynccontextmanager
async def workers(config: Config, count: int = 1) -> AsyncIterator[None]:
    """So many workers within the block."""
    if not count:
        yield
        return
    async with working(config, stopping=asyncio.Event()), workers(config, count - 1):
        yield


def misses(lidarr: LidarrSimulator, count: int) -> set[str]:
    """Let Lidarr miss so many albums."""
    found = [str(uuid4()) for _ in range(count)]
    lidarr.control(albums=[{"album_mbid": album, "in_library": True} for album in found])
    return set(found)


async def test_what_lidarr_misses_becomes_a_batch(api: Any, config: Config, lidarr: LidarrSimulator) -> None:
    missing = misses(lidarr, 3)
    async with workers(config):
        made = await api("POST", "/api/v1/batches", json={**WANTED, "user_id": "ann", "label": "missing"})
    assert made.status == 201
    batch = made.json
    assert (batch["user_id"], batch["label"], batch["total"]) == ("ann", "missing", 3)
    assert {(job["album_mbid"], job["origin"]) for job in batch["jobs"]} == {(album, "wanted") for album in missing}
    assert made.headers["ETag"]
    assert (await api.get(made.headers["Location"]))["id"] == batch["id"]


async def test_the_second_time_there_is_nothing_to_ask_for(api: Any, config: Config, lidarr: LidarrSimulator) -> None:
    misses(lidarr, 3)
    async with workers(config):
        assert (await api.post("/api/v1/batches", {**WANTED, "limit": 2}, status=201))["total"] == 2
        assert (await api.post("/api/v1/batches", WANTED, status=201))["total"] == 1
        nothing = await api.post("/api/v1/batches", WANTED, status=200)
    assert nothing["reason"] == "nothing_to_ask_for"
    assert len((await api.get("/api/v1/batches"))["items"]) == 2


async def test_asked_at_once_on_two_workers_nothing_is_asked_twice(
    api: Any, config: Config, lidarr: LidarrSimulator, pool: Any
) -> None:
    missing = misses(lidarr, 5)
    async with workers(config, 2):
        answers = await asyncio.gather(*(api("POST", "/api/v1/batches", json=WANTED) for _ in range(6)))
    assert sorted(answer.status for answer in answers) == [200] * 5 + [201]
    jobs = await pool.fetch("SELECT album_mbid FROM download_jobs")
    assert sorted(str(job["album_mbid"]) for job in jobs) == sorted(missing)


async def test_while_nobody_has_read_it_the_batch_is_to_come(
    api: Any, config: Config, lidarr: LidarrSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    misses(lidarr, 1)
    monkeypatch.setattr(wanted, "WAIT_S", 0.3)
    made = await api("POST", "/api/v1/batches", json=WANTED)
    assert made.status == 202
    assert made.headers["Location"] == f"/api/v1/batches/{made.json['batch_id']}"
    assert "no worker" in made.json["detail"]
    assert (await api("GET", made.headers["Location"])).status == 404
    async with workers(config):

        async def there() -> bool:
            return bool((await api("GET", made.headers["Location"])).status == 200)

        await until(there, what="the batch to come")


async def test_why_lidarr_is_not_read_is_told(
    api: Any, config: Config, lidarr: LidarrSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    lidarr.control(offline=True)
    monkeypatch.setattr(wanted, "WAIT_S", 3.0)
    async with workers(config):
        to_come = await api.post("/api/v1/batches", WANTED, status=202)
    assert "lidarr" in to_come["detail"]
    assert UUID(to_come["batch_id"])


async def test_a_command_that_is_dead_is_said(api: Any, pool: Any) -> None:
    asking = asyncio.create_task(api("POST", "/api/v1/batches", json=WANTED))

    async def dead() -> Any:
        return await pool.fetchval(
            "UPDATE commands SET state = 'dead', finished_at = now(), reason = 'lidarr answered 500' RETURNING id"
        )

    await until(dead, what="the command to be there")
    answer = await asking
    assert answer.status == 503
    assert "lidarr answered 500" in answer.json["detail"]


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({"from": "spotify"}, "from", "lidarr-wanted"),
        ({**WANTED, "limit": 0}, "limit", "1 to 500"),
        ({**WANTED, "limit": 501}, "limit", "1 to 500"),
        ({**WANTED, "albums": []}, "request", "from, limit, user_id, label"),
        ({}, "albums", "is missing"),
        ({"limit": 3, "albums": []}, "request", "albums, user_id, label"),
    ],
)
async def test_what_is_wrong_is_named(api: Any, body: dict[str, Any], field: str, words: str) -> None:
    problem = await api.post("/api/v1/batches", body, status=422)
    assert problem["field"] == field
    assert words in problem["detail"]


async def test_the_missing_body_tells_both_forms(api: Any) -> None:
    problem = await api.post("/api/v1/batches", status=422)
    assert "albums, user_id, label or with from, limit, user_id, label" in problem["detail"]
