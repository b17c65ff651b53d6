"""The stage on which journeys are played, with every webhook once, doubled or in any order."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from shared.config import Config
from tests.journeys.stage import Stage, staged

DELIVERIES = ["once", "doubled", "doubled+shuffled", "lost"]


@pytest.fixture
async def stage(config: Config, pool: Any) -> AsyncIterator[Stage]:
    """One receiver, one worker, one Lidarr."""
    async with staged(config, pool) as ready:
        yield ready


@pytest.fixture(params=DELIVERIES)
async def any_delivery(stage: Stage, request: pytest.FixtureRequest) -> Stage:
    """The same stage, once for each way in which webhooks may reach us."""
    stage.lidarr.control(delivery=request.param)
    return stage
