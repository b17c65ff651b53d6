"""The code just before the newest migration, as a whole, on the newest schema: an upgrade, and a way back."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import aiohttp
import pytest

from shared.acquisition import rebuild
from shared.config import Config
from shared.postgres.migrate import migrations
from shared.sources import interpret
from tests.harness import older
from tests.harness.processes import Processes, Running
from tests.harness.waiting import until
from tests.journeys.stage import Stage, new_album, staged

NEWEST = len(migrations())
WITHIN_S = 60.0


@pytest.fixture
def before(tmp_path: Path) -> dict[str, str]:
    """The environment in which processes run the older code."""
    folder = tmp_path / "older"
    folder.mkdir()
    return older.unpacked(folder)


@pytest.fixture
async def stage(config: Config, pool: Any, processes: Processes) -> AsyncIterator[Stage]:
    """A Lidarr, and no worker yet; at the end today's code explains every row, and no process has logged an error."""
    async with staged(config, pool, workers=0) as ready:
        yield ready
    for one in processes.started:
        assert not [line for line in one.output().splitlines() if '"level": "error"' in line], one.output()
    report = await rebuild.check(pool, interpret)
    assert report.decisions > 0
    assert report.differences == []


def with_lidarr(stage: Stage, environment: dict[str, str]) -> dict[str, str]:
    return environment | {"LIDARR_URL": stage.lidarr.url, "LIDARR_API_KEY": "key-of-the-simulated-lidarr"}


@asynccontextmanager
async def through(stage: Stage, ingest: Running) -> AsyncIterator[Stage]:
    """The same stage, with people and Lidarr speaking to this process."""
    stage.lidarr.control(webhooks={"url": f"{ingest.url}/webhooks/lidarr", "secret": stage.secret})
    async with aiohttp.ClientSession(ingest.url, headers=stage.http.headers) as http:
        yield replace(stage, url=ingest.url, http=http)


async def imported(stage: Stage, album: UUID) -> bool:
    """Let Lidarr go a step on, and say whether the album's job is completed."""
    stage.lidarr.control(advance=1)
    await stage.hurry()
    job = await stage.job(album)
    return job is not None and job["state"] == "completed"


async def test_it_is_older_and_says_what_is_beyond_it(processes: Processes, before: dict[str, str]) -> None:
    status = await processes.start("migrate", "status", "--json", environment=before)
    assert await status.child.wait() == 0, status.output()
    told = json.loads(status.output())
    assert told["up_to_date"] is True
    assert told["of_a_newer_release"][-1] == NEWEST
    assert len(told["migrations"]) + len(told["of_a_newer_release"]) == NEWEST
    for command in ("migrate", "migrate verify"):
        run = await processes.start(*command.split(), environment=before)
        assert await run.child.wait() == 0, run.output()


async def test_it_does_its_whole_work_on_the_newest_schema(
    stage: Stage, processes: Processes, before: dict[str, str]
) -> None:
    environment = with_lidarr(stage, before)
    good, failing, wished_twice, dropped = (new_album() for _ in range(4))
    stage.lidarr.control(
        plan={"album_mbid": str(failing), "attempts": ["fail", "import"]}, auto_redownload_failed=False
    )
    stage.lidarr.control(plan={"album_mbid": str(dropped), "attempts": ["stall"]})
    ingest = await processes.ingest(**environment)
    await processes.worker(**environment)
    async with through(stage, ingest) as old:
        for album in (good, failing, wished_twice):
            await old.ask(album)
        await old.ask(wished_twice, user="you")
        cancelled = await old.ask(dropped)
        await old.job_in(dropped, "downloading")
        await old.send(f"/api/v1/jobs/{cancelled['id']}/cancel", status=202)
        albums = [
            {"album_mbid": str(one), "artist_name": "Example Ensemble", "album_title": "Second Light"}
            for one in (new_album(), new_album())
        ]
        batch = await old.send("/api/v1/batches", {"label": "two", "albums": albums}, status=201)
        for album in (good, failing, wished_twice):
            await old.job_in(album, "completed")

        async def rolled_up() -> bool:
            await old.hurry()
            found = await old.get(f"/api/v1/batches/{batch['id']}")
            return (found["state"], found["completed"]) == ("completed", 2)

        await until(rolled_up, within_s=WITHIN_S)
        await old.settled()
        assert (await old.get(f"/api/v1/jobs/{cancelled['id']}"))["state"] == "cancelled"
        assert len((await old.get("/api/v1/events?source=lidarr"))["items"]) > 5
    for command in ("rebuild --check", "events", "jobs", "batches"):
        run = await processes.start(*command.split(), environment=before)
        assert await run.child.wait() == 0, run.output()


async def test_while_an_upgrade_is_under_way_both_work_on_the_same(
    stage: Stage, processes: Processes, before: dict[str, str]
) -> None:
    environment, albums = with_lidarr(stage, before), [new_album() for _ in range(20)]
    ingest = await processes.ingest(**environment)
    await processes.worker(**environment)
    await processes.worker(**with_lidarr(stage, {}))
    async with through(stage, ingest) as old:
        for number, album in enumerate(albums):
            await (old if number % 2 else stage).ask(album)
        for album in albums:
            await old.job_in(album, "completed")
        await old.settled()
    assert len(stage.searches()) == len(albums)


@pytest.mark.parametrize("upwards", [False, True], ids=["back", "upwards"])
async def test_what_one_has_begun_the_other_ends(
    stage: Stage, processes: Processes, before: dict[str, str], upwards: bool
) -> None:
    todays, olders = with_lidarr(stage, {}), with_lidarr(stage, before)
    first, second = (olders, todays) if upwards else (todays, olders)
    searched, downloading, asked = new_album(), new_album(), new_album()
    stage.lidarr.control(pace="manual")
    ingest, worker = await processes.ingest(**first), await processes.worker(**first)
    async with through(stage, ingest) as one:
        await one.ask(downloading)
        await until(one.searches)
        stage.lidarr.control(advance=1)
        await one.job_in(downloading, "downloading")
        await one.ask(searched)
        await until(lambda: len(one.searches()) == 2)
        assert await worker.stop() == 0
        await one.ask(asked)
        assert await ingest.stop() == 0
    ingest, _ = await processes.ingest(**second), await processes.worker(**second)
    async with through(stage, ingest) as other:
        for album in (downloading, searched, asked):
            await until(partial(imported, other, album), within_s=WITHIN_S)
        stage.lidarr.control(pace=0)
        await other.settled()
    assert len(stage.searches()) == 3
