"""The process as a whole: it listens, answers for its health, and stops."""

from __future__ import annotations

import aiohttp

from ingest.serve import listening
from shared.config import Config


async def test_health_needs_no_secret_and_says_a_line_per_dependency(config: Config) -> None:
    async with listening(config) as port, aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http:
        async with http.get("/healthz") as alive:
            assert alive.status == 200
        async with http.get("/readyz") as ready:
            text = await ready.text()
            lines = await ready.json()
    assert {"status", "postgres", "redis", "schema", "lidarr", "slskd"} <= lines.keys()
    assert lines["postgres"] == "ok"
    assert all(sum(f'"{name}"' in line for line in text.splitlines()) == 1 for name in lines)
