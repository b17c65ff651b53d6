"""One migrator at a time, whichever process and host it runs in, and never in the way of the others for long."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import asyncpg

from shared.postgres.queries import load

Say = Callable[[str], None]
T = TypeVar("T")

# Any constant will do, as long as every Reprise process uses the same one.
LOCK_KEY = 0x7265707269736531
# Whoever reads or writes the table queues up behind us for as long as we wait for our lock on it.
LOCK_TIMEOUT_S = 1.0
PATIENCE_S = 120.0
_POLL_S = 0.1
_SAY_AFTER_S = 2.0


@asynccontextmanager
async def exclusive(connection: Any, say: Say) -> AsyncIterator[None]:
    """A transaction that holds the migrators' lock; waits for the one that has it, however long that takes."""
    queries = load("migrate")
    began, said = time.monotonic(), False
    while True:
        async with connection.transaction():
            if await connection.fetchval(queries["try_lock"], LOCK_KEY):
                yield
                return
        if not said and time.monotonic() - began > _SAY_AFTER_S:
            say("[MIGRATE] another process is migrating: waiting for it")
            said = True
        await asyncio.sleep(_POLL_S * random.uniform(0.5, 1.5))  # noqa: S311 - only so that they don't come in step


async def patiently(
    connection: Any,
    work: Callable[[], Awaitable[T]],
    *,
    say: Say,
    what: str,
    lock_timeout_s: float = LOCK_TIMEOUT_S,
) -> T:
    """Do the work in one transaction under the lock, stepping back from tables that are in use.

    The work may be done several times, each time from the beginning. Raises asyncpg's LockNotAvailableError when
    the tables stay in use for PATIENCE_S.
    """
    queries = load("migrate")
    ends = time.monotonic() + PATIENCE_S
    said = False
    while True:
        try:
            async with exclusive(connection, say):
                # From here on we wait for running replicas; better to step back than to block them.
                await connection.execute(queries["lock_timeout"], f"{lock_timeout_s * 1000:.0f}ms")
                return await work()
        except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
            if time.monotonic() > ends:
                raise
        if not said:
            say(f"[MIGRATE] {what}: a table is in use, trying again")
            said = True
        await asyncio.sleep(lock_timeout_s * random.uniform(0.5, 1.5))  # noqa: S311 - as above
