"""Workers come and go while there is work: nothing is claimed after the signal, and nothing is lost."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

import pytest

from shared.acquisition.signals import Unheeded
from shared.eventlog.event import OPERATOR, REPRISE, Event
from tests.harness.processes import Processes
from tests.harness.waiting import until
from tests.worker.workshop import drain, log_events, poisoned, running, status_of
from worker.drain import MAX_ATTEMPTS

EVENTS = 6000


async def test_one_of_two_is_told_to_end_under_load(pool: Any, processes: Processes) -> None:
    logged = 0

    async def log_more() -> None:
        nonlocal logged
        await log_events(pool, *["Test"] * 500)
        logged += 500

    while logged < EVENTS:
        await log_more()
    leaver, stayer = await asyncio.gather(processes.worker(), processes.worker())

    async def waiting() -> int:
        return int(await pool.fetchval("SELECT count(*) FROM event_status WHERE state = 'waiting'"))

    async def under_way() -> bool:
        # However fast the two are, there is a load when one of them is told to end.
        if await waiting() < EVENTS // 2:
            await log_more()
        return "event.settled" in leaver.output()

    await until(under_way, what="the load to be under way")
    assert await leaver.stop(within_s=20) == 0
    said = leaver.output()
    assert "worker.stopping" in said
    assert "worker.stopped" in said
    assert not [line for line in said.splitlines() if '"level": "error"' in line]
    assert not await pool.fetchval("SELECT count(*) FROM fold_runs WHERE started_at < now() - interval '5 s'")

    newcomer = await processes.worker()

    async def drained() -> bool:
        return await waiting() == 0

    await until(drained, within_s=40, what="the rest to be folded")
    found = await pool.fetch("SELECT state, attempts, count(*) FROM event_status GROUP BY 1, 2")
    assert [tuple(row) for row in found] == [("ignored", 0, logged)]
    assert not await pool.fetchval("SELECT count(*) FROM fold_runs")
    for one in (stayer, newcomer):
        assert one.child.exit_code is None
        assert await one.stop() == 0, one.output()[-1500:]


async def test_the_drain_claims_nothing_once_it_is_told_to_stop(pool: Any) -> None:
    folding = asyncio.Event()

    def noticed(event: Event) -> object:
        folding.set()
        return Unheeded("read")

    first = await log_events(pool, *["Poison"] * 10)
    one = drain(pool, poisoned(noticed), batch=5)
    async with running(one) as task:
        await folding.wait()
        one.stop()
        await task
    later = await log_events(pool, "Test")
    await one.drain()
    states = [(await status_of(pool, event))["state"] for event in [*first, *later]]
    # The batch that was under way is finished, and no other begun.
    assert states == ["ignored"] * 5 + ["waiting"] * 6


async def test_a_worker_that_waits_for_postgres_ends_when_told(processes: Processes, unused_tcp_port: int) -> None:
    running_one = await processes.worker(DATABASE_URL=f"postgresql://u@127.0.0.1:{unused_tcp_port}/none")
    await until(lambda: "worker.waits_for_postgres" in running_one.output(), what="it to say that it waits")
    assert await running_one.stop(within_s=5) == 0


async def test_a_second_signal_changes_nothing(processes: Processes) -> None:
    one = await processes.worker()
    await until(lambda: "worker.ready" in one.output(), what="the worker to be ready")
    one.child.popen.send_signal(signal.SIGTERM)
    assert await one.stop(within_s=10) == 0


@pytest.mark.parametrize("source", [REPRISE, OPERATOR])
async def test_an_event_of_a_newer_release_waits_for_its_workers(pool: Any, source: str) -> None:
    """However long the older release runs: one goes back to it for days."""
    (event,) = await log_events(pool, "AlbumTransposed", source=source)
    for _ in range(2 * MAX_ATTEMPTS):
        await pool.execute("UPDATE event_status SET due_at = now()")
        await drain(pool).drain()
    found = await status_of(pool, event)
    assert (found["state"], found["attempts"]) == ("waiting", 0)
    assert "this release knows no AlbumTransposed; a newer one does" in found["last_error"]
