"""One way to connect: a pool whose connections speak jsonb as Python values."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

import asyncpg
import msgspec

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    Connection: TypeAlias = "asyncpg.Connection[Any] | PoolConnectionProxy[Any]"
    Pool: TypeAlias = "asyncpg.Pool[Any]"
else:
    Connection = asyncpg.Connection
    Pool = asyncpg.Pool


def _encode(value: object) -> str:
    return msgspec.json.encode(value).decode()


async def prepare(connection: Any) -> None:
    """Teach one connection our codecs: jsonb carries any value msgspec can encode, and comes back as plain data."""
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", encoder=_encode, decoder=msgspec.json.decode, format="text"
    )


async def create_pool(
    dsn: str,
    *,
    min_size: int = 1,
    max_size: int = 10,
    application_name: str = "reprise",
    command_timeout: float | None = 60.0,
) -> Pool:
    """A connected pool. command_timeout in seconds bounds every statement, so that a hung server is noticed."""
    return await asyncpg.create_pool(
        dsn,
        min_size=min_size,
        max_size=max_size,
        init=prepare,
        command_timeout=command_timeout,
        server_settings={
            "application_name": application_name,
            # A client that vanished inside a transaction must not hold its row locks for ever.
            "idle_in_transaction_session_timeout": "120000",
        },
    )


@asynccontextmanager
async def lent(pool: Pool, *, within_s: float | None) -> AsyncIterator[Connection]:
    """A connection of the pool, with a limit for getting it, for the block, and for giving it back.

    A timeout around an acquire without one would wait, at its end, for a connection that a firewall has forgotten.
    Raises TimeoutError; and CancelledError where the task was cancelled, though giving it back took too long.
    """
    try:
        async with pool.acquire(timeout=within_s) as connection, asyncio.timeout(within_s):
            yield connection
    except TimeoutError:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise asyncio.CancelledError from None
        raise


async def connect(dsn: str, *, application_name: str = "reprise") -> Any:
    """One prepared connection outside any pool, for migrations and the command line."""
    connection = await asyncpg.connect(dsn, server_settings={"application_name": application_name})
    await prepare(connection)
    return connection
