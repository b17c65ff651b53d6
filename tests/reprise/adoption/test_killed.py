"""Killed at any point and started again: the same end state as a run that nobody disturbed."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from reprise.adoption.run import Asked, adopt
from shared.postgres.pool import create_pool
from tests.harness.processes import Processes, Running
from tests.harness.servers import PostgresServer
from tests.harness.waiting import until
from tests.reprise.adoption.conftest import Adopt, differences, end_state, folding
from tests.reprise.adoption.lidify import Lidify, lived_in

# Nobody calls it: with it, jobs that are opened again don't wait for a source.
_LIDARR = {"LIDARR_URL": "http://127.0.0.1:1", "LIDARR_API_KEY": "key"}


class Cut(Exception):
    """Stands for whatever ends a run between two chunks."""


@pytest.fixture
async def much(theirs: Lidify) -> Lidify:
    """Their side with enough for several chunks of everything."""
    await lived_in(theirs)
    for number in range(450):
        await theirs.job(1000 + number, "processing" if number % 50 == 0 else "completed")
    await theirs.connection.execute(
        """INSERT INTO "WebhookEvent" ("id", "eventId", "source", "eventType", "payload", "createdAt")
        SELECT 'cm' || n, 'lidarr-Grab-D' || n, 'lidarr', 'Grab', '{"eventType": "Grab"}', now()::timestamp(3)
        FROM generate_series(1, 1200) AS n"""
    )
    await theirs.put("SystemSettings", downloadRetryAttempts=7)
    return theirs


async def undisturbed(server: PostgresServer, theirs: Lidify) -> dict[str, list[str]]:
    """The end state of a run from beginning to end, in a database of its own."""
    async with server.new_database() as dsn, await create_pool(dsn) as pool:
        await adopt(pool, folding(), Asked(url=theirs.dsn, resume=True))
        return await end_state(pool)


async def test_cut_off_after_every_chunk(
    much: Lidify, bring: Adopt, pool: Any, postgres_server: PostgresServer
) -> None:
    cuts = 0
    steps = iter(range(1000))

    def cut(line: str) -> None:
        if next(steps) == cuts:
            raise Cut

    while True:
        steps = iter(range(1000))
        try:
            await bring(resume=True, say=cut)
        except Cut:
            cuts += 1
        else:
            break
    assert cuts > 8
    assert await end_state(pool) == await undisturbed(postgres_server, much)
    assert await differences(pool) == []


async def test_killed_by_the_system_in_the_middle_of_a_chunk(
    much: Lidify, pool: Any, processes: Processes, postgres_server: PostgresServer
) -> None:
    """A lock of ours stops it inside a transaction; there it is killed, first among jobs, then among events."""
    for table in ("acquisitions", "events"):
        async with pool.acquire() as holder:
            transaction = holder.transaction()
            await transaction.start()
            await holder.execute(f"LOCK TABLE {table} IN SHARE MODE")
            run = await processes.start("adopt", "--from", much.dsn, "--resume", environment=_LIDARR)
            await until(lambda: _is_stopped(pool))
            await run.kill()
            await transaction.rollback()
    last = await processes.start("adopt", "--from", much.dsn, "--resume", "--json", environment=_LIDARR)
    assert await last.child.wait() == 0
    assert _report(last)["jobs"]["there"] == 463
    assert await end_state(pool) == await undisturbed(postgres_server, much)
    assert await differences(pool) == []


async def test_two_at_once(much: Lidify, bring: Adopt, pool: Any, postgres_server: PostgresServer) -> None:
    one, other = await asyncio.gather(bring(resume=True), bring(resume=True))
    assert one.jobs.added + other.jobs.added == 461
    assert one.events.added + other.events.added == 1205
    assert one.resumed + other.resumed == 13
    assert await end_state(pool) == await undisturbed(postgres_server, much)
    assert await differences(pool) == []


def _report(run: Running) -> Any:
    return json.loads(run.output().splitlines()[-1])


async def _is_stopped(pool: Any) -> bool:
    waiting = await pool.fetchval(
        """SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'reprise command' AND wait_event_type = 'Lock'"""
    )
    return bool(waiting)
