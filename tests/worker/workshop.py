"""Parts of a worker for tests: drains with an interpret of the test's own, executors, and what they work on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from shared.acquisition.commands import Command, coalesce_key
from shared.acquisition.fold import Folding
from shared.acquisition.reading import Interpret
from shared.acquisition.signals import Signal, Unheeded
from shared.eventlog.event import Delivery, Event
from shared.eventlog.identity import uuid7
from shared.eventlog.store import append
from shared.locks import Locks
from shared.redis import RedisLink
from shared.settings.registry import Settings
from shared.sources import interpret
from worker.drain import Drain
from worker.effects.effect import Tools
from worker.execute import Executor

POISON = "Poison"


def nothing(kind: str) -> None:
    """An offer that wakes nobody."""


def poisoned(what: Callable[[Event], object]) -> Interpret:
    """The usual interpret, but for events of the type POISON: those do what the test says."""

    def read(event: Event) -> tuple[Signal, ...] | Unheeded:
        if event.type != POISON:
            return interpret(event)
        meaning: Any = what(event)
        return meaning if isinstance(meaning, (tuple, Unheeded)) else Unheeded("digested")

    return read


def folding(read: Interpret = interpret, *, lidarr: bool = False) -> Folding:
    """A fold with the default settings."""
    return Folding(interpret=read, settings=Settings, lidarr=lidarr)


def drain(pool: Any, read: Interpret = interpret, **options: Any) -> Drain:
    """A drain that wakes nobody else."""
    return Drain(pool, folding(read), nothing, **options)


async def log_events(pool: Any, *types: str, source: str = "lidarr") -> list[UUID]:
    """Append one event of each type; their ids, in the order of the log."""
    deliveries = [
        Delivery(id=uuid7(), source=source, type=one, body=b'{"eventType": "Test"}', received_at=datetime.now(UTC))
        for one in types
    ]
    async with pool.acquire() as connection:
        await append(connection, deliveries)
    return [one.id for one in deliveries]


async def status_of(pool: Any, event_id: UUID) -> Any:
    """The event's row in event_status."""
    return await pool.fetchrow("SELECT * FROM event_status WHERE event_id = $1", event_id)


async def due_now(pool: Any) -> None:
    """Let everything that waits for its time be due."""
    await pool.execute("UPDATE event_status SET due_at = now() WHERE state = 'waiting'")
    await pool.execute("UPDATE commands SET due_at = now() WHERE state = 'waiting'")


async def order(pool: Any, command: Command, *, attempts: int = 0) -> UUID:
    """Write down a command that is due now."""
    about = getattr(command, "acquisition_id", None)
    number = uuid4()
    await pool.execute(
        "INSERT INTO commands (id, kind, acquisition_id, coalesce_key, args, due_at, created_at, attempts)"
        " VALUES ($1, $2, $3, $4, $5, now(), now(), $6)",
        *(number, type(command).__name__, about, coalesce_key(command), command, attempts),
    )
    return number


async def command_of(pool: Any, command_id: UUID) -> Any:
    """The command's row."""
    return await pool.fetchrow("SELECT * FROM commands WHERE id = $1", command_id)


async def an_acquisition(pool: Any) -> UUID:
    """An acquisition under way."""
    number = uuid4()
    await pool.execute(
        "INSERT INTO acquisitions (id, album_mbid, artist_name, album_title, origin, state, sequence, created_at,"
        " updated_at) VALUES ($1, gen_random_uuid(), 'a', 'b', 'asked', 'searching', 1, now(), now())",
        number,
    )
    return number


def executor(pool: Any, link: RedisLink, **options: Any) -> Executor:
    """An executor that wakes nobody else."""
    return Executor(Tools(pool=pool, lidarr=None), Locks(link, pool), nothing, **options)


@asynccontextmanager
async def running(one: Drain | Executor) -> AsyncIterator[asyncio.Task[None]]:
    """It runs within the block; at its end it is told to stop, and must."""
    task = asyncio.create_task(one.run())
    try:
        yield task
    finally:
        one.stop()
        with suppress(TimeoutError):
            async with asyncio.timeout(5):
                await asyncio.gather(task, return_exceptions=True)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
