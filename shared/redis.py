"""One process's link to Redis, which may be absent: short waits, a line when it goes, one when it's back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from redis.asyncio import ConnectionPool, Redis
from redis.exceptions import RedisError

from shared.config import Secret
from shared.errors import Unavailable
from shared.telemetry.metrics import REDIS_ERRORS

T = TypeVar("T")

# What a Redis call can fail with; asyncio's own TimeoutError is an OSError.
REDIS_FAULTS = (RedisError, OSError)

CALL_LIMIT_S = 0.25
_CONNECT_LIMIT_S = 1.0
_SOCKET_LIMIT_S = 2.0
_PAUSE_S = 1.0

log = structlog.get_logger()


class RedisLink:
    """The connections to one Redis or Valkey, and whether it answers.

    Share one link among everything in a process that uses Redis: then its going and coming are said once.
    Without a URL it is simply always away. Nothing is connected until the first call.
    """

    def __init__(self, url: Secret | str | None) -> None:
        self._silent_until = 0.0
        self._failures = 0
        self._said_away = False
        text = url.reveal() if isinstance(url, Secret) else url
        self.pool: ConnectionPool | None = (
            ConnectionPool.from_url(text, socket_connect_timeout=_CONNECT_LIMIT_S, socket_timeout=_SOCKET_LIMIT_S)
            if text
            else None
        )
        self._client: Redis | None = Redis(connection_pool=self.pool) if self.pool else None

    @property
    def away(self) -> bool:
        """Whether calls are pointless at this moment; after a pause of a second the next call tries again."""
        return self._client is None or time.monotonic() < self._silent_until

    async def call(self, use: str, work: Callable[[Redis], Awaitable[T]], *, limit_s: float = CALL_LIMIT_S) -> T:
        """Run `work` with the client for at most `limit_s`; `use` is one of the values of the error metric.

        Raises Unavailable, at once while Redis is known to be away.
        """
        if self._client is None or self.away:
            raise Unavailable("Redis is away")
        try:
            async with asyncio.timeout(limit_s):
                result = await work(self._client)
        except REDIS_FAULTS as error:
            self.failed(use, error)
            raise Unavailable(f"Redis doesn't answer ({type(error).__name__})") from error
        self.worked()
        return result

    def failed(self, use: str, error: BaseException) -> None:
        """Note a failed call; a single timeout may be our own slowness, so two in a row mean away."""
        REDIS_ERRORS.inc(use=use)
        self._failures += 1
        if isinstance(error, TimeoutError) and self._failures < 2:
            return
        self._silent_until = time.monotonic() + _PAUSE_S
        if not self._said_away:
            self._said_away = True
            log.warning(
                "redis.away",
                use=use,
                error=f"{type(error).__name__}: {error}",
                consequence="work goes on without it, with up to 2 s more latency",
            )

    def worked(self) -> None:
        """Note a call that was answered."""
        self._failures = 0
        self._silent_until = 0.0
        if self._said_away:
            self._said_away = False
            log.info("redis.back")

    async def close(self) -> None:
        if self.pool is not None:
            await self.pool.disconnect()
