"""An event that kills its worker's process is found out, and harms only itself."""

from __future__ import annotations

import asyncio
import signal
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from reprise.standalone.process import spawn
from shared.config import Config
from shared.eventlog.event import EventState, Settlement
from shared.eventlog.store import settle
from tests.harness.processes import Processes, clean_environment, environ_of
from tests.harness.waiting import until
from tests.worker.workshop import log_events, status_of
from worker import runs

SCRIPT = Path(__file__).with_name("poisoned_worker.py")


async def dies(config: Config, folder: Path) -> None:
    """Run the poisoned worker until the poison has killed it."""
    with (folder / "worker.log").open("ab") as output:
        child = spawn(
            "worker",
            [sys.executable, str(SCRIPT)],
            env=clean_environment() | environ_of(config) | {"PYTHONPATH": str(Path.cwd())},
            death_signal=signal.SIGKILL,
            output=output,
        )
    try:
        await until(lambda: child.exit_code is not None, what="the worker to be killed")
        assert child.exit_code == -signal.SIGKILL, (folder / "worker.log").read_text()[-2000:]
    finally:
        await child.stop((signal.SIGKILL, None))


async def test_it_is_dead_after_three_workers_and_the_others_go_on(
    pool: Any, config: Config, processes: Processes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "SUSPECT_AFTER", timedelta(0))
    ids = await log_events(pool, "Test", "Test", "Poison", "Test")
    for deaths in range(1, runs.DEADLY_AFTER + 2):
        await dies(config, tmp_path)
        assert await until(lambda: runs.rescue(pool), what="another worker to notice") == (4 if deaths == 1 else 1)
        others = [await status_of(pool, one) for one in ids if one != ids[2]]
        assert {row["attempts"] for row in others} == {0}
    assert {row["state"] for row in others} == {"ignored"}
    dead = await status_of(pool, ids[2])
    assert (dead["state"], dead["attempts"]) == ("dead", runs.DEADLY_AFTER)
    assert "vanished while folding it alone" in dead["reason"]
    assert not await pool.fetchval("SELECT count(*) FROM fold_runs")

    # The cure is a release that can read it, and a person's retry.
    await processes.worker()
    await pool.execute(
        "UPDATE event_status SET state = 'waiting', attempts = 0, settled_at = NULL, due_at = now()"
        " WHERE event_id = $1",
        ids[2],
    )

    async def healed() -> bool:
        return bool((await status_of(pool, ids[2]))["state"] == "ignored")

    await until(healed, what="the retried event to be folded")


async def spent(pool: Any, event_id: UUID, attempts: int, error: str) -> None:
    """As if it had failed so often by itself."""
    async with pool.acquire() as connection:
        again = Settlement(
            event_id, EventState.WAITING, last_error=error, attempts=attempts, due_at=datetime.now(UTC), alone=True
        )
        await settle(connection, [again])


async def test_one_vanished_worker_is_not_blamed_on_an_event_that_failed_otherwise(
    pool: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "SUSPECT_AFTER", timedelta(0))
    (event,) = await log_events(pool, "Test")
    await spent(pool, event, 5, "a bug")
    for vanished, state in ((1, "waiting"), (2, "dead")):
        await pool.execute("INSERT INTO fold_runs (id, event_ids) VALUES (gen_random_uuid(), $1)", [event])
        assert await runs.rescue(pool) == 1
        row = await status_of(pool, event)
        assert (row["state"], row["attempts"]) == (state, 5 + vanished)


async def test_a_fold_that_takes_long_is_nobody_who_vanished(pool: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "SUSPECT_AFTER", timedelta(0))
    (event,) = await log_events(pool, "Test")
    async with pool.acquire() as connection, connection.transaction():
        await connection.fetch("SELECT 1 FROM event_status WHERE event_id = $1 FOR UPDATE", event)
        async with runs.noted(pool, connection, [event]):
            found = await asyncio.gather(*(runs.rescue(pool) for _ in range(3)))
            assert found == [0, 0, 0]
            assert await pool.fetchval("SELECT count(*) FROM fold_runs") == 1
    assert not await pool.fetchval("SELECT count(*) FROM fold_runs")
    row = await status_of(pool, event)
    assert (row["attempts"], row["alone"]) == (0, False)
