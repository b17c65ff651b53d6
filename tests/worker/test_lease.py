"""Leases and fences: whoever was paused too long sends nothing and settles nothing, and somebody else goes on."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.acquisition.commands import CheckAlbum, ObservePeer, RollUpBatch
from shared.acquisition.findings import CommandFailed
from shared.acquisition.signals import ImportFailureHinted, decode
from shared.locks import Locks
from shared.redis import RedisLink
from tests.harness.waiting import until
from tests.worker.workshop import an_acquisition, command_of, due_now, executor, nothing, order, running
from worker.clients.answers import failure_of
from worker.clients.http import MAX_CHANGE_S
from worker.effects import EFFECTS
from worker.effects.effect import Found, Tools
from worker.execute import MAX_ATTEMPTS
from worker.lease import LEASE, RENEW_EVERY_S, Claimed, LeaseLost, Term, again, claim, finish, renew
from worker.sweep import Sweep


def sweep(pool: Any) -> Sweep:
    return Sweep(pool, nothing, settings=lambda: None, lidarr=False)  # type: ignore[arg-type, return-value]


async def pass_over(pool: Any, command_id: UUID) -> None:
    """As if so much time had passed that its lease is over."""
    await pool.execute("UPDATE commands SET lease_until = now() - interval '1 ms' WHERE id = $1", command_id)


async def leased(pool: Any, **options: Any) -> Claimed:
    await order(pool, CheckAlbum(acquisition_id=await an_acquisition(pool), album_mbid=uuid4()), **options)
    claimed = await claim(pool)
    assert claimed
    return claimed


def test_a_lease_outlasts_a_call_that_changes_a_peer_and_missed_renewals() -> None:
    assert LEASE.total_seconds() > MAX_CHANGE_S + 3 * RENEW_EVERY_S


@pytest.mark.parametrize("known_rows", [0, 1, 2, 50])
async def test_one_is_leased_at_a_time_whatever_the_planner_believes(pool: Any, known_rows: int) -> None:
    """Of a table that it knows to be small, the planner would rather look for what is due once for every row."""
    for _ in range(known_rows):
        await order(pool, RollUpBatch(batch_id=uuid4()))
    await pool.execute("ANALYZE commands")
    while known_rows and await claim(pool):
        pass
    orders = {await order(pool, RollUpBatch(batch_id=uuid4())) for _ in range(5)}
    for leased_so_far in range(1, 6):
        claimed = await claim(pool)
        assert claimed
        assert claimed.id in orders
        running_now = "SELECT count(*) FROM commands WHERE state = 'running' AND id = ANY ($1)"
        assert await pool.fetchval(running_now, list(orders)) == leased_so_far


async def test_a_retry_is_no_later_than_it_would_have_been_though_another_does_the_work(pool: Any) -> None:
    command = CheckAlbum(acquisition_id=await an_acquisition(pool), album_mbid=uuid4())
    await order(pool, command)
    claimed = await claim(pool)
    assert claimed
    later = await order(pool, command)
    await pool.execute("UPDATE commands SET due_at = now() + interval '15 minutes' WHERE id = $1", later)
    async with pool.acquire() as connection:
        await again(connection, claimed, after=timedelta(seconds=1), spent=False, error=None)
    assert (await command_of(pool, claimed.id))["state"] == "cancelled"
    assert await pool.fetchval("SELECT due_at - now() < interval '2 s' FROM commands WHERE id = $1", later)


async def test_the_monotonic_clock_decides_whether_there_is_time(pool: Any) -> None:
    claimed = await leased(pool)
    claimed.must_outlast(MAX_CHANGE_S)
    with pytest.raises(LeaseLost, match="ends before"):
        claimed.must_outlast(LEASE.total_seconds())
    claimed.term.ends_at = time.monotonic() + MAX_CHANGE_S  # as much as the call itself, and nothing to write it down
    with pytest.raises(LeaseLost):
        claimed.must_outlast(MAX_CHANGE_S)
    await renew(pool, claimed)
    claimed.must_outlast(MAX_CHANGE_S)


async def test_who_was_paused_past_the_lease_settles_nothing(pool: Any) -> None:
    paused = await leased(pool)
    await pass_over(pool, paused.id)
    await sweep(pool).rescue()
    row = await command_of(pool, paused.id)
    assert (row["state"], row["attempts"], row["last_error"]) == ("waiting", 1, "its worker vanished or was paused")
    async with pool.acquire() as connection:
        with pytest.raises(LeaseLost):
            await finish(connection, paused, "done")
        with pytest.raises(LeaseLost):
            await again(connection, paused, after=timedelta(0), spent=False, error=None)
        successor = await claim(pool)
        assert successor
        assert (successor.id, successor.fence) == (paused.id, paused.fence + 1)
        for attempt in (finish(connection, paused, "done"), finish(connection, paused, "dead", reason="late")):
            with pytest.raises(LeaseLost):
                await attempt
        with pytest.raises(LeaseLost):
            await renew(pool, paused)
        with pytest.raises(LeaseLost):
            paused.must_outlast(0.0)
        await finish(connection, successor, "done")
    assert (await command_of(pool, paused.id))["state"] == "done"


async def test_a_late_find_is_not_appended(pool: Any, link: RedisLink, monkeypatch: pytest.MonkeyPatch) -> None:
    async def slow(command: Any, claimed: Claimed, tools: Tools) -> Found:
        await pass_over(tools.pool, claimed.id)
        await sweep(tools.pool).rescue()
        return Found((ImportFailureHinted(),))

    monkeypatch.setitem(EFFECTS, CheckAlbum, slow)  # type: ignore[arg-type]
    number = await order(pool, CheckAlbum(acquisition_id=await an_acquisition(pool), album_mbid=uuid4()))
    claimed = await claim(pool)
    assert claimed
    await executor(pool, link)._run_one(claimed)
    assert (await command_of(pool, number))["state"] == "waiting"
    assert not await pool.fetchval("SELECT count(*) FROM events")


async def test_a_living_worker_keeps_its_lease(pool: Any, link: RedisLink, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.execute.RENEW_EVERY_S", 0.02)
    claimed = await leased(pool)
    claimed.term.ends_at = 0.0
    kept = asyncio.create_task(executor(pool, link)._keep_lease(claimed))
    await until(lambda: claimed.term.ends_at > time.monotonic(), what="the lease to be renewed")
    await pool.execute("UPDATE commands SET fence = fence + 1 WHERE id = $1", claimed.id)
    await until(kept.done, what="the keeper to notice that it's another's")
    assert claimed.term == Term(0.0)


async def test_rescued_too_often_is_dead_and_says_so(pool: Any) -> None:
    number = (await leased(pool, attempts=MAX_ATTEMPTS - 1)).id
    await pass_over(pool, number)
    await asyncio.gather(*(sweep(pool).rescue() for _ in range(4)))
    row = await command_of(pool, number)
    assert (row["state"], row["attempts"]) == ("dead", MAX_ATTEMPTS)
    (event,) = await pool.fetch("SELECT * FROM events")
    failed = decode(event["body"])
    assert isinstance(failed, CommandFailed)
    assert failed.reason == row["reason"]
    assert f"attempt {MAX_ATTEMPTS} of {MAX_ATTEMPTS}" in failed.reason


async def test_two_expired_of_one_key_become_one(pool: Any) -> None:
    batch = uuid4()
    for _ in range(2):
        await order(pool, RollUpBatch(batch_id=batch))
        assert await claim(pool)
    await pool.execute("UPDATE commands SET lease_until = now() - interval '1 s'")
    await sweep(pool).rescue()
    assert sorted(await pool.fetch("SELECT state FROM commands")) == [("cancelled",), ("waiting",)]


async def test_nothing_is_begun_by_who_is_told_to_stop(pool: Any, link: RedisLink) -> None:
    number = await order(pool, ObservePeer(peer="nobody"))
    one = executor(pool, link)
    filling = asyncio.create_task(one._fill_slots())
    await asyncio.sleep(0)  # its claim is on the way now
    one.stop()
    await filling
    row = await command_of(pool, number)
    assert (row["state"], row["attempts"], row["last_error"]) == ("waiting", 0, None)
    await one.run()
    assert (await command_of(pool, number))["fence"] == row["fence"]


async def test_what_is_broken_off_is_given_back(pool: Any, link: RedisLink, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = asyncio.Event()

    async def endless(command: Any, claimed: Claimed, tools: Tools) -> Found:
        begun.set()
        await asyncio.Event().wait()
        return Found()

    monkeypatch.setitem(EFFECTS, CheckAlbum, endless)  # type: ignore[arg-type]
    number = await order(pool, CheckAlbum(acquisition_id=await an_acquisition(pool), album_mbid=uuid4()))
    task = asyncio.create_task(executor(pool, link).run())
    await begun.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    row = await command_of(pool, number)
    assert (row["state"], row["attempts"], row["last_error"]) == ("waiting", 0, "its worker was told to stop")
    assert await pool.fetchval("SELECT due_at > now() + interval '5 s' FROM commands")


async def test_a_contended_lock_spends_nothing(pool: Any, link: RedisLink, monkeypatch: pytest.MonkeyPatch) -> None:
    done = asyncio.Event()

    async def perform(command: Any, claimed: Claimed, tools: Tools) -> Found:
        done.set()
        return Found()

    monkeypatch.setitem(EFFECTS, CheckAlbum, perform)  # type: ignore[arg-type]
    acquisition = await an_acquisition(pool)
    number = await order(pool, CheckAlbum(acquisition_id=acquisition, album_mbid=uuid4()))
    async with Locks(link, pool).hold(str(acquisition), timedelta(seconds=30)) as lock, running(executor(pool, link)):
        assert lock

        async def aside() -> bool:
            return bool((await command_of(pool, number))["last_error"])

        await until(aside, what="the command to step aside")
    row = await command_of(pool, number)
    assert (row["state"], row["attempts"], row["last_error"]) == ("waiting", 0, "somebody else is at work on it")
    assert not done.is_set()
    await due_now(pool)
    async with running(executor(pool, link)):
        await done.wait()


async def test_with_redis_away_the_lock_is_a_row(pool: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[str] = []

    async def perform(command: Any, claimed: Claimed, tools: Tools) -> Found:
        held.extend(row["name"] for row in await tools.pool.fetch("SELECT name FROM locks"))
        return Found()

    monkeypatch.setitem(EFFECTS, CheckAlbum, perform)  # type: ignore[arg-type]
    acquisition = await an_acquisition(pool)
    number = await order(pool, CheckAlbum(acquisition_id=acquisition, album_mbid=uuid4()))
    async with running(executor(pool, RedisLink("redis://127.0.0.1:1/0"))):

        async def done() -> bool:
            return bool((await command_of(pool, number))["state"] == "done")

        await until(done, what="the command to be done")
    assert held == [str(acquisition)]
    assert not await pool.fetchval("SELECT count(*) FROM locks")


async def test_a_new_worker_tries_at_once_what_waits_because_of_a_wrong_key(pool: Any) -> None:
    because = {
        status: str(failure_of(status, b"", peer="lidarr", call="GET /api/v1/album", location="https://elsewhere"))
        for status in (401, 302, 503)
    }
    waiting = {}
    for status, error in because.items():
        claimed = await leased(pool)
        async with pool.acquire() as connection:
            await again(connection, claimed, after=timedelta(minutes=5), spent=False, error=error)
        waiting[status] = claimed.id
    await sweep(pool).try_what_was_misconfigured()
    due = "SELECT id FROM commands WHERE due_at <= now()"
    assert {row["id"] for row in await pool.fetch(due)} == {waiting[401], waiting[302]}
