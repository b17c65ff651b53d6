"""What is there comes over, once, explained by the log, and their side stays as it was."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from shared.acquisition.acts import act
from shared.acquisition.signals import AlbumWish, JobRequested
from tests.reprise.adoption.conftest import Adopt, differences, end_state, folding
from tests.reprise.adoption.lidify import BEGAN, Lidify, album, built, lived_in


async def test_everything_comes_over_with_exact_counts(theirs: Lidify, bring: Adopt, pool: Any) -> None:
    await lived_in(theirs)
    before = await theirs.dump()
    report = await bring()
    assert (report.jobs.there, report.jobs.added, report.jobs.left_behind) == (13, 11, 2)
    assert (report.batches.there, report.batches.added) == (3, 3)
    assert (report.events.there, report.events.added) == (5, 5)
    assert report.event_states == {"processed": 3, "ignored": 2}
    assert report.active_there == 5
    assert await theirs.dump() == before
    assert await differences(pool) == []
    states = await pool.fetch("SELECT state, count(*) FROM download_jobs GROUP BY 1 ORDER BY 1")
    assert [tuple(row) for row in states] == [("cancelled", 7), ("completed", 2), ("failed", 2)]
    assert await pool.fetchval("SELECT count(*) FROM event_status WHERE state IN ('waiting', 'parked')") == 0
    assert await pool.fetchval("SELECT count(*) FROM commands") == 0


async def test_what_they_folded_or_lost_is_told(theirs: Lidify, bring: Adopt) -> None:
    await lived_in(theirs)
    losses = "\n".join((await bring()).losses)
    assert "imports never stored: of 1 albums, in downloads of several albums (1)" in losses
    assert "events named by their content: 2;" in losses
    assert "jobs without any event: 8" in losses
    assert "jobs left behind, it asks for an artist, not an album: 1 (cm" in losses
    assert "jobs left behind, its target is no MusicBrainz release group: 1 (cm" in losses
    assert "jobs with the unknown status 'napping': 1;" in losses
    assert "active jobs that ask for what another active job of the same user asks for: 1" in losses
    assert "differ from their jobs" not in losses
    assert "deleted" not in losses


async def test_gaps_and_stuck_batches_are_told(theirs: Lidify, bring: Adopt) -> None:
    await theirs.job(1, createdAt=BEGAN - timedelta(days=90))
    await theirs.event("Grab", "D1")
    await theirs.job(2, discoveryBatchId=await theirs.batch("scanning", totalAlbums=1, completedAlbums=1))
    losses = "\n".join((await bring()).losses)
    assert "events begin 2026-02-15, jobs 2025-11-17: processed events were deleted there after 30 days" in losses
    assert "batches that are open although none of their jobs is: 1" in losses
    assert "counters differ" not in losses


async def test_a_second_run_adds_nothing(theirs: Lidify, bring: Adopt, pool: Any) -> None:
    await lived_in(theirs)
    await theirs.put("SystemSettings", downloadRetryAttempts=7)
    await bring(resume=True)
    state = await end_state(pool)
    report = await bring(resume=True)
    assert await end_state(pool) == state
    assert (report.jobs.added, report.events.added, report.batches.added, report.resumed) == (0, 0, 0, 0)
    assert (report.jobs.here_already, report.events.here_already, report.batches.here_already) == (11, 5, 3)


async def test_a_dry_run_counts_the_same_and_touches_nothing(theirs: Lidify, bring: Adopt, pool: Any) -> None:
    await lived_in(theirs)
    await theirs.put("SystemSettings", downloadRetryAttempts=7)
    empty = await end_state(pool)
    dry = await bring(dry_run=True, resume=True)
    assert await end_state(pool) == empty
    real = await bring(resume=True)
    assert (dry.jobs, dry.batches, dry.events, dry.losses) == (real.jobs, real.batches, real.events, real.losses)
    assert dry.resumed == real.resumed == 4
    again = await bring(dry_run=True, resume=True)
    assert (again.jobs.added, again.events.added, again.batches.added, again.resumed) == (0, 0, 0, 0)


async def test_an_event_keeps_its_payload_its_time_and_its_fate(theirs: Lidify, bring: Adopt, pool: Any) -> None:
    await theirs.event("Grab", "D1", createdAt=datetime.fromisoformat("2026-02-15T08:30:00.120"))
    await theirs.event("Rename", None, payload={"b": 1.50, "a": 'é \\ "q"', "n": None}, error="first", retryCount=1)
    await theirs.event("Grab", "D2", processed=False, processedAt=None, error="boom", retryCount=3)
    await theirs.event("Grab", "D3", processed=False, processedAt=None)
    await bring()
    payloads = {row[0] for row in await theirs.connection.fetch('SELECT payload::text FROM "WebhookEvent"')}
    rows = await pool.fetch(
        "SELECT e.*, s.* FROM events AS e JOIN event_status AS s ON s.event_id = e.id ORDER BY e.id"
    )
    assert {row["body"].decode() for row in rows} == payloads
    first, renamed, failed, never = rows
    assert first["received_at"] == datetime(2026, 2, 15, 8, 30, 0, 120_000, UTC)
    assert first["id"].int >> 80 == int(first["received_at"].timestamp() * 1000)
    assert (first["id"].version, first["id"].variant) == (7, UUID(int=1 << 63).variant)
    assert (first["state"], first["reason"], first["correlation_id"]) == ("processed", "adopted: processed there", "D1")
    assert (renamed["state"], renamed["last_error"], renamed["attempts"]) == ("processed", "first", 1)
    assert (failed["state"], failed["reason"], failed["last_error"]) == (
        *("ignored", "adopted: failed there 3 times"),
        "boom",
    )
    assert (never["state"], never["reason"]) == ("ignored", "adopted: never processed there")
    assert {row["dedupe_key"] for row in rows} == {None}
    assert await pool.fetchval("SELECT count(*) FROM event_keys") == 0


async def test_a_job_keeps_who_what_and_when(theirs: Lidify, bring: Adopt, pool: Any) -> None:
    await theirs.job(
        1,
        "failed",
        error="No releases",
        lidarrRef="d1",
        startedAt=BEGAN,
        metadata=None,
        lidarrAlbumId=7,
        createdAt=BEGAN,
        completedAt=BEGAN + timedelta(hours=2),
    )
    await bring()
    job = await pool.fetchrow("SELECT * FROM download_jobs")
    assert (job["user_id"], job["album_mbid"], job["artist_name"], job["album_title"]) == (
        *("cmuser1", album(1)),
        *("Artist 1", "Album 1"),
    )
    assert (job["state"], job["reason"]) == ("failed", "adopted: failed: No releases")
    assert job["created_at"] == BEGAN.replace(tzinfo=UTC)
    assert job["finished_at"] == (BEGAN + timedelta(hours=2)).replace(tzinfo=UTC)
    attempt = await pool.fetchrow("SELECT * FROM attempts")
    assert (attempt["download_id"], attempt["state"], attempt["source"]) == ("d1", "failed", "lidarr")
    assert await pool.fetchval("SELECT lidarr_album_id FROM acquisitions") == 7
    history = await pool.fetchrow("SELECT signal, event_source FROM job_history")
    assert tuple(history) == ("Adopted", "operator")


async def test_a_field_that_isnt_a_download_id_makes_no_attempt(theirs: Lidify, bring: Adopt, pool: Any) -> None:
    await theirs.job(1, lidarrRef="own-number", correlationId="own-number")
    await theirs.job(2, lidarrRef="X", metadata={"currentSource": "soulseek"})
    await bring()
    assert await pool.fetchval("SELECT count(*) FROM attempts") == 0


async def test_batches_keep_their_version_and_count_their_jobs(theirs: Lidify, bring: Adopt, pool: Any) -> None:
    await lived_in(theirs)
    await bring()
    rows = await pool.fetch(
        "SELECT state, version, total, completed, failed, cancelled FROM discovery_batches ORDER BY version DESC"
    )
    assert [tuple(row) for row in rows] == [
        ("completed", 5, 2, 1, 1, 0),
        ("cancelled", 3, 2, 0, 0, 2),
        ("failed", 1, 0, 0, 0, 0),
    ]
    versions = await pool.fetch("SELECT version, cause FROM batch_versions ORDER BY version DESC")
    assert [tuple(row) for row in versions] == [(5, "adopted"), (3, "adopted"), (1, "adopted")]


async def test_jobs_that_come_later_to_a_batch_are_counted(theirs: Lidify, bring: Adopt, pool: Any) -> None:
    batch = await theirs.batch("completed", version=1)
    await theirs.job(1, discoveryBatchId=batch)
    await bring()
    await theirs.job(2, "failed", discoveryBatchId=batch)
    assert (await bring()).jobs.added == 1
    row = await pool.fetchrow("SELECT version, total, completed, failed FROM discovery_batches")
    assert tuple(row) == (3, 2, 1, 1)
    assert await differences(pool) == []


async def test_an_album_that_was_tried_twice_counts_once(theirs: Lidify, bring: Adopt, pool: Any) -> None:
    batch = await theirs.batch("completed")
    for state in ("completed", "failed", "failed"):
        await theirs.job(1, state, discoveryBatchId=batch)
    for state in ("cancelled", "failed"):
        await theirs.job(2, state, discoveryBatchId=batch)
    await bring()
    row = await pool.fetchrow("SELECT total, completed, failed, cancelled FROM discovery_batches")
    assert tuple(row) == (2, 1, 1, 0)
    assert await differences(pool) == []


async def test_a_batch_that_isnt_there_is_told(theirs: Lidify, bring: Adopt, pool: Any) -> None:
    await theirs.connection.execute(
        """ALTER TABLE "DownloadJob" DROP CONSTRAINT "DownloadJob_discoveryBatchId_fkey" """
    )
    await theirs.job(1)
    await theirs.job(2, discoveryBatchId="gone")
    report = await bring()
    assert "jobs whose batch isn't there: 1; they arrive without one" in report.losses
    assert await pool.fetchval("SELECT count(*) FROM download_jobs WHERE batch_id IS NULL") == 2


async def test_rebuild_tells_when_an_adopted_row_was_tampered_with(theirs: Lidify, bring: Adopt, pool: Any) -> None:
    await lived_in(theirs)
    await bring()
    batch = await pool.fetchval("UPDATE discovery_batches SET version = version + 1 WHERE version = 5 RETURNING id")
    job = await pool.fetchrow("UPDATE download_jobs SET user_id = 'x' WHERE reason = 'adopted: napping' RETURNING *")
    found = "\n".join(await differences(pool))
    assert f"{batch}: batch without a record of every version" in found
    assert f"{job['acquisition_id']}: job 1 is" in found


@pytest.mark.parametrize("schema", ["lidify", 'Odd "name"'])
async def test_from_another_schema_of_our_own_database(database: str, bring: Adopt, pool: Any, schema: str) -> None:
    theirs = await built(database, schema.replace('"', '""'))
    try:
        await lived_in(theirs)
        report = await bring(url=f"{database}&connection_limit=5&schema=elsewhere", schema=schema)
        assert (report.jobs.added, report.events.added, report.schema) == (11, 5, schema)
        assert await differences(pool) == []
    finally:
        await theirs.connection.close()


async def test_ten_thousand_events(theirs: Lidify, bring: Adopt, pool: Any) -> None:
    await theirs.connection.execute(
        """INSERT INTO "WebhookEvent" ("id", "eventId", "source", "eventType", "payload", "processed", "createdAt")
        SELECT 'cm' || n, 'lidarr-Grab-D' || n, 'lidarr', 'Grab',
            jsonb_build_object('eventType', 'Grab', 'downloadId', 'D' || n), true, now()::timestamp(3)
        FROM generate_series(1, 10000) AS n"""
    )
    assert (await bring()).events.added == 10_000
    assert await pool.fetchval("SELECT count(DISTINCT id) FROM events") == 10_000
    assert (await bring()).events.added == 0


async def test_an_album_that_is_wanted_here_already(theirs: Lidify, bring: Adopt, pool: Any) -> None:
    """Their active job arrives beside ours; opened again it joins ours, and the album is still got once."""
    wish = AlbumWish(album(5), "Artist 5", "Album 5")
    await act(pool, folding(), JobRequested(user_id="me", album=wish))
    await theirs.job(5, "processing")
    report = await bring(resume=True)
    assert (report.jobs.added, report.resumed) == (1, 1)
    active = await pool.fetch(
        "SELECT acquisition_id, user_id FROM download_jobs WHERE state NOT IN ('completed', 'failed', 'cancelled')"
    )
    assert {row["user_id"] for row in active} == {"me", "cmuser1"}
    assert len({row["acquisition_id"] for row in active}) == 1
    assert await differences(pool) == []
