"""Numbered SQL files, each applied exactly once, however many processes start together."""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from shared.errors import Unavailable
from shared.postgres.pool import connect
from shared.postgres.queries import SQL_DIR, load

Say = Callable[[str], None]

# Any constant will do, as long as every Reprise process uses the same one.
LOCK_KEY = 0x7265707269736531
LOCK_TIMEOUT_S = 5
LOCK_TRIES = 24
_FILE = re.compile(r"^(?P<version>\d{4})_(?P<name>[a-z0-9_]+)\.sql$")


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered step of the schema."""

    version: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the file, so that an edited, already applied migration is noticed."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Status:
    """Where a database stands: the versions applied and those waiting, both ascending."""

    applied: tuple[int, ...]
    pending: tuple[Migration, ...]
    altered: tuple[int, ...]

    @property
    def up_to_date(self) -> bool:
        return not self.pending and not self.altered


class Altered(Unavailable):
    """An applied migration's file differs from what was applied; restore the file of that release."""

    code = "migration_altered"


def migrations(directory: Path = SQL_DIR / "migrations") -> tuple[Migration, ...]:
    """Every migration of this release, ascending. Numbers must have no gap and no double."""
    found = []
    for path in sorted(directory.glob("*.sql")):
        if path.name.endswith(".down.sql"):
            continue
        match = _FILE.match(path.name)
        if match is None:
            raise ValueError(f"sql/migrations/{path.name}: the name must read NNNN_words.sql")
        found.append(Migration(int(match["version"]), match["name"], path.read_text(encoding="utf-8")))
    if [step.version for step in found] != list(range(1, len(found) + 1)):
        raise ValueError("sql/migrations: the numbers must run 0001, 0002, … without gap or double")
    return tuple(found)


async def status(connection: Any, steps: Sequence[Migration] | None = None) -> Status:
    """Compare the ledger in the database with the files of this release; changes nothing."""
    steps = migrations() if steps is None else steps
    queries = load("migrate")
    ledger: dict[int, str] = {}
    if await connection.fetchval(queries["ledger_exists"]):
        ledger = {row["version"]: row["checksum"] for row in await connection.fetch(queries["ledger"])}
    return Status(
        applied=tuple(sorted(ledger)),
        pending=tuple(step for step in steps if step.version not in ledger),
        altered=tuple(step.version for step in steps if ledger.get(step.version, step.checksum) != step.checksum),
    )


async def migrate(dsn: str, say: Say = lambda line: None, steps: Sequence[Migration] | None = None) -> Status:
    """Bring the database up to this release. Safe to call from any number of processes at once.

    Raises Altered when an applied file was changed since, and asyncpg's error when a step fails (its
    transaction rolls back, so a failed step leaves nothing behind).
    """
    steps = migrations() if steps is None else steps
    connection = await connect(dsn, application_name="reprise migrate")
    try:
        before = await status(connection, steps)
        if before.altered:
            raise Altered(f"migration {before.altered[0]:04d} was applied from a different file")
        for step in before.pending:
            await _apply(connection, step, say)
        after = await status(connection, steps)
        say(f"[MIGRATE] up to date at {len(after.applied)} migrations")
        return after
    finally:
        await connection.close()


async def _apply(connection: Any, step: Migration, say: Say) -> None:
    """Apply one step in one transaction, unless another process was faster."""
    queries = load("migrate")
    for remaining in reversed(range(LOCK_TRIES)):
        started = time.monotonic()
        try:
            async with connection.transaction():
                # Waiting for this lock is waiting for another process to migrate: no time-out yet.
                await connection.execute(queries["lock"], LOCK_KEY)
                await connection.execute(queries["make_ledger"])
                if await connection.fetchval(queries["is_applied"], step.version):
                    return
                # From here on we wait for running replicas; better to step back than to block them.
                await connection.execute(queries["lock_timeout"], f"{LOCK_TIMEOUT_S}s")
                await connection.execute(step.sql)
                await connection.execute(queries["record"], step.version, step.name, step.checksum)
        except asyncpg.LockNotAvailableError:
            if not remaining:
                raise
            say(f"[MIGRATE] {step.version:04d} {step.name}: a table is in use, trying again")
            await asyncio.sleep(1)
        else:
            say(f"[MIGRATE] {step.version:04d} {step.name} applied in {(time.monotonic() - started) * 1000:.0f} ms")
            return
