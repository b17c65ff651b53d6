"""Keep a delivery, whatever is down behind us."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol
from uuid import UUID

from ingest.appender import Appender
from ingest.schema import Schema
from shared.errors import Unavailable
from shared.eventlog.event import Delivery


class Kept(NamedTuple):
    """Where a delivery went: the event it became, or the spool on its way there (then duplicate isn't known yet)."""

    event_id: UUID
    duplicate: bool = False
    spooled: bool = False


class Keeps(Protocol):
    """What the receiver needs: returns once the delivery is on a disk, and raises one of our errors if it can't be."""

    async def keep(self, delivery: Delivery, /) -> Kept: ...


@dataclass(frozen=True, slots=True)
class State:
    """How the intake is: whether it would keep a delivery now, and a line each on what it needs for that."""

    status: str
    would_keep: bool
    lines: Mapping[str, str]


class Intake:
    """The way of a delivery into the log."""

    def __init__(self, appender: Appender, schema: Schema) -> None:
        self._appender = appender
        self._schema = schema

    async def keep(self, delivery: Delivery) -> Kept:
        """Append the delivery. Raises Unavailable when Postgres doesn't take it."""
        if not self._schema.ready:
            raise Unavailable(f"the schema isn't ready: {self._schema.says}")
        appended = await self._appender.append(delivery)
        return Kept(appended.event_id, appended.duplicate)

    def state(self) -> State:
        """For /readyz; asks nobody."""
        ready = self._schema.ready
        return State("ready" if ready else "not ready", ready, {"schema": self._schema.says})

    def measure(self) -> None:
        """Set the gauges that only matter when somebody looks."""

    async def close(self) -> None:
        """Finish what is under way."""
        await self._appender.close()
