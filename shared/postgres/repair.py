"""Add what is missing, where that is all it takes; the rest is left to a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import asyncpg

from shared.errors import Unavailable
from shared.postgres.baseline import adopt, drift, recognise
from shared.postgres.difference import Difference, brief
from shared.postgres.exclusive import Say, patiently
from shared.postgres.fingerprint import fingerprint
from shared.postgres.ledger import refuse_altered, status
from shared.postgres.queries import load
from shared.postgres.steps import Migration


@dataclass(frozen=True, slots=True)
class Plan:
    """What stands between a database and a version that can be tracked.

    `version` is the one that is tracked, or recognised, or nearest; `tracked` says that the ledger has it already.
    """

    version: int
    tracked: bool
    differences: tuple[Difference, ...]
    foreign: tuple[str, ...] = ()

    @property
    def additive(self) -> tuple[Difference, ...]:
        return tuple(one for one in self.differences if one.is_additive)

    @property
    def by_hand(self) -> tuple[Difference, ...]:
        return tuple(one for one in self.differences if not one.is_additive)


class RepairFailed(Unavailable):
    """A statement of the repair failed, and so none of it was kept; the message says which and why."""

    code = "repair_failed"


async def plan(connection: Any, steps: Sequence[Migration]) -> Plan:
    """Look at the schema; changes nothing. Raises Altered when the ledger belongs to other files."""
    found = await status(connection, steps)
    refuse_altered(found)
    live = await fingerprint(connection)
    if found.applied and not found.has_gap and (differences := drift(live, steps, found.newest)) is not None:
        return Plan(found.newest, tracked=True, differences=differences)
    seen = recognise(live, steps, above=max(min(found.newest, len(steps)) - 1, 0))
    if seen is None:
        raise RepairFailed("there are no fingerprints of these migrations: this release can't judge the schema")
    return Plan(seen.nearest, tracked=False, differences=seen.differences, foreign=seen.foreign)


async def repair(connection: Any, steps: Sequence[Migration], say: Say) -> Plan:
    """Run the additive statements of the plan in one transaction; track the version if that made it whole.

    Returns what is left, which is nothing where it went well. Raises RepairFailed, having changed nothing.
    """

    async def work() -> Plan:
        found = await plan(connection, steps)
        # A function may speak of a table that comes after it.
        await connection.execute(load("fingerprint")["unchecked_bodies"])
        for difference in found.additive:
            for statement in difference.statements:
                try:
                    await connection.execute(statement)
                except asyncpg.PostgresError as error:
                    if isinstance(error, (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError)):
                        raise  # it's tried again
                    raise RepairFailed(f"`{brief(statement)}` failed ({error}); nothing was changed") from error
        left = await plan(connection, steps)
        if not left.differences and not left.tracked and left.version:
            await adopt(connection, steps, left.version)
            return replace(left, tracked=True)
        return left

    return await patiently(connection, work, say=say, what="repair")
