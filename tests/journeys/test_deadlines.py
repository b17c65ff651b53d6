"""Journeys of downloads of which no webhook ever tells that nothing will come of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from shared.acquisition import rebuild
from shared.config import Config
from shared.sources import interpret
from tests.harness.waiting import until
from tests.journeys.stage import Stage, staged
from tests.journeys.test_soulseek import folder_of, known, shares

DEADLINES = {f"deadline_{phase}": 60 for phase in ("materialise", "remote_queue", "no_bytes", "import")}


@pytest.fixture
async def stage(config: Config, pool: Any) -> AsyncIterator[Stage]:
    """One receiver, one worker, one Lidarr, one slskd, and little patience; the log explains every row."""
    async with staged(config, pool, soulseek=True) as ready:
        await ready.set(**DEADLINES)
        ready.lidarr.control(auto_redownload_failed=False)
        yield ready
        await ready.settled()
    report = await rebuild.check(pool, interpret)
    assert not report.differences


async def look(stage: Stage, *, after_s: float) -> None:
    """Let so much time pass for the clocks, and look at both peers."""
    await stage.settled()
    await stage.pool.execute("UPDATE watches SET seen_at = seen_at - make_interval(secs => $1)", after_s)
    await stage.look()
    await stage.settled()


async def in_the_end(stage: Stage, album: UUID, state: str) -> dict[str, Any]:
    """Look every half a minute, until the album's job has ended so."""

    async def over() -> dict[str, Any] | None:
        await look(stage, after_s=30)
        job = await stage.job(album)
        return job if job and job["finished_at"] else None

    job = await until(over, what=f"the job to be {state}", within_s=60)
    assert job["state"] == state, job
    return job


async def attempts(stage: Stage) -> list[tuple[str, str, str]]:
    """(source, state, the first words of the reason) of every attempt."""
    rows = await stage.pool.fetch("SELECT source, state, coalesce(reason, '') FROM attempts ORDER BY number")
    return [(source, state, reason.partition(":")[0]) for source, state, reason in rows]


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [("stall", "deadline_no_bytes"), ("vanish", "vanished_from_lidarrs_queue"), ("blocked", "deadline_import")],
)
async def test_lidarr_downloads_in_vain_and_soulseek_delivers(stage: Stage, outcome: str, reason: str) -> None:
    await stage.set(album_max_attempts=2)
    album = known(stage, at_lidarr="stall" if outcome == "vanish" else outcome)
    stage.slskd.control(peer=shares(album))
    await stage.ask(album)
    await stage.job_in(album, "downloading")
    if outcome == "vanish":
        await look(stage, after_s=0)
        stage.lidarr.world.ledger.downloads.clear()
    await in_the_end(stage, album, "completed")
    assert await attempts(stage) == [("lidarr", "failed", reason), ("soulseek", "completed", "")]
    assert stage.lidarr.world.ledger.downloads == [], "it has left Lidarr's queue"
    assert len(stage.lidarr.world.ledger.blocklist) == (outcome != "vanish")
    await look(stage, after_s=0)
    assert await stage.pool.fetchval("SELECT count(*) FROM watches") == 0


@pytest.mark.parametrize(("outcome", "reason"), [("queued", "deadline_remote_queue"), ("stall", "deadline_no_bytes")])
async def test_who_lets_us_wait_is_followed_by_the_next(stage: Stage, outcome: str, reason: str) -> None:
    await stage.set(download_source="soulseek")
    album = known(stage)
    stage.slskd.control(
        peers=[shares(album, "ann") | {"speed": 9_000_000}, shares(album, "bob") | {"speed": 1_000}],
        plan={"username": "ann", "folder": folder_of("ann"), "attempts": [outcome]},
    )
    await stage.ask(album)
    await in_the_end(stage, album, "completed")
    assert await attempts(stage) == [("soulseek", "failed", reason), ("soulseek", "completed", "")]
    await stage.settled()
    assert not stage.slskd.transfers.shown(), "and nothing stays on slskd's list"


async def test_a_weekend_without_power_fails_nothing(stage: Stage) -> None:
    """One album at each source, both on their way, when everything goes dark; afterwards they go on."""
    await stage.set(fallback="none", deadline_no_bytes=600)
    at_lidarr = known(stage, at_lidarr="stall")
    await stage.ask(at_lidarr)
    await stage.job_in(at_lidarr, "downloading")
    await stage.set(download_source="soulseek")
    at_slskd = known(stage)
    stage.slskd.control(
        peer=shares(at_slskd), plan={"username": "ann", "folder": folder_of("ann"), "attempts": ["stall"]}
    )
    await stage.ask(at_slskd)
    await stage.job_in(at_slskd, "downloading")
    await look(stage, after_s=0)
    for _ in range(3):
        stage.lidarr.control(offline=True)
        stage.slskd.control(offline=True)
        await stage.pool.execute("UPDATE watches SET seen_at = seen_at - interval '60 hours'")
        await stage.look()
        stage.lidarr.control(offline=False)
        stage.slskd.control(offline=False)
        await look(stage, after_s=0)
    assert sorted(await attempts(stage)) == [("lidarr", "downloading", ""), ("soulseek", "downloading", "")]
    spent = await stage.pool.fetchval("SELECT max(total_s) FROM watches")
    assert spent < 120, "of a hundred and eighty hours nearly nothing counts"
    for album in (at_lidarr, at_slskd):
        job = await stage.job(album)
        assert job
        await stage.send(f"/api/v1/jobs/{job['id']}/cancel", status=202)
