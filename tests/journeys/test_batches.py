"""A discovery batch whose albums all finish at once, on three workers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from shared.config import Config
from tests.harness.waiting import until
from tests.journeys.stage import Stage, new_album, staged

ALBUMS = 40


@pytest.fixture
async def stage(config: Config, pool: Any) -> AsyncIterator[Stage]:
    """One receiver, three workers, one Lidarr."""
    async with staged(config, pool, workers=3) as ready:
        yield ready


@pytest.mark.long
async def test_forty_albums_finishing_at_once(stage: Stage) -> None:
    """The counters are exact, and every version of the batch is in its history."""
    albums = [new_album() for _ in range(ALBUMS)]
    nothing = {str(album) for album in albums[:7]}
    stage.lidarr.control(plans=[{"album_mbid": album, "attempts": ["nothing_found"]} for album in sorted(nothing)])
    wishes = [{"album_mbid": str(one), "artist_name": "Example Ensemble", "album_title": "Many"} for one in albums]
    batch = await stage.send("/api/v1/batches", {"label": "Forty", "albums": wishes}, status=201)
    assert batch["total"] == ALBUMS

    async def ended() -> dict[str, Any] | None:
        await stage.hurry()
        found = await stage.get(f"/api/v1/batches/{batch['id']}")
        return found if found["state"] != "active" else None

    await until(ended, within_s=60, what="the batch's end")
    await stage.settled()
    found = await stage.get(f"/api/v1/batches/{batch['id']}")
    assert (found["state"], found["completed"], found["failed"]) == ("completed", ALBUMS - len(nothing), len(nothing))
    versions = await stage.pool.fetch("SELECT version, completed + failed AS over FROM batch_versions ORDER BY version")
    assert [row["version"] for row in versions] == list(range(1, found["version"] + 1))
    counts = [row["over"] for row in versions]
    assert counts == sorted(counts)
    assert counts[-1] == ALBUMS
