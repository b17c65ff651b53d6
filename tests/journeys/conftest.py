"""The stage on which journeys are played, with every webhook once, doubled or in any order."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from shared.acquisition import rebuild
from shared.config import Config
from shared.sources import interpret
from tests.journeys.stage import Stage, staged

DELIVERIES = ["once", "doubled", "doubled+shuffled", "lost"]


@pytest.fixture
async def stage(config: Config, pool: Any) -> AsyncIterator[Stage]:
    """One receiver, one worker, one Lidarr; at the end of every journey the log explains every stored row."""
    async with staged(config, pool) as ready:
        yield ready
        await ready.settled()
    report = await rebuild.check(pool, interpret)
    assert report.decisions == report.made_again > 0
    assert not report.differences


@pytest.fixture(params=DELIVERIES)
async def any_delivery(stage: Stage, request: pytest.FixtureRequest) -> Stage:
    """The same stage, once for each way in which webhooks may reach us."""
    stage.lidarr.control(delivery=request.param)
    return stage
