"""Leases: kept while an effect runs, given up by who may be too late, and settled once Postgres is back."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from shared.acquisition.commands import CheckAlbum
from shared.eventlog import store as eventlog
from shared.redis import RedisLink
from shared.settings.registry import Settings
from tests.harness.waiting import until
from tests.worker.workshop import (
    an_acquisition,
    command_of,
    drain,
    executor,
    log_events,
    nothing,
    order,
    running,
    status_of,
)
from worker import execute, lease
from worker.effects import EFFECTS
from worker.effects.effect import Found, Tools
from worker.lease import Claimed
from worker.sweep import Sweep


@pytest.fixture
async def check(pool: Any) -> CheckAlbum:
    return CheckAlbum(acquisition_id=await an_acquisition(pool), album_mbid=uuid4(), lidarr_album_id=1)


async def test_a_lease_is_kept_as_long_as_the_effect_takes(
    pool: Any, link: RedisLink, check: CheckAlbum, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Long beyond the first lease nobody takes the command over, and no attempt is spent."""
    monkeypatch.setattr(lease, "LEASE", timedelta(seconds=1))
    monkeypatch.setattr(execute, "RENEW_EVERY_S", 0.05)
    finish = asyncio.Event()

    async def effect(command: CheckAlbum, claimed: Claimed, tools: Tools) -> Found:
        await finish.wait()
        return Found()

    monkeypatch.setitem(EFFECTS, CheckAlbum, effect)  # type: ignore[arg-type]
    number = await order(pool, check)
    sweep = Sweep(pool, nothing, settings=Settings, lidarr=False)
    async with running(executor(pool, link)):
        first = await until(lambda: lease_of(pool, number))

        async def is_long_over() -> bool:
            await sweep.rescue()
            over: bool = await pool.fetchval("SELECT now() > $1::timestamptz + interval '1 second'", first)
            return over

        await until(is_long_over)
        assert (await command_of(pool, number))["state"] == "running"
        finish.set()
        await until(lambda: is_state(pool, number, "done"))
    row = await command_of(pool, number)
    assert (row["attempts"], row["fence"]) == (0, 1)


async def test_whoever_may_be_too_late_gives_the_command_back(
    pool: Any, link: RedisLink, check: CheckAlbum, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lease that is too short for the call costs no attempt."""
    calls = []

    async def effect(command: CheckAlbum, claimed: Claimed, tools: Tools) -> Found:
        calls.append(claimed.fence)
        if len(calls) == 1:
            claimed.must_outlast(10_000)
        return Found()

    monkeypatch.setitem(EFFECTS, CheckAlbum, effect)  # type: ignore[arg-type]
    number = await order(pool, check)
    async with running(executor(pool, link)):
        await until(lambda: is_state(pool, number, "done"))
    assert calls == [1, 2]
    assert (await command_of(pool, number))["attempts"] == 0


async def test_a_result_waits_until_postgres_takes_it(
    pool: Any, link: RedisLink, check: CheckAlbum, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection is lost between the effect and its settlement: the effect isn't run again for that."""
    calls = []

    async def effect(command: CheckAlbum, claimed: Claimed, tools: Tools) -> Found:
        calls.append(claimed.fence)
        return Found()

    finish = execute.finish

    async def finishing(connection: Any, *arguments: Any, **options: Any) -> None:
        if not finished:
            finished.append(True)
            await connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        await finish(connection, *arguments, **options)

    finished: list[bool] = []
    monkeypatch.setattr(execute, "finish", finishing)
    monkeypatch.setitem(EFFECTS, CheckAlbum, effect)  # type: ignore[arg-type]
    number = await order(pool, check)
    async with running(executor(pool, link)):
        await until(lambda: is_state(pool, number, "done"))
    assert calls == [1]


async def test_a_goodbye_that_crosses_a_query_ends_no_drain(pool: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """asyncpg says InternalClientError when a terminated backend's goodbye and a query cross."""
    (number,) = await log_events(pool, "Test")
    claim, failures = eventlog.claim, [asyncpg.InternalClientError("cannot switch to state"), LookupError("a bug")]

    async def claiming(*arguments: Any, **options: Any) -> Any:
        if failures:
            raise failures.pop(0)
        return await claim(*arguments, **options)

    monkeypatch.setattr(eventlog, "claim", claiming)
    async with running(drain(pool)):

        async def settled() -> bool:
            return bool((await status_of(pool, number))["settled_at"])

        await until(settled)
    assert (await status_of(pool, number))["attempts"] == 0


async def lease_of(pool: Any, number: UUID) -> Any:
    return (await command_of(pool, number))["lease_until"]


async def is_state(pool: Any, number: UUID, state: str) -> bool:
    return bool((await command_of(pool, number))["state"] == state)
