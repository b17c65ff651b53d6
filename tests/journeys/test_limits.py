"""Journeys into the limits that keep a small box and a shared network well: room on the disk, bad peers, leftovers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any
from uuid import UUID

import pytest

from reprise.simulator.slskd.transfers import Transfer
from shared.acquisition import rebuild
from shared.config import Config
from shared.sources import interpret
from tests.harness.waiting import until
from tests.journeys.stage import Stage, staged
from tests.journeys.test_soulseek import TRACKS, ended, folder_of, known, shares

GIB = 2**30
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture
async def stage(config: Config, pool: Any) -> AsyncIterator[Stage]:
    """One receiver, one worker, one Lidarr, one slskd, and Soulseek first; the log explains every row."""
    async with staged(config, pool, soulseek=True) as ready:
        await ready.set(download_source="soulseek", fallback="none")
        yield ready
        await ready.settled()
    assert not (await rebuild.check(pool, interpret)).differences


async def begun(stage: Stage) -> int:
    """How often anybody was asked to search for anything."""
    return len(stage.searches()) + len(stage.slskd.searches.begun_at)


@pytest.mark.parametrize("source", ["lidarr", "soulseek"])
async def test_a_full_disk_fails_nothing_and_begins_nothing(stage: Stage, source: str) -> None:
    """Below disk_floor_bytes albums wait, say why, and no deadline counts; once there is room they go on."""
    await stage.set(download_source=source, disk_floor_bytes=2 * GIB)
    stage.lidarr.control(free_space=1 * GIB)
    album = known(stage, at_lidarr="import")
    stage.slskd.control(peer=shares(album))
    await stage.ask(album)

    async def waits_for_room() -> bool:
        job = await stage.job(album)
        return bool(job and "disk_floor_bytes" in (job["reason"] or ""))

    await until(waits_for_room)
    for _ in range(3):
        await stage.pool.execute("UPDATE watches SET seen_at = seen_at - interval '1 day'")
        await stage.look()
        await until(waits_for_room)
    assert await begun(stage) == 0
    assert [row["state"] for row in await stage.pool.fetch("SELECT state FROM attempts")] == ["searching"]

    stage.lidarr.control(free_space=3 * GIB)
    job = await ended(stage, album, "completed")
    assert (job["source"], job["attempts"]) == (source, 1)


async def test_no_more_albums_are_under_way_than_max_in_flight(stage: Stage) -> None:
    """The others wait in line, say so, and come to nothing by it."""
    await stage.set(max_in_flight=2)
    albums = {title: known(stage, title=title) for title in ("Amber", "Birch", "Cedar", "Dahlia", "Elder", "Fennel")}
    stage.slskd.control(
        pace=0.1, peers=[shares(album, f"who has {title}", title=title) for title, album in albums.items()]
    )
    for title, album in albums.items():
        await stage.ask(album, title=title)

    async def one_waits() -> bool:
        jobs = (await stage.get("/api/v1/jobs"))["items"]
        return any("max_in_flight" in (job["reason"] or "") for job in jobs)

    await until(one_waits)
    for album in albums.values():
        await ended(stage, album, "completed")
    changes = []
    for title in albums:
        mine = [one for one in stage.slskd.transfers.all.values() if one.username == f"who has {title}"]
        assert len(mine) == len(TRACKS)
        changes += [(min(one.requested_at for one in mine), 1), (max(ended_at(one) for one in mine), -1)]
    under_way = list(accumulate(change for _, change in sorted(changes)))
    assert max(under_way) <= 2


def ended_at(transfer: Transfer) -> datetime:
    assert transfer.ended_at is not None
    return transfer.ended_at


async def test_a_peer_that_fails_three_times_is_left_alone_for_a_day(stage: Stage) -> None:
    """Ann's copies come to nothing, for whatever album: then bob is asked, though ann would be the better choice."""
    await stage.set(deadline_materialise=5)

    async def get(title: str, *, from_bob: bool = True) -> list[str]:
        album = known(stage, title=title)
        bob = shares(album, "bob", title=title) | {"speed": 1_000}
        stage.slskd.control(
            peers=[shares(album, "ann", title=title) | {"speed": 9_000_000}, *([bob] if from_bob else [])],
            plan={"username": "ann", "folder": folder_of("ann", title), "attempts": [at_ann]},
        )
        await stage.ask(album, title=title)
        await ended(stage, album, "completed" if from_bob else "failed")
        tried = "SELECT peer FROM attempts JOIN acquisitions AS a ON a.id = acquisition_id WHERE a.album_mbid = $1"
        return [row["peer"] for row in await stage.pool.fetch(f"{tried} ORDER BY number", album)]

    at_ann = "error"
    for title in ("Amber", "Birch", "Cedar"):
        assert await get(title) == ["ann", "bob"]
    at_ann = "succeed"
    assert await get("Dahlia") == ["bob"], "ann is out"
    assert await get("Elder", from_bob=False) == [None], "and out she is when nobody else has it"
    reason = await stage.pool.fetchval("SELECT reason FROM download_jobs WHERE album_title = 'Elder'")
    assert "ann" in reason, reason

    later = "UPDATE attempts SET finished_at = finished_at - $1::interval WHERE peer = 'ann' AND state = 'failed'"
    await stage.pool.execute(later, DAY)
    assert await get("Fennel") == ["ann"], "after a day she has another chance"
    await stage.pool.execute(later, -DAY)


