"""Their schema is recognised by what is there, whatever their record of migrations says."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from reprise.adoption.read import snapshot
from reprise.adoption.recognise import NotRecognised
from shared.errors import InvalidInput, Unavailable
from tests.reprise.adoption.conftest import Adopt, differences
from tests.reprise.adoption.lidify import RELEASED, Lidify, built, lived_in


async def test_a_true_record(theirs: Lidify, bring: Adopt) -> None:
    await theirs.remember(RELEASED)
    assert (await bring(dry_run=True)).history == "6 migrations, true as far as it concerns us"


async def test_no_record_at_all_and_an_emptied_one(theirs: Lidify, bring: Adopt) -> None:
    await lived_in(theirs)
    absent = await bring(dry_run=True)
    await theirs.remember(set())
    emptied = await bring(dry_run=True)
    assert (absent.history, emptied.history) == ("absent", "empty")
    assert absent.jobs == emptied.jobs


async def test_a_record_that_claims_what_isnt_there(theirs: Lidify, bring: Adopt, pool: Any) -> None:
    """Every migration is recorded, as their own script does it; columns and an index are missing all the same."""
    await theirs.remember(RELEASED)
    await lived_in(theirs)
    await theirs.put("SystemSettings", downloadRetryAttempts=5)
    await theirs.connection.execute(
        """ALTER TABLE "DiscoveryBatch" DROP COLUMN "version";
        ALTER TABLE "SystemSettings" DROP COLUMN "soulseekEnabled", DROP COLUMN "lastfmUserKey";
        DROP INDEX "DownloadJob_userId_targetMbid_discoveryBatchId_key";"""
    )
    report = await bring()
    assert '"DiscoveryBatch"."version" is missing' in report.history
    assert '"SystemSettings"."soulseekEnabled", "SystemSettings"."lastfmUserKey" is missing' in report.history
    assert 'index "DownloadJob_userId_targetMbid_discoveryBatchId_key" is missing' in report.history
    assert report.missing == [
        *('"DiscoveryBatch"."version"', '"SystemSettings"."soulseekEnabled"', '"SystemSettings"."lastfmUserKey"')
    ]
    assert (report.jobs.added, report.events.added, report.batches.added) == (11, 5, 3)
    assert await pool.fetchval("SELECT max(version) FROM discovery_batches") == 1
    assert await pool.fetchval("SELECT value FROM settings WHERE name = 'album_max_attempts'") == 5
    assert await differences(pool) == []


async def test_a_record_that_keeps_quiet_about_what_was_done(theirs: Lidify, bring: Adopt) -> None:
    await theirs.remember(RELEASED - {"20260214_add_discovery_batch_version"})
    report = await bring(dry_run=True)
    assert "20260214_add_discovery_batch_version isn't recorded, but was done" in report.history


async def test_a_release_from_before_events_and_settings(theirs: Lidify, bring: Adopt, pool: Any) -> None:
    await lived_in(theirs)
    await theirs.connection.execute('DROP TABLE "WebhookEvent", "SystemSettings"')
    report = await bring()
    assert '"WebhookEvent"' in report.missing
    assert report.losses[0] == "events: that release kept none"
    assert (report.jobs.added, report.events.there) == (11, 0)
    assert await differences(pool) == []


async def test_columns_that_say_nothing_about_state(theirs: Lidify, bring: Adopt, pool: Any) -> None:
    await theirs.event("Grab", "D1")
    await theirs.connection.execute('ALTER TABLE "WebhookEvent" DROP COLUMN "processed", DROP COLUMN "retryCount"')
    await bring()
    assert await pool.fetchval("SELECT reason FROM event_status") == "adopted: whether processed isn't known"


async def test_what_cant_be_done_without_is_named(theirs: Lidify, bring: Adopt) -> None:
    await theirs.connection.execute(
        """ALTER TABLE "DownloadJob" DROP COLUMN "targetMbid";
        ALTER TABLE "WebhookEvent" ALTER COLUMN "payload" TYPE text"""
    )
    with pytest.raises(NotRecognised) as refused:
        await bring()
    assert '"DownloadJob" has no column "targetMbid"' in refused.value.message
    assert '"WebhookEvent"."payload" is text, not jsonb' in refused.value.message


async def test_another_database_is_refused_and_the_right_schema_named(database: str, bring: Adopt) -> None:
    with pytest.raises(NotRecognised, match="it is no database of Lidify or Kima"):
        await bring(url=database)
    theirs = await built(database, "kima")
    try:
        with pytest.raises(NotRecognised, match="add --schema kima"):
            await bring(url=database)
    finally:
        await theirs.connection.close()


async def test_their_side_cant_be_written(theirs: Lidify) -> None:
    async with snapshot(theirs.dsn, None) as there:
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await there.connection.execute('DELETE FROM "DownloadJob"')


async def test_later_changes_of_theirs_arent_seen(theirs: Lidify) -> None:
    await theirs.job(1)
    async with snapshot(theirs.dsn, None) as there:
        await theirs.job(2)
        assert len([row async for row in there.jobs()]) == 1


@pytest.mark.parametrize("url", ["mysql://lidify@127.0.0.1/lidify", "lidify"])
async def test_a_url_of_something_else(bring: Adopt, url: str) -> None:
    with pytest.raises(InvalidInput):
        await bring(url=url)


async def test_a_server_that_isnt_there_is_named_without_the_password(bring: Adopt) -> None:
    with pytest.raises(Unavailable) as refused:
        await bring(url="postgresql://lidify:geheim@127.0.0.1:1/lidify")
    assert "127.0.0.1:1" in refused.value.message
    assert "geheim" not in refused.value.message
