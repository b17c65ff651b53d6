"""Last week's backup is restored: the week heals by looking at Lidarr, and nothing is searched or downloaded again."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from reprise.backup.dump import back_up
from reprise.backup.folder import Folder
from reprise.backup.restore import restore
from shared.acquisition import rebuild
from shared.config import Config, Secret
from shared.postgres.pool import create_pool
from shared.sources import interpret
from tests.harness.waiting import until
from tests.journeys.stage import Stage, new_album, staged
from worker.serve import working

_WEEK_S = 7 * 86_400
MOMENTS = ["asked", "about to search", "searching", "downloading"]

_HOLD = """
CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN NEW.due_at := now() + interval '1 hour'; RETURN NEW; END $$;
CREATE TRIGGER hold BEFORE INSERT ON commands FOR EACH ROW WHEN (NEW.kind = 'SearchAlbum') EXECUTE FUNCTION hold();
"""
_LET_GO = "DROP TRIGGER IF EXISTS hold ON commands; DROP FUNCTION IF EXISTS hold()"


async def reach(stage: Stage, album: UUID, moment: str) -> None:
    """Let the album come as far as the moment of the backup, and no further."""

    async def ordered() -> bool:
        return bool(await stage.pool.fetchval("SELECT 1 FROM commands WHERE kind = 'SearchAlbum'"))

    if moment == "about to search":
        await until(ordered)
        await stage.pool.execute(_LET_GO)
    elif moment == "searching":
        await until(stage.searches)
    elif moment == "downloading":
        await until(stage.searches)
        stage.lidarr.control(advance=1)
        await stage.job_in(album, "downloading")


async def ended(stage: Stage, album: UUID) -> None:
    """Let Lidarr go on, step by step, until the album is there."""

    async def check() -> bool:
        stage.lidarr.control(advance=1)
        await stage.hurry()
        job = await stage.job(album)
        return job is not None and job["state"] == "completed"

    await until(check, what="the album to be imported")


async def healed(stage: Stage, album: UUID) -> None:
    """Wait until the restored side knows that the album is there, and has nothing left to do."""
    await stage.look()

    async def completed() -> bool:
        await stage.hurry()
        # Where we found the album before its grab in Lidarr's history, that is listed as a job of Lidarr's own.
        asked = "SELECT state FROM download_jobs WHERE album_mbid = $1 AND origin <> 'lidarr'"
        states = await stage.pool.fetch(asked, album)
        return [row["state"] for row in states] == ["completed"]

    async def settled() -> bool:
        await stage.hurry()
        return not await stage.pool.fetchval(
            "SELECT EXISTS (SELECT 1 FROM event_status WHERE state = 'waiting')"
            " OR EXISTS (SELECT 1 FROM commands WHERE state IN ('waiting', 'running') AND kind <> 'RemoveLeftovers')"
        )

    await until(completed, what="the job to be completed")
    await until(settled, what="the first look to be settled")
    await stage.look()
    await until(settled, what="everything to be settled")


@pytest.mark.parametrize("moment", MOMENTS)
async def test_a_week_heals_without_a_second_download(
    config: Config, pool: Any, empty_database: str, tmp_path: Path, moment: str
) -> None:
    album, later = new_album(), new_album()
    assert config.database_url
    async with staged(config, pool, workers=0) as stage:
        with_lidarr = replace(config, lidarr_url=stage.lidarr.url, lidarr_api_key=Secret("key-of-the-simulated-lidarr"))
        stage.lidarr.control(pace="manual")
        if moment == "about to search":
            await pool.execute(_HOLD)
        await stage.ask(album)

        async def keep() -> Path:
            url, spool = config.database_url.reveal() if config.database_url else "", tmp_path / "spool"
            return (await back_up(url, Folder(tmp_path / "backups"), spool=spool, reason="nightly")).path

        kept = await keep() if moment == "asked" else None
        async with working(with_lidarr, stopping=asyncio.Event()):
            if kept is None:
                await reach(stage, album, moment)
                kept = await keep()
            await ended(stage, album)
            await stage.ask(later)
            await ended(stage, later)
            await stage.settled()
        assert len(stage.searches()) == 2
        stage.lidarr.control(shift_clock=_WEEK_S, pace=0)
        before = len(stage.mutations())

        restored = await restore(kept, empty_database, spool=tmp_path / "restored-spool")
        assert restored.differences == ()
        week_later = replace(with_lidarr, database_url=Secret(empty_database))
        async with await create_pool(empty_database) as restored_pool:
            # What was running when the backup was made ran out a week ago.
            await restored_pool.execute("UPDATE commands SET lease_until = lease_until - interval '7 days'")
            async with working(week_later, stopping=asyncio.Event()):
                await healed(replace(stage, pool=restored_pool), album)
            assert stage.mutations()[before:] == []
            report = await rebuild.check(restored_pool, interpret)
            assert report.differences == []
            # What only we knew is gone with the week; what Lidarr did is known again.
            watched = await restored_pool.fetch("SELECT state FROM acquisitions WHERE album_mbid = $1", later)
            assert [row["state"] for row in watched] == ["completed"]
