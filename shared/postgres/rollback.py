"""The way back: what would be lost by it, and the down files, newest first."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shared.errors import InvalidInput, Unavailable
from shared.postgres.exclusive import Say, patiently
from shared.postgres.fingerprint import Catalogue, fingerprint, owner
from shared.postgres.ledger import is_applied, prepare_ledger, refuse_altered, status
from shared.postgres.queries import load
from shared.postgres.steps import Migration


class NoWayBack(Unavailable):
    """A migration can't be undone by this release, because it belongs to a newer one, or has no down file."""

    code = "no_way_back"


@dataclass(frozen=True, slots=True)
class Loss:
    """A table or column that goes, with the number of its rows or values; None for what holds none of its own."""

    what: str
    count: int | None

    def __str__(self) -> str:
        if self.count is None:
            return self.what
        noun = "row" if self.what.startswith("table ") else "value"
        return f"{self.what}: {self.count} {noun}{'' if self.count == 1 else 's'}"


@dataclass(frozen=True, slots=True)
class WayBack:
    """The steps to undo, newest first, and what is lost with them. `processes` counts their open connections."""

    steps: tuple[Migration, ...]
    losses: tuple[Loss, ...]
    processes: int


async def way_back(connection: Any, steps: Sequence[Migration], to: int) -> WayBack:
    """Plan the way back to version `to`; 0 is before the first. Changes nothing.

    Raises InvalidInput for a version that isn't behind us, and NoWayBack.
    """
    found = await status(connection, steps)
    refuse_altered(found)
    reached = max((*found.applied, *found.underway), default=0)
    if not 0 <= to <= reached:
        raise InvalidInput("--to", f"must be 0 to {reached}, where the database stands")
    if reached > len(steps):
        raise NoWayBack(f"the database has migration {reached:04d} of a newer release: go back with that release first")
    undone = tuple(step for step in reversed(steps[to:reached]) if step.version in (*found.applied, *found.underway))
    for step in undone:
        if step.down is None:
            raise NoWayBack(f"migration {step.version:04d} {step.name} has no down file")
    return WayBack(
        steps=undone,
        losses=await _losses(connection, steps, to),
        processes=await connection.fetchval(load("migrate")["processes"]),
    )


async def roll_back(connection: Any, steps: Sequence[Migration], to: int, say: Say) -> None:
    """Undo the steps after `to`, newest first, each in one transaction. Can be begun again after any interruption."""
    for step in (await way_back(connection, steps, to)).steps:
        await _undo(connection, step, say)
    say(f"[MIGRATE] back at {to:04d}")


async def _undo(connection: Any, step: Migration, say: Say) -> None:
    started = time.monotonic()

    async def work() -> None:
        await prepare_ledger(connection)
        underway = step.version in (await status(connection, [step])).underway
        if underway or await is_applied(connection, step):
            await connection.execute(step.down)
            await connection.execute(load("migrate")["forget"], step.version)

    await patiently(connection, work, say=say, what=f"{step.version:04d} {step.name} undone")
    say(f"[MIGRATE] {step.version:04d} {step.name} undone in {(time.monotonic() - started) * 1000:.0f} ms")


async def _losses(connection: Any, steps: Sequence[Migration], to: int) -> tuple[Loss, ...]:
    """What the schema has now and version `to` doesn't know. Other people's objects stay."""
    remaining = steps[to - 1].golden if to else {}
    ours = {owner(key) for step in steps[to:] if step.golden for key in step.golden}
    if remaining is None:
        return ()
    queries = load("migrate")
    losses = []
    for key in await _present(connection, ours):
        if key in remaining:
            continue
        kind, _, name = key.partition(" ")
        if kind == "table":
            counting = await connection.fetchval(queries["count_of_rows"], name)
        elif kind == "column" and f"table {owner(key)}" in remaining:
            table, _, column = name.partition(".")
            counting = await connection.fetchval(queries["count_of_values"], table, column.strip('"'))
        elif kind in ("view", "function", "type", "sequence"):
            losses.append(Loss(key, None))
            continue
        else:
            continue
        losses.append(Loss(key, await connection.fetchval(counting)))
    return tuple(losses)


async def _present(connection: Any, ours: set[str]) -> Catalogue:
    return {key: text for key, text in (await fingerprint(connection)).items() if owner(key) in ours}
