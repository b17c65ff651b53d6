"""The short form of the fault matrix; `make faults` plays all of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.faults import to_processes, to_servers
from tests.faults.fleet import servers
from tests.faults.load import Pace
from tests.faults.scene import Row, Scene, play


async def kill_worker_and_forget(scene: Scene) -> None:
    """A worker is killed while Valkey forgets everything."""
    await to_servers.flush_valkey(scene)
    await to_processes.kill_worker(scene)


ROWS = [
    Row("SIGKILL of the receiver", to_processes.kill_receiver),
    Row("SIGKILL of Postgres", to_servers.kill_postgres),
    Row("SIGKILL of a worker, and FLUSHALL", kill_worker_and_forget),
]


@pytest.mark.long
async def test_nothing_is_lost_and_nothing_doubled(tmp_path: Path) -> None:
    """Neither by a killed receiver, nor by a killed Postgres, nor by a killed worker."""
    failures = {}
    async with servers() as both:
        for number, row in enumerate(ROWS):
            folder = tmp_path / str(number)
            folder.mkdir()
            short = replace(row, lasts_s=2.0, around_s=1.0, pace=Pace(deliveries=60))
            outcome = await play(short, both, folder)
            failures[row.name] = outcome.failures
            assert outcome.reckoning.acknowledged, "nothing was tested"
    assert failures == {row.name: [] for row in ROWS}
