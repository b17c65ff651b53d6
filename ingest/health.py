"""Say how it is: alive, ready (a delivery would be kept), and in figures."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import asyncpg
import msgspec
from aiohttp import web

from ingest.parts import Parts
from shared.errors import RepriseError, Unavailable
from shared.postgres.faults import POSTGRES_FAULTS
from shared.telemetry.exposition import render

# Anybody may ask, so what an answer costs our servers is bounded.
_FRESH_FOR_S = 1.0
_LIMIT_S = 1.0

Check = Callable[[], Awaitable[str]]


class Health:
    """`/healthz`, `/readyz` and `/metrics`; open to everybody, so they hold no secrets and no addresses."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._asked_at = float("-inf")
        self._lines: dict[str, str] = {}
        self._asking = asyncio.Lock()

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/healthz", self.healthz),
            web.get("/readyz", self.readyz),
            web.get("/metrics", self.metrics),
        ]

    async def healthz(self, request: web.Request) -> web.Response:
        """The event loop turns; that's all that a restart could mend."""
        return web.json_response({"status": "alive"})

    async def readyz(self, request: web.Request) -> web.Response:
        """200 whenever a delivery would be kept, by Postgres or by the spool; a line per dependency."""
        servers = await self._servers()
        kept = self._parts.intake.state()
        answer = {"status": kept.status, **servers, **kept.lines, **self._peers()}
        body = msgspec.json.format(msgspec.json.encode(answer), indent=1)
        return web.Response(status=200 if kept.would_keep else 503, body=body + b"\n", content_type="application/json")

    async def metrics(self, request: web.Request) -> web.Response:
        """Prometheus' text format."""
        self._parts.intake.measure()
        body, content_type = render()
        return web.Response(body=body, headers={"Content-Type": content_type})

    async def _servers(self) -> dict[str, str]:
        async with self._asking:
            if time.monotonic() - self._asked_at > _FRESH_FOR_S:
                names: dict[str, Check] = {"postgres": self._postgres, "redis": self._redis}
                answers = await asyncio.gather(*(_ask(check) for check in names.values()))
                self._lines = dict(zip(names, answers, strict=True))
                self._asked_at = time.monotonic()
                if self._lines["postgres"].startswith("away"):
                    self._parts.intake.turn_aside("Postgres doesn't answer")
            return self._lines

    async def _postgres(self) -> str:
        pool = self._parts.pool
        if pool.get_size() >= pool.get_max_size() and not pool.get_idle_size():
            # No sign that Postgres is away; deliveries have connections of their own.
            return "busy: every connection of the API is in use"
        async with pool.acquire(timeout=_LIMIT_S) as connection:
            await connection.execute("/* readyz */ SELECT", timeout=_LIMIT_S)
        return "ok"

    async def _redis(self) -> str:
        if self._parts.config.redis_url is None:
            return "unset: workers look for work by themselves"
        await self._parts.redis.call("health", lambda client: client.ping())
        return "ok"

    def _peers(self) -> dict[str, str]:
        config = self._parts.config
        return {
            "lidarr": "configured" if config.lidarr_url and config.lidarr_api_key else "unset",
            "slskd": "configured" if config.slskd_url and config.slskd_api_key else "unset",
            "webhook_secret": "set"
            if config.webhook_secret or config.webhook_secret_old
            else "unset: nothing is accepted",
        }


async def _ask(check: Check) -> str:
    try:
        async with asyncio.timeout(_LIMIT_S):
            return await check()
    except TimeoutError:
        return "away: no answer"
    except Unavailable:
        return "away"
    except (*POSTGRES_FAULTS, RepriseError, asyncpg.PostgresError) as error:
        return f"away: {type(error).__name__}"
