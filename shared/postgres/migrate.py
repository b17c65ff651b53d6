"""Numbered SQL files, each applied exactly once, however many processes start together."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias

import asyncpg

from shared.config import Migrate
from shared.errors import Unavailable
from shared.postgres.baseline import baseline, check
from shared.postgres.exclusive import LOCK_TIMEOUT_S, Say, exclusive, patiently
from shared.postgres.faults import POSTGRES_FAULTS
from shared.postgres.ledger import Altered, Status, is_applied, prepare_ledger, record, refuse_altered, status
from shared.postgres.pool import connect
from shared.postgres.queries import load
from shared.postgres.steps import Migration, index_of, migrations

__all__ = [
    "Altered",
    "Migration",
    "MigrationFailed",
    "Pending",
    "Say",
    "Status",
    "bring_up",
    "migrate",
    "migrations",
    "status",
]

_POLL_S = 0.2

BeforeChange: TypeAlias = Callable[[Status], Awaitable[object]]


class Pending(Unavailable):
    """The schema isn't up to date, and this process leaves it to another, which makes a backup before."""

    code = "schema_pending"


class MigrationFailed(Unavailable):
    """A migration failed, and left nothing behind; the message says which and why. The next start tries it again."""

    code = "migration_failed"


async def migrate(
    dsn: str,
    say: Say = lambda line: None,
    steps: Sequence[Migration] | None = None,
    *,
    before_change: BeforeChange | None = None,
) -> Status:
    """Bring the database up to this release. Safe to call from any number of processes at once.

    `before_change` is awaited once the schema has been judged, and only if a step is to be applied; whatever it raises
    keeps every step from being applied.

    An untracked schema is recognised and recorded, or refused. Raises Altered when an applied file was changed since,
    Unrecognised, Foreign or Drifted when the schema isn't what it should be, what check_premises raises, and
    MigrationFailed; asyncpg's error where Postgres is away.
    """
    steps = migrations() if steps is None else steps
    connection = await connect(dsn, application_name="reprise migrate")
    try:
        before = await status(connection, steps)
        refuse_altered(before)
        if before.pending and not before.underway:
            before = await baseline(connection, steps, say)
        await check(connection, steps, say)
        if before.pending and before_change is not None:
            await before_change(before)
        for step in before.pending:
            try:
                await (
                    _apply(connection, step, say)
                    if step.in_transaction
                    else _apply_in_pieces(connection, dsn, step, say)
                )
            except asyncpg.PostgresError as error:
                if isinstance(error, POSTGRES_FAULTS):
                    raise
                raise MigrationFailed(_why(step, error)) from error
        if before.pending:
            await check(connection, steps, lambda line: None)
        after = await status(connection, steps)
        say(f"[MIGRATE] up to date at {len(after.applied)} migrations")
        return after
    finally:
        await connection.close()


async def bring_up(dsn: str, say: Say, *, how: Migrate) -> Status:
    """What a starting process does about the schema: `auto` migrates, `wait` raises Pending until another has.

    Raises as migrate.
    """
    if how == "auto":
        return await migrate(dsn, say)
    steps = migrations()
    connection = await connect(dsn, application_name="reprise migrate")
    try:
        found = await status(connection, steps)
        refuse_altered(found)
        if found.pending:
            raise Pending(
                f"{len(found.pending)} of {len(steps)} migrations are pending: waiting for the process that makes a "
                "backup and applies them (`reprise backup --nightly`), or for a `reprise migrate`"
            )
        await check(connection, steps, say)
        say(f"[MIGRATE] up to date at {len(found.applied)} migrations")
        return found
    finally:
        await connection.close()


async def _apply(connection: Any, step: Migration, say: Say) -> None:
    """Apply one step in one transaction, unless another process was faster."""
    started = time.monotonic()

    async def work() -> bool:
        await prepare_ledger(connection)
        if await is_applied(connection, step):
            return False
        await connection.execute(step.sql)
        await record(connection, step)
        return True

    what = f"{step.version:04d} {step.name}"
    if await patiently(connection, work, say=say, what=what, lock_timeout_s=LOCK_TIMEOUT_S):
        say(_done(step, started))


async def _apply_in_pieces(connection: Any, dsn: str, step: Migration, say: Say) -> None:
    """Apply one step statement by statement; each bears being run again, so that any interruption is made good.

    The lock is kept by the transaction of a second connection, because it must outlast the statements, and PgBouncer
    hands a connection to others between two transactions. There is no lock_timeout: these statements block nobody.
    """
    queries = load("migrate")
    keeper = await connect(dsn, application_name="reprise migrate lock")
    try:
        async with exclusive(keeper, say):
            await keeper.execute(queries["stay"])
            await prepare_ledger(connection)
            if await is_applied(connection, step):
                return
            started = time.monotonic()
            await connection.execute(queries["begin_step"], step.version, step.name, step.checksum)
            for statement in step.statements:
                say(f"[MIGRATE] {step.version:04d} {step.name}: {' '.join(statement.split())}")
                if index := index_of(statement):
                    await _make_room(connection, index)
                await connection.execute(statement)
            await record(connection, step)
            say(_done(step, started))
    finally:
        await keeper.close()


async def _make_room(connection: Any, index: str) -> None:
    """Wait for a build that goes on without its process, and drop what an interrupted one left."""
    queries = load("migrate")
    while await connection.fetchval(queries["is_being_built"], index):  # noqa: ASYNC110 - on the server, without event
        await asyncio.sleep(_POLL_S)
    if drop := await connection.fetchval(queries["drop_of_invalid"], index):
        await connection.execute(drop)


def _why(step: Migration, error: asyncpg.PostgresError) -> str:
    left = "nothing of it was kept" if step.in_transaction else "the next start goes on with it"
    return f"migration {step.version:04d} {step.name} failed ({type(error).__name__}: {error}); {left}"


def _done(step: Migration, started: float) -> str:
    return f"[MIGRATE] {step.version:04d} {step.name} applied in {(time.monotonic() - started) * 1000:.0f} ms"
