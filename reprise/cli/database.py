"""The database in use: the one of DATABASE_URL, else that of the `reprise up` on the data directory."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from shared.config import Config, load_config
from shared.errors import RepriseError

if TYPE_CHECKING:
    from shared.postgres.pool import Connection, Pool

T = TypeVar("T")

_CONNECT_LIMIT_S = 10.0


class NoDatabase(RepriseError):  # noqa: N818 - an outcome, like the others in shared/errors.py
    """There is no database to work on, or it can't be reached; the message says how to get there."""

    code = "no_database"


def finish(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's work to its end."""
    import asyncio

    return asyncio.run(work)


def config_in_use() -> Config:
    """The config with its database_url set. Raises ConfigError, and NoDatabase when nothing runs here."""
    config = load_config(os.environ)
    if config.database_url is not None:
        return config
    from reprise.standalone.attach import attach

    try:
        attached = attach(config)
    except PermissionError as error:
        raise NoDatabase(
            f"the data directory {config.data_dir} belongs to another user. "
            "Run this as the user of `reprise up`, or set DATABASE_URL"
        ) from error
    if attached is None:
        raise NoDatabase(
            f"no database: DATABASE_URL isn't set, and no `reprise up` runs on {config.data_dir.absolute()}. "
            "Start it (`make run`), set REPRISE_DATA_DIR to its data directory, or set DATABASE_URL"
        )
    return attached.config


@asynccontextmanager
async def at_rest_too() -> AsyncIterator[Config]:
    """The config in use, for what must work while nothing runs: our own Postgres is started for as long as that takes.

    Raises NoDatabase where there is none, and CannotStart for a data directory that can't be used.
    """
    config = load_config(os.environ)
    if config.database_url is not None or not (config.data_dir.expanduser() / "postgres").exists():
        yield config_in_use()
        return
    from reprise.backup.place import database
    from reprise.cli.service import log_to_stderr

    log_to_stderr(config, "command")  # the server that is started mustn't speak into our answer
    async with database(config) as found:
        yield found


def url_of(config: Config) -> str:
    """The database's URL, with its password. The config must come from config_in_use."""
    if config.database_url is None:
        raise NoDatabase("no database: DATABASE_URL isn't set")
    return config.database_url.reveal()


@asynccontextmanager
async def connected(config: Config) -> AsyncIterator[Connection]:
    """One connection to the database in use. Raises NoDatabase with the cure when it can't be had."""
    from shared.postgres.pool import connect

    connection = await _reach(config, connect(url_of(config), application_name="reprise command"))
    try:
        yield connection
    finally:
        await connection.close(timeout=_CONNECT_LIMIT_S)


@asynccontextmanager
async def pooled(config: Config) -> AsyncIterator[Pool]:
    """A small pool, for what wants one. Raises NoDatabase with the cure when it can't be had."""
    from shared.postgres.pool import create_pool

    made = create_pool(url_of(config), min_size=1, max_size=2, application_name="reprise command")
    pool = await _reach(config, made)
    try:
        yield pool
    finally:
        await pool.close()


async def _reach(config: Config, attempt: Coroutine[Any, Any, T]) -> T:
    """What is in the way of a connection, in words that name the place and never the password."""
    import asyncio

    import asyncpg

    where = _place(url_of(config))
    try:
        async with asyncio.timeout(_CONNECT_LIMIT_S):
            return await attempt
    except (OSError, asyncpg.CannotConnectNowError, asyncpg.TooManyConnectionsError) as error:
        says = str(error) or f"no answer within {_CONNECT_LIMIT_S:.0f} s"
        raise NoDatabase(
            f"the database at {where} doesn't answer ({says}). "
            "Start it (standalone: `reprise up`), or mend DATABASE_URL"
        ) from error
    except asyncpg.InvalidAuthorizationSpecificationError as error:
        raise NoDatabase(f"the database at {where} lets us not in ({error}). Mend DATABASE_URL") from error
    except asyncpg.InvalidCatalogNameError as error:
        raise NoDatabase(f"at {where}: {error}. Create it, or mend DATABASE_URL") from error


def _place(url: str) -> str:
    """Host and port, or the socket's folder, of a database URL."""
    parts = urlsplit(url)
    address = parts.netloc.rpartition("@")[2]
    if address:
        return address
    from urllib.parse import parse_qs

    return parse_qs(parts.query).get("host", ["its default place"])[0]
