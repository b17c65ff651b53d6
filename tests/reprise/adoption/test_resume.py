"""What was under way there goes on here if a person says so, and each request once."""

from __future__ import annotations

from typing import Any

from shared.acquisition.acts import act
from shared.acquisition.rollup import roll_up
from shared.acquisition.signals import AlbumWish, JobCancelled, JobRequested
from tests.reprise.adoption.conftest import Adopt, differences, folding
from tests.reprise.adoption.lidify import Lidify, album, lived_in

_ACTIVE = "state NOT IN ('completed', 'failed', 'cancelled')"


async def test_active_jobs_arrive_cancelled_and_are_opened_again(theirs: Lidify, bring: Adopt, pool: Any) -> None:
    await lived_in(theirs)
    assert (await bring()).resumed == 0
    assert await pool.fetchval(f"SELECT count(*) FROM download_jobs WHERE {_ACTIVE}") == 0
    assert await pool.fetchval("SELECT count(*) FROM download_jobs WHERE reason = 'adopted'") == 5
    assert (await bring(resume=True)).resumed == 4
    rows = await pool.fetch(f"SELECT user_id, album_mbid FROM download_jobs WHERE {_ACTIVE} ORDER BY 1, 2")
    assert len(rows) == 4
    assert len({row["album_mbid"] for row in rows}) == 3
    assert await pool.fetchval(f"SELECT count(*) FROM acquisitions WHERE {_ACTIVE}") == 3
    assert await pool.fetchval("SELECT count(*) FROM commands WHERE kind = 'EnsureAlbum'") == 3
    assert await differences(pool) == []


async def test_a_batch_that_was_open_there_is_open_again(theirs: Lidify, bring: Adopt, pool: Any) -> None:
    await lived_in(theirs)
    await bring(resume=True)
    batch = await pool.fetchval("SELECT id FROM discovery_batches WHERE state = 'active'")
    await roll_up(pool, batch, await pool.fetchval("SELECT now()"))
    row = await pool.fetchrow("SELECT state, total, cancelled, finished_at FROM discovery_batches WHERE id = $1", batch)
    assert tuple(row) == ("active", 2, 0, None)
    assert await differences(pool) == []


async def test_what_a_person_cancelled_meanwhile_stays_cancelled(theirs: Lidify, bring: Adopt, pool: Any) -> None:
    await theirs.job(1, "processing")
    await bring(resume=True)
    job = await pool.fetchval("SELECT id FROM download_jobs")
    await act(pool, folding(), JobCancelled(job_id=job))
    assert (await bring(resume=True)).resumed == 0
    assert await pool.fetchval("SELECT state FROM download_jobs") == "cancelled"


async def test_the_same_request_that_is_active_here_is_not_made_twice(theirs: Lidify, bring: Adopt, pool: Any) -> None:
    wish = AlbumWish(album(1), "Artist 1", "Album 1")
    await act(pool, folding(), JobRequested(user_id="cmuser1", album=wish))
    await theirs.job(1, "pending")
    events = await pool.fetchval("SELECT count(*) FROM events")
    assert (await bring(dry_run=True, resume=True)).resumed == 0
    assert (await bring(resume=True)).resumed == 0
    assert await pool.fetchval(f"SELECT count(*) FROM download_jobs WHERE {_ACTIVE}") == 1
    assert await pool.fetchval("SELECT count(*) FROM events") == events + 1
    assert await differences(pool) == []


async def test_a_batch_that_had_an_album_twice_ends_with_its_last_open_job(
    theirs: Lidify, bring: Adopt, pool: Any
) -> None:
    batch = await theirs.batch("downloading")
    await theirs.job(1, "failed", discoveryBatchId=batch)
    await theirs.job(1, "pending", discoveryBatchId=batch)
    assert (await bring(resume=True)).resumed == 1
    await act(
        pool, folding(), JobCancelled(job_id=await pool.fetchval(f"SELECT id FROM download_jobs WHERE {_ACTIVE}"))
    )
    batch_id = await pool.fetchval("SELECT id FROM discovery_batches")
    assert (await roll_up(pool, batch_id, await pool.fetchval("SELECT now()"))).state != "active"
