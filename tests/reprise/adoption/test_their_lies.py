"""Their record of migrations claims everything, and one column is missing: adopted with exact counts, and said."""

from __future__ import annotations

from typing import Any

import pytest

from reprise.adoption.recognise import NotRecognised
from tests.reprise.adoption.conftest import Adopt, differences, end_state
from tests.reprise.adoption.lidify import RELEASED, Lidify, lived_in

# What the four migrations of their release added, but for what a row can't be told without.
ADDED = [
    *(
        ("WebhookEvent", name)
        for name in ("eventId", "processed", "processedAt", "correlationId", "error", "retryCount")
    ),
    *(("SystemSettings", name) for name in ("soulseekEnabled", "soulseekDownloadPath")),
    *(("SystemSettings", name) for name in ("lastfmApiSecret", "lastfmUserKey", "lastfmEnabled")),
    ("DiscoveryBatch", "version"),
]
NEEDED = ["id", "source", "eventType", "payload", "createdAt"]


@pytest.fixture
async def theirs(theirs: Lidify) -> Lidify:
    """With rows of every kind, and everything recorded."""
    await lived_in(theirs)
    await theirs.put("SystemSettings", downloadRetryAttempts=5)
    await theirs.remember(RELEASED)
    return theirs


async def drop(theirs: Lidify, table: str, column: str) -> None:
    await theirs.connection.execute(f'ALTER TABLE "{table}" DROP COLUMN "{column}"')


@pytest.mark.parametrize("history", ["claims everything", "emptied", "absent"])
@pytest.mark.parametrize(("table", "column"), ADDED, ids=lambda name: name)
async def test_one_column_is_missing(
    theirs: Lidify, bring: Adopt, pool: Any, table: str, column: str, history: str
) -> None:
    await drop(theirs, table, column)
    if history != "claims everything":
        await theirs.connection.execute(f'{"TRUNCATE" if history == "emptied" else "DROP TABLE"} "_prisma_migrations"')
    counted = await bring(dry_run=True)
    report = await bring()
    assert (report.jobs, report.events, report.batches) == (counted.jobs, counted.events, counted.batches)
    assert (report.jobs.added, report.jobs.left_behind, report.events.added, report.batches.added) == (11, 2, 5, 3)
    assert report.missing == [f'"{table}"."{column}"']
    if history == "claims everything":
        assert f'is recorded, but "{table}"."{column}" is missing' in report.history
        assert report.history.count("is recorded, but") == 1
    processed = 0 if column == "processed" else 3
    assert report.event_states == {name: n for name, n in (("processed", processed), ("ignored", 5 - processed)) if n}
    assert await pool.fetchval("SELECT max(version) FROM discovery_batches") == (1 if column == "version" else 5)
    assert await differences(pool) == []
    state = await end_state(pool)
    again = await bring()
    assert (again.jobs.added, again.events.added, again.batches.added) == (0, 0, 0)
    assert await end_state(pool) == state


@pytest.mark.parametrize("column", NEEDED)
async def test_what_a_row_cant_be_told_without_is_refused_before_anything_comes(
    theirs: Lidify, bring: Adopt, pool: Any, column: str
) -> None:
    await drop(theirs, "WebhookEvent", column)
    before = await end_state(pool)
    with pytest.raises(NotRecognised, match=f'"WebhookEvent" has no column "{column}"'):
        await bring()
    assert await end_state(pool) == before
