"""Read their database, as it stood at one moment, through a connection that can't write."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import asyncpg

from reprise.adoption.recognise import BATCHES, EVENTS, JOBS, SETTINGS, Theirs, recognise
from shared.errors import InvalidInput, Unavailable
from shared.postgres.faults import POSTGRES_FAULTS
from shared.postgres.pool import Connection, prepare
from shared.postgres.queries import load

_Q = load("adopt_theirs")
_CONNECT_LIMIT_S = 10.0
_PREFETCH = 500
# What Prisma's URLs hold for Prisma alone; anything else would go to the server as a setting.
_OF_PRISMA = frozenset(
    {"schema", "connection_limit", "pool_timeout", "socket_timeout", "connect_timeout", "pgbouncer"}
    | {"statement_cache_size", "sslaccept", "sslidentity", "sslpassword"}
)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Their database at one moment. Every read of it sees the same."""

    connection: Connection
    theirs: Theirs

    async def jobs(self) -> AsyncIterator[dict[str, Any]]:
        """Their jobs, those of one batch together."""
        async for row in self._rows(JOBS, "jobs"):
            yield row["row"]

    async def batches(self) -> AsyncIterator[dict[str, Any]]:
        """Their discovery batches."""
        async for row in self._rows(BATCHES, "batches"):
            yield row["row"]

    async def events(self) -> AsyncIterator[tuple[dict[str, Any], str]]:
        """Their webhook events, oldest first, each with the text of its payload."""
        async for row in self._rows(EVENTS, "events"):
            yield row["row"], row["payload"]

    async def settings(self) -> dict[str, Any]:
        """Their one row of settings; empty where there is none."""
        row = await self.connection.fetchrow(_Q["settings"]) if SETTINGS in self.theirs.tables else None
        return {} if row is None else dict(row["row"])

    async def _rows(self, table: str, query: str) -> AsyncIterator[Any]:
        if table in self.theirs.tables:
            async for row in self.connection.cursor(_Q[query], prefetch=_PREFETCH):
                yield row


@asynccontextmanager
async def snapshot(url: str, schema: str | None) -> AsyncIterator[Snapshot]:
    """Their database, recognised. Nothing can be written through it: the server refuses.

    Raises Unavailable when it can't be reached, InvalidInput for a bad URL, NotRecognised when it isn't theirs.
    """
    dsn, named = _for_us(url)
    connection = await _reach(dsn)
    try:
        await prepare(connection)
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            schema = schema or named or "public"
            await connection.fetchrow(_Q["settle_in"], schema)
            yield Snapshot(connection, await recognise(connection, schema))
    finally:
        await connection.close(timeout=_CONNECT_LIMIT_S)


def _for_us(url: str) -> tuple[str, str | None]:
    """The URL without what is meant for Prisma, and the schema that it names."""
    try:
        parts = urlsplit(url)
        given = parse_qsl(parts.query)
    except ValueError as error:
        raise InvalidInput("--from", "is not a URL; percent-encode special characters of a password") from error
    if parts.scheme not in ("postgres", "postgresql"):
        raise InvalidInput("--from", "write it like postgresql://user:password@host:5432/lidify")
    kept = [(name, value) for name, value in given if name not in _OF_PRISMA]
    return urlunsplit(parts._replace(query=urlencode(kept))), dict(given).get("schema")


async def _reach(dsn: str) -> Any:
    where = urlsplit(dsn).netloc.rpartition("@")[2] or "its default place"
    try:
        return await asyncpg.connect(
            dsn,
            timeout=_CONNECT_LIMIT_S,
            server_settings={"application_name": "reprise adopt", "default_transaction_read_only": "on"},
        )
    except (*POSTGRES_FAULTS, asyncpg.PostgresError, ValueError) as error:
        says = str(error) or f"no answer within {_CONNECT_LIMIT_S:.0f} s"
        raise Unavailable(f"their database at {where} can't be opened ({says}). Mend the URL of --from") from error
