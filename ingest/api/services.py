"""What the handlers of the API work with, and the two ways in which they reach Postgres."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import asyncpg
from aiohttp import web

from ingest.parts import Parts
from shared.acquisition.acts import ACQUIRE_S, Act, act, act_within
from shared.acquisition.fold import Folding
from shared.acquisition.signals import Signal
from shared.config import Config
from shared.postgres.pool import Connection, Pool
from shared.postgres.queries import load
from shared.settings.feed import SettingsFeed
from shared.sources import interpret
from shared.taskqueue import WakeUps

T = TypeVar("T")

# A list that takes longer than this is looking through too much; the answer then asks for a narrower filter.
READ_LIMIT_S = 5.0
_TRIES = 5

_Q = load("history")


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Made once for a process. Nothing here has to be connected: without Postgres each use raises."""

    config: Config
    pool: Pool
    wake_ups: WakeUps
    folding: Folding
    settings: SettingsFeed
    operation_started: asyncio.Event = field(default_factory=asyncio.Event)

    @classmethod
    def of(cls, parts: Parts) -> Services:
        """From the parts of the receiver's process."""
        config = parts.config
        feed = parts.settings
        folding = Folding.under(config, interpret=interpret, settings=feed.current)
        return cls(config=config, pool=parts.pool, wake_ups=parts.wake_ups, folding=folding, settings=feed)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Connection]:
        """A read-only transaction in which no statement takes longer than READ_LIMIT_S."""
        async with self.pool.acquire(timeout=ACQUIRE_S) as connection, connection.transaction(readonly=True):
            await connection.execute(_Q["bounded"], str(int(READ_LIMIT_S * 1000)))
            yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Connection]:
        """A transaction."""
        async with self.pool.acquire(timeout=ACQUIRE_S) as connection, connection.transaction():
            yield connection

    async def act(self, signal: Signal) -> Act:
        """Append and fold a person's act, and wake whoever has work from it."""
        done = await again_if_rolled_back(lambda: act(self.pool, self.folding, signal))
        self.wake_after(done)
        return done

    async def act_within(self, connection: Connection, signal: Signal) -> Act:
        """The same in a transaction that the caller commits. For acts that order nothing."""
        return await act_within(connection, self.folding, signal)

    def wake_after(self, done: Act) -> None:
        """Offer the work that a committed act has made."""
        if done.folded.ordered:
            self.wake_ups.offer("execute")
        if done.folded.work.bound:
            self.wake_ups.offer("drain")


SERVICES = web.AppKey("services", Services)


async def again_if_rolled_back(work: Callable[[], Awaitable[T]]) -> T:
    """Repeat a whole transaction that Postgres rolled back for another's sake (a deadlock): nothing of it happened."""
    for _ in range(_TRIES - 1):
        try:
            return await work()
        except asyncpg.TransactionRollbackError:
            continue
    return await work()
