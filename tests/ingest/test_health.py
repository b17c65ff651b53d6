"""What /readyz says of what the receiver needs."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from ingest.app import open_parts
from ingest.health import Health
from shared.config import Config
from tests.harness.waiting import until


async def test_a_busy_api_is_no_outage(config: Config) -> None:
    """Deliveries have connections of their own, and go on to Postgres."""
    async with open_parts(config) as parts:
        await until(lambda: parts.intake.state().status == "ready")
        held = await asyncio.gather(*(parts.pool.acquire() for _ in range(parts.pool.get_max_size())))
        request: Any = None
        answer = await Health(parts).readyz(request)
        assert isinstance(answer.body, bytes)
        assert json.loads(answer.body)["postgres"].startswith("busy")
        assert parts.intake.state().status == "ready"
        for connection in held:
            await parts.pool.release(connection)
