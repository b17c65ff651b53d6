"""Exclusion that saves work: normally in Redis, in Postgres while Redis is away.

A lock guarantees nothing. Its holder may be paused past its expiry, and at the moment when Redis goes or comes back
one may hold it there and another here. What must not happen twice is kept single by leases and fencing tokens in
Postgres; a lock only keeps two workers from beginning the same thing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID, uuid4

import asyncpg
import structlog
from redis.asyncio import Redis

from shared.errors import Unavailable
from shared.postgres.faults import POSTGRES_FAULTS
from shared.postgres.pool import Pool, lent
from shared.postgres.queries import load
from shared.redis import RedisLink
from shared.telemetry.metrics import LOCK_CONTENTION, LOCKS, LOCKS_LOST

_POSTGRES_LIMIT_S = 2.0
_AGAIN_S = 0.5
_POSTGRES_FAULTS = (*POSTGRES_FAULTS, asyncpg.PostgresError)

_RELEASE = """
if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) else return 0 end
"""
# A key that is gone without a successor (a wiped Redis) may be set again; another's may not be touched.
_RENEW = """
local holder = redis.call('get', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('set', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""

log = structlog.get_logger()


@dataclass(slots=True)
class Lock:
    """A lock that is held, renewed in the background. `lost` is set when it can't be kept any more."""

    name: str
    ttl: timedelta
    token: UUID
    backend: Literal["redis", "postgres"]
    until: float
    lost: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def held(self) -> bool:
        """Whether it's ours as far as we can know: not lost, and not expired while this process was paused."""
        return not self.lost.is_set() and time.monotonic() < self.until


class Locks:
    """Takes locks; one per process."""

    def __init__(self, link: RedisLink, pool: Pool) -> None:
        self._link = link
        self._pool = pool
        self._owed: dict[UUID, Lock] = {}
        self._returning: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def hold(self, name: str, ttl: timedelta) -> AsyncIterator[Lock | None]:
        """Hold the lock within the block, or get None at once when somebody else has it (contention).

        It's renewed every third of `ttl`, so `ttl` is how long others wait after a crash, not how long the block
        may take. Raises Unavailable, which isn't contention, when neither Redis nor Postgres answers.
        """
        lock = await self._take(name, ttl)
        if lock is None:
            LOCK_CONTENTION.inc()
            yield None
            return
        renewal = asyncio.create_task(self._keep(lock), name=f"lock {name}")
        try:
            yield lock
        finally:
            renewal.cancel()
            with suppress(asyncio.CancelledError):
                await renewal
            await asyncio.shield(self._release(lock))

    async def _take(self, name: str, ttl: timedelta) -> Lock | None:
        token, began = uuid4(), time.monotonic()
        try:
            taken = await self._link.call("lock", lambda redis: redis.set(_key(name), str(token), nx=True, px=_ms(ttl)))
            lock = Lock(name, ttl, token, "redis", began + ttl.total_seconds())
        except Unavailable:
            LOCKS.inc(backend="redis", result="unavailable")
            began = time.monotonic()
            taken = await self._row("take", name, token, ttl)
            lock = Lock(name, ttl, token, "postgres", began + ttl.total_seconds())
        LOCKS.inc(backend=lock.backend, result="acquired" if taken else "contended")
        return lock if taken else None

    async def _keep(self, lock: Lock) -> None:
        """Renew until cancelled; a renewal that can't be made is repeated until the lock has expired."""
        while not lock.lost.is_set():
            rest = lock.until - time.monotonic()
            await asyncio.sleep(max(0.0, min(lock.ttl.total_seconds() / 3, rest)))
            began = time.monotonic()
            try:
                kept = await self._renew(lock)
            except Unavailable:
                kept = began < lock.until
            else:
                lock.until = began + lock.ttl.total_seconds() if kept else lock.until
            if not kept:
                LOCKS_LOST.inc()
                log.warning("lock.lost", name=lock.name, backend=lock.backend)
                lock.lost.set()

    async def _renew(self, lock: Lock) -> bool:
        if lock.backend == "postgres":
            return await self._row("renew", lock.name, lock.token, lock.ttl)
        try:
            return await self._script(_RENEW, lock, str(_ms(lock.ttl)))
        except Unavailable:
            kept = await self._row("take", lock.name, lock.token, lock.ttl)
            lock.backend = "postgres"
            return kept

    async def _release(self, lock: Lock) -> None:
        # In Redis too when it's kept in Postgres: an unanswered SET or an outage may have left our token there.
        try:
            await self._script(_RELEASE, lock)
        except Unavailable:
            self._owe(lock)
        if lock.backend == "postgres":
            with suppress(Unavailable):
                await self._row("release", lock.name, lock.token)

    def _owe(self, lock: Lock) -> None:
        """Give it back once Redis answers: until its token expires there, nobody else could have it."""
        if self._link.pool is None:  # there is no Redis that could hold it
            return
        self._owed[lock.token] = lock
        if self._returning is None or self._returning.done():
            self._returning = asyncio.create_task(self._give_back_owed(), name="locks owed")

    async def _give_back_owed(self) -> None:
        while self._owed:
            await asyncio.sleep(_AGAIN_S)
            for token, lock in list(self._owed.items()):
                if time.monotonic() < lock.until:
                    try:
                        await self._script(_RELEASE, lock)
                    except Unavailable:
                        break
                del self._owed[token]

    async def _script(self, script: str, lock: Lock, *arguments: str) -> bool:
        async def run(redis: Redis) -> Any:
            return await redis.eval(script, 1, _key(lock.name), str(lock.token), *arguments)  # type: ignore[misc]

        return bool(await self._link.call("lock", run))

    async def _row(self, query: str, *arguments: object) -> bool:
        try:
            async with lent(self._pool, within_s=_POSTGRES_LIMIT_S) as connection:
                return bool(await connection.fetchval(load("locks")[query], *arguments))
        except _POSTGRES_FAULTS as error:
            LOCKS.inc(backend="postgres", result="unavailable")
            raise Unavailable(f"neither Redis nor Postgres can keep a lock ({type(error).__name__})") from error


def _key(name: str) -> str:
    return f"lock:{name}"


def _ms(ttl: timedelta) -> int:
    return max(1, round(ttl.total_seconds() * 1000))
