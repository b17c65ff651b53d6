"""The table in which a database keeps which migrations it has, and how it came by them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shared.errors import Unavailable
from shared.postgres.premises import check_premises
from shared.postgres.queries import load
from shared.postgres.steps import Migration, migrations


@dataclass(frozen=True, slots=True)
class Status:
    """Where a database stands: the versions applied and those waiting, both ascending.

    `baselined` are those of the applied that were recognised, `underway` one that was begun and not ended.
    """

    applied: tuple[int, ...]
    pending: tuple[Migration, ...]
    altered: tuple[int, ...]
    baselined: tuple[int, ...] = ()
    underway: tuple[int, ...] = ()

    @property
    def up_to_date(self) -> bool:
        return not self.pending and not self.altered

    @property
    def newest(self) -> int:
        """The newest version that is applied, 0 for none."""
        return max(self.applied, default=0)

    @property
    def has_gap(self) -> bool:
        """Whether a version is missing below the newest."""
        return len(self.applied) != self.newest


class Altered(Unavailable):
    """An applied migration's file differs from what was applied; restore the file of that release."""

    code = "migration_altered"


async def status(connection: Any, steps: Sequence[Migration] | None = None) -> Status:
    """Compare the ledger in the database with the files of this release; changes nothing.

    Raises as check_premises.
    """
    await check_premises(connection)
    steps = migrations() if steps is None else steps
    queries = load("migrate")
    rows = await connection.fetch(queries["ledger"]) if await connection.fetchval(queries["ledger_exists"]) else []
    ledger: dict[int, str] = {row["version"]: row["checksum"] for row in rows if row["how"] != "underway"}
    return Status(
        applied=tuple(sorted(ledger)),
        pending=tuple(step for step in steps if step.version not in ledger),
        altered=tuple(step.version for step in steps if ledger.get(step.version, step.checksum) != step.checksum),
        baselined=tuple(row["version"] for row in rows if row["how"] == "baselined"),
        underway=tuple(row["version"] for row in rows if row["how"] == "underway"),
    )


def refuse_altered(found: Status) -> None:
    """Raises Altered if an applied file was changed since."""
    if found.altered:
        raise Altered(f"migration {found.altered[0]:04d} was applied from a different file")


async def prepare_ledger(connection: Any) -> None:
    """The ledger, as this release has it. Call it under the lock."""
    queries = load("migrate")
    await connection.execute(queries["make_ledger"])
    if await connection.fetchval(queries["ledger_is_old"]):
        await connection.execute(queries["extend_ledger"])


async def is_applied(connection: Any, step: Migration) -> bool:
    """Whether the step is done. Call it under the lock, with a prepared ledger."""
    return bool(await connection.fetchval(load("migrate")["is_applied"], step.version))


async def record(connection: Any, step: Migration, *, how: str = "applied") -> None:
    """Note that the database has the step. `how` is applied or baselined. What is noted already stays."""
    await connection.execute(load("migrate")["record"], step.version, step.name, step.checksum, how)
