"""Killed at every step of every migration, up and down, and started again: the same end."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from urllib.parse import urlsplit, urlunsplit

import pytest

from tests.harness.processes import clean_environment
from tests.harness.servers import PostgresServer
from tests.repository.tree import ROOT
from tests.shared.postgres import stage

# Only a superuser may have every statement told.
_TOLD = (
    "CREATE SCHEMA told",
    "CREATE FUNCTION told.tell() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE '%', tg_tag; END $$",
    "CREATE EVENT TRIGGER told ON ddl_command_end EXECUTE FUNCTION told.tell()",
    "CREATE EVENT TRIGGER dropped ON sql_drop EXECUTE FUNCTION told.tell()",
)


@pytest.mark.long
async def test_killed_at_any_step_and_started_again_it_ends_the_same(
    any_server: PostgresServer, any_database: str, postgres_server: PostgresServer
) -> None:
    """After every statement in the long form; else after every third, on another major after every seventh."""
    every = 1 if os.environ.get("KILL_ALWAYS") else 3 if any_server is postgres_server else 7
    admin = urlunsplit(urlsplit(any_server.admin_dsn)._replace(path=urlsplit(any_database).path))
    await stage.sql(admin, *_TOLD)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.shared.postgres.killing",
        any_database,
        str(every),
        cwd=ROOT,
        env=clean_environment(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    kills = {(way, count): times for way, count, times in map(json.loads, out.splitlines())}
    steps = (*stage.STEPS, stage.PIECES)
    for step in steps:
        told = step.sql.count("CREATE ") + step.sql.count("DROP INDEX")
        assert kills["up", step.version] > (told - step.sql.count("COMMENT ON")) // every, kills
        assert kills["down", step.version] > 3 // every, kills
    assert kills["again", len(stage.STEPS)] > len(stage.STEPS) // every, kills
    assert len(kills) == 2 * len(steps) + 1
