"""Last week's backup is restored, and the album came from Soulseek: slskd's events tell, and nobody is asked."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reprise.backup.dump import back_up
from reprise.backup.folder import Folder
from reprise.backup.restore import restore
from shared.acquisition import rebuild
from shared.config import Config, Secret
from shared.postgres.pool import create_pool
from shared.sources import interpret
from tests.harness.waiting import until
from tests.journeys.stage import Stage, staged
from tests.journeys.test_restored import healed
from tests.journeys.test_soulseek import TRACKS, known, shares
from worker.serve import working

_WEEK_S = 7 * 86_400


async def enqueued(stage: Stage) -> None:
    """Let slskd go on until every file of the album is wanted from a peer, and none has come."""

    async def check() -> bool:
        await stage.hurry()
        if len(stage.slskd.transfers.all) < len(TRACKS):
            stage.slskd.control(advance=1)
        return len(stage.slskd.transfers.all) == len(TRACKS)

    await until(check, what="the files to be enqueued", within_s=60)


@pytest.mark.parametrize("moment", ["asked", "downloading"])
async def test_a_week_heals_without_a_second_download(
    config: Config, pool: Any, empty_database: str, tmp_path: Path, moment: str
) -> None:
    assert config.database_url
    url = config.database_url.reveal()
    async with staged(config, pool, workers=0, soulseek=True) as stage:
        await stage.set(download_source="soulseek")
        album = known(stage)
        stage.slskd.control(peer=shares(album), pace="manual")
        with_peers = replace(
            config,
            lidarr_url=stage.lidarr.url,
            lidarr_api_key=Secret("key-of-the-simulated-lidarr"),
            slskd_url=stage.slskd.url,
            slskd_api_key=Secret("key-of-the-simulated-slskd"),
        )

        async def keep() -> Path:
            return (await back_up(url, Folder(tmp_path / "backups"), spool=tmp_path / "spool", reason="nightly")).path

        await stage.ask(album)
        kept = await keep() if moment == "asked" else None
        async with working(with_peers, stopping=asyncio.Event()):
            await enqueued(stage)
            await stage.job_in(album, "downloading")
            kept = kept or await keep()
            stage.slskd.control(pace=0, advance=100)
            await stage.job_in(album, "completed")
            await stage.settled()
        stage.lidarr.control(shift_clock=_WEEK_S)
        stage.slskd.control(shift_clock=_WEEK_S)
        lidarr_before, slskd_before = len(stage.mutations()), len(stage.slskd.calls)
        searched = len(stage.slskd.searches.begun_at)

        restored = await restore(kept, empty_database, spool=tmp_path / "restored-spool")
        assert restored.differences == ()
        week_later = replace(with_peers, database_url=Secret(empty_database))
        async with await create_pool(empty_database) as restored_pool:
            async with working(week_later, stopping=asyncio.Event()):
                await healed(replace(stage, pool=restored_pool), album)
            assert stage.mutations()[lidarr_before:] == []
            asked = [(call.method, call.path) for call in stage.slskd.calls[slskd_before:]]
            assert not [call for call in asked if call[0] in ("POST", "PUT")]
            assert len(stage.slskd.searches.begun_at) == searched
            assert len(stage.slskd.transfers.all) == len(TRACKS)
            assert (await rebuild.check(restored_pool, interpret)).differences == []
            files = await restored_pool.fetchval("SELECT count(*) FROM events WHERE type = 'DownloadFileComplete'")
            # slskd's events are read from where the backup had come to; before the first look it hadn't come anywhere.
            assert files == (len(TRACKS) if moment == "downloading" else 0)
