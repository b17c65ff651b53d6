"""Long work that a person starts: done in small steps by any receiver's process, watched and cancelled meanwhile."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import structlog

from ingest.api.services import Services
from ingest.api.shapes import Operation
from shared.acquisition.signals import EventsRetried
from shared.errors import Conflict, NotFound
from shared.eventlog.identity import uuid7
from shared.postgres.faults import POSTGRES_FAULTS
from shared.postgres.queries import load

_Q = load("admin")
_log = structlog.get_logger("ingest.operations")

RETRY_DEAD = "retry_dead_events"
STEP = 500
# Who starts an operation wakes this process's runner; this finds those that a process left unfinished.
_LOOK_EVERY_S = 5.0


class DeadFilter(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Which dead events an operation is about."""

    source: str | None = None
    type: str | None = None
    since: datetime | None = None
    until: datetime | None = None


async def count(services: Services, which: DeadFilter) -> int:
    """How many events a retry would be about now."""
    async with services.reading() as connection:
        return int(await connection.fetchval(_Q["count_dead"], *msgspec.structs.astuple(which)))


async def start(services: Services, which: DeadFilter, reason: str | None) -> Operation:
    """Start retrying them, and put into the log that somebody did."""
    total, operation_id = await count(services, which), uuid7()
    async with services.writing() as connection:
        row = await connection.fetchrow(_Q["start_operation"], operation_id, RETRY_DEAD, which, total)
        await services.act_within(connection, EventsRetried(of=operation_id, reason=reason))
    services.operation_started.set()
    _log.info("operation.started", operation_id=str(operation_id), kind=RETRY_DEAD, total=total)
    return _operation(row)


async def show(services: Services, operation_id: UUID) -> Operation:
    """Raises NotFound."""
    async with services.reading() as connection:
        row = await connection.fetchrow(_Q["operation"], operation_id)
    if row is None:
        raise NotFound("There is no such operation.")
    return _operation(row)


async def cancel(services: Services, operation_id: UUID) -> Operation:
    """Stop after the step that is under way; what is done stays done. Raises NotFound and Conflict."""
    async with services.writing() as connection:
        row = await connection.fetchrow(_Q["cancel_operation"], operation_id)
    if row is None:
        found = await show(services, operation_id)
        raise Conflict(f"The operation is {found.state}, so it can't be cancelled.")
    return _operation(row)


async def carry_out(services: Services) -> None:
    """Carry out whatever is unfinished, for ever; without Postgres it waits.

    State lies in Postgres alone, so after a restart it just goes on, here or in another process.
    """
    away = False
    while True:
        services.operation_started.clear()
        try:
            while await _step(services):
                pass
        except (*POSTGRES_FAULTS, asyncpg.PostgresError) as error:
            if not away:
                _log.warning("operations.interrupted", error=f"{type(error).__name__}: {error}")
            away = True
        else:
            away = False
        try:
            async with asyncio.timeout(_LOOK_EVERY_S):
                await services.operation_started.wait()
        except TimeoutError:
            continue


async def _step(services: Services) -> bool:
    """Do one step of one operation; False when there is none."""
    async with services.writing() as connection:
        row = await connection.fetchrow(_Q["take_operation"])
        if row is None:
            return False
        which = msgspec.convert(row["args"], DeadFilter)
        tag = await connection.execute(_Q["retry_many"], *msgspec.structs.astuple(which), row["started_at"], STEP)
        done = int(tag.split()[-1])
        await connection.execute(_Q["step_operation"], row["id"], done, done == 0)
    if done:
        services.wake_ups.offer("drain")
    else:
        _log.info("operation.done", operation_id=str(row["id"]), kind=row["kind"], total=row["total"])
    return True


def _operation(row: Any) -> Operation:
    return msgspec.convert(dict(row), Operation)
