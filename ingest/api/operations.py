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


class Operations:
    """Starts operations and carries them out; state lies in Postgres alone, so a restart just goes on."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._started = asyncio.Event()

    async def count(self, which: DeadFilter) -> int:
        """How many events it would be about now."""
        async with self._services.reading() as connection:
            return int(await connection.fetchval(_Q["count_dead"], *msgspec.structs.astuple(which)))

    async def start(self, which: DeadFilter, reason: str | None) -> Operation:
        """Start retrying them, and put into the log that somebody did."""
        total, operation_id = await self.count(which), uuid7()
        async with self._services.writing() as connection:
            row = await connection.fetchrow(_Q["start_operation"], operation_id, RETRY_DEAD, which, total)
            await self._services.act_within(connection, EventsRetried(operation_id=operation_id, reason=reason))
        self._started.set()
        return _operation(row)

    async def show(self, operation_id: UUID) -> Operation:
        """Raises NotFound."""
        async with self._services.reading() as connection:
            row = await connection.fetchrow(_Q["operation"], operation_id)
        if row is None:
            raise NotFound("There is no such operation.")
        return _operation(row)

    async def cancel(self, operation_id: UUID) -> Operation:
        """Stop after the step that is under way; what is done stays done. Raises NotFound and Conflict."""
        async with self._services.writing() as connection:
            row = await connection.fetchrow(_Q["cancel_operation"], operation_id)
        if row is None:
            found = await self.show(operation_id)
            raise Conflict(f"The operation is {found.state}, so it can't be cancelled.")
        return _operation(row)

    async def run(self) -> None:
        """Carry out whatever is unfinished, for ever; without Postgres it waits."""
        while True:
            self._started.clear()
            try:
                while await self._step():
                    pass
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                _log.warning("operation.interrupted", error=f"{type(error).__name__}: {error}")
            try:
                async with asyncio.timeout(_LOOK_EVERY_S):
                    await self._started.wait()
            except TimeoutError:
                continue

    async def _step(self) -> bool:
        """Do one step of one operation; False when there is none."""
        async with self._services.writing() as connection:
            row = await connection.fetchrow(_Q["take_operation"])
            if row is None:
                return False
            which = msgspec.convert(row["args"], DeadFilter)
            tag = await connection.execute(_Q["retry_many"], *msgspec.structs.astuple(which), row["started_at"], STEP)
            done = int(tag.split()[-1])
            await connection.execute(_Q["step_operation"], row["id"], done, done == 0)
        if done:
            self._services.wake_ups.offer("drain")
        else:
            _log.info("operation.done", operation_id=str(row["id"]), kind=row["kind"], total=row["total"])
        return True


def _operation(row: Any) -> Operation:
    return msgspec.convert(dict(row), Operation)
