"""Before a schema is judged: the server can hold it, and it's the schema that is meant."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from unittest.mock import AsyncMock
from urllib.parse import urlencode, urlsplit, urlunsplit

import pytest

from reprise.standalone.postgres import ROLE
from shared.postgres.baseline import Unrecognised
from shared.postgres.migrate import migrate
from shared.postgres.premises import Elsewhere, NotOurLedger, Unfit
from tests.harness.servers import PostgresServer
from tests.shared.postgres import stage


@pytest.mark.parametrize(
    "ledger",
    [
        "CREATE TABLE schema_migrations (version varchar PRIMARY KEY)",
        "CREATE TABLE schema_migrations (version bigint PRIMARY KEY, dirty boolean)",
        "CREATE TABLE schema_migrations (id integer, version integer, name text)",
    ],
)
async def test_a_ledger_of_another_program_is_told_and_left_alone(any_database: str, ledger: str) -> None:
    await stage.sql(any_database, ledger, "CREATE TABLE users (id integer)")
    before = await stage.rows_of_the_catalogue(any_database)
    with pytest.raises(NotOurLedger, match=r"another program's\. Nothing was changed"):
        await migrate(any_database)
    assert await stage.rows_of_the_catalogue(any_database) == before
    # And the cure that it names is one.
    await stage.sql(any_database, "CREATE SCHEMA reprise")
    dsn = f"{any_database}&{urlencode({'options': '-csearch_path=reprise'})}"
    assert (await migrate(dsn)).up_to_date
    assert await stage.events_in(dsn) == set()


@pytest.mark.parametrize("tracked", [True, False], ids=["tracked", "untracked"])
async def test_no_empty_tables_are_made_in_front_of_the_full_ones(any_database: str, tracked: bool) -> None:
    """Postgres looks first into a schema that is named like the user."""
    ids = await stage.bring_to(any_database, 2, events=500, tracked=tracked)
    await stage.sql(any_database, f"CREATE SCHEMA {ROLE}")
    before = await stage.rows_of_the_catalogue(any_database)
    with pytest.raises(Elsewhere, match=rf"tables are in the schema public.*would go to {ROLE}") as refused:
        await migrate(any_database)
    assert await stage.rows_of_the_catalogue(any_database) == before
    assert "?options=-csearch_path%3Dpublic" in refused.value.message
    dsn = f"{any_database}&{urlencode({'options': '-csearch_path=public'})}"
    assert (await migrate(dsn)).up_to_date
    assert await stage.events_in(dsn) == ids


async def test_a_user_without_any_schema(postgres_server: PostgresServer, empty_database: str) -> None:
    admin = urlunsplit(urlsplit(postgres_server.admin_dsn)._replace(path=urlsplit(empty_database).path))
    await stage.sql(admin, "REVOKE ALL ON SCHEMA public FROM public", "ALTER SCHEMA public OWNER TO postgres")
    with pytest.raises(Unfit, match="GRANT USAGE, CREATE ON SCHEMA"):
        await migrate(empty_database)


@asynccontextmanager
async def encoded(server: PostgresServer, encoding: str) -> AsyncIterator[str]:
    await server._admin(
        f"CREATE DATABASE encoded TEMPLATE template0 ENCODING '{encoding}' LOCALE 'C' OWNER {ROLE} LOCALE_PROVIDER libc"
    )
    try:
        yield server.dsn("encoded")
    finally:
        await server._admin("DROP DATABASE encoded WITH (FORCE)")


async def test_a_database_that_cant_hold_every_name(
    postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with encoded(postgres_server, "LATIN1") as dsn:
        with pytest.raises(Unfit, match="encoded as LATIN1"):
            await migrate(dsn)
        with monkeypatch.context() as unlooked:
            unlooked.setattr("shared.postgres.ledger.check_premises", AsyncMock())
            await migrate(dsn, steps=stage.STEPS[:2])
        assert (await migrate(dsn)).up_to_date, "one that is in use already goes on"


async def test_one_that_takes_any_bytes_will_do(postgres_server: PostgresServer) -> None:
    async with encoded(postgres_server, "SQL_ASCII") as dsn:
        assert (await migrate(dsn)).up_to_date


async def test_a_server_that_is_too_old(empty_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.postgres.premises.OLDEST_MAJOR", 99)
    with pytest.raises(Unfit, match="needs 99 or newer"):
        await migrate(empty_database)


async def test_a_ledger_of_numbers_from_nowhere_proves_nothing(database: str) -> None:
    await stage.sql(database, "INSERT INTO schema_migrations VALUES (-5, 'x', 'y'), (0, 'x', 'y')")
    assert (await migrate(database)).applied == tuple(stage.VERSIONS)
    await stage.sql(database, "DROP VIEW dead_letters", "DELETE FROM schema_migrations")
    await stage.sql(database, "INSERT INTO schema_migrations VALUES (999, 'x', 'y')")
    with pytest.raises(Unrecognised, match="dead_letters is missing"):
        await migrate(database)