async def refused_by_lidarr(stage: Stage) -> UUID:
    """An album of which only a bad copy is to be had."""
    await stage.set(album_max_attempts=1)
    album = known(stage)
    stage.slskd.control(peer=shares(album, bad=True))
    await stage.ask(album)
    await ended(stage, album, "failed")
    return album


def on_disk(stage: Stage) -> list[str]:
    return [file.path for file in stage.slskd.disk.under("/downloads")]


async def its_time_comes(stage: Stage) -> None:
    """The leftovers are to be removed now; wait until none is listed."""
    await stage.pool.execute("UPDATE commands SET due_at = now() WHERE kind = 'RemoveLeftovers'")
    stage.wake_ups.offer("execute")

    async def gone() -> bool:
        return not (await stage.get("/api/v1/leftovers"))["items"]

    await until(gone)


async def test_what_a_failed_download_left_is_removed_in_its_time(stage: Stage) -> None:
    stage.slskd.control(remote_file_management=True)
    await stage.set(leftovers_days=7)
    await refused_by_lidarr(stage)
    (left,) = (await stage.get("/api/v1/leftovers"))["items"]
    assert (left["files"], left["outcome"]) == (len(TRACKS), None)
    assert sorted(left["paths"]) == on_disk(stage)
    stays = await stage.pool.fetchval("SELECT due_at - created_at FROM commands WHERE kind = 'RemoveLeftovers'")
    assert 7 * DAY - HOUR < stays < 7 * DAY + HOUR

    await its_time_comes(stage)
    assert on_disk(stage) == []


async def test_what_slskd_may_not_remove_is_listed_with_its_size(stage: Stage) -> None:
    stage.slskd.control(remote_file_management=False)
    await stage.set(leftovers_days=0)
    await refused_by_lidarr(stage)

    async def told() -> Any:
        (left,) = (await stage.get("/api/v1/leftovers"))["items"]
        return left if left["outcome"] else None

    left = await until(told)
    assert left["outcome"] == "not_allowed"
    assert left["size_bytes"] == sum(file.size for file in stage.slskd.disk.under("/downloads")) > 0

    again = "SELECT due_at - now() FROM commands WHERE kind = 'RemoveLeftovers' AND state = 'waiting'"
    assert await until(lambda: stage.pool.fetchval(again)) > 6 * DAY, "it is looked at again in a week"
    stage.slskd.control(remote_file_management=True)
    await its_time_comes(stage)
    assert on_disk(stage) == []
