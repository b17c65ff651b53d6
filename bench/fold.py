"""Events a second folded from a backlog: by a worker process, by the drain alone, and by a fold that does nothing."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from bench.backlog import backlog, lay_up
from bench.servers import Servers
from bench.sizes import Size, size_of
from shared.acquisition.fold import Folding
from shared.acquisition.reading import Interpret
from shared.acquisition.signals import Unheeded
from shared.postgres.pool import create_pool
from shared.settings.registry import Settings
from shared.sources import interpret
from tests.harness.processes import Processes
from tests.harness.waiting import until
from worker.drain import Drain

_POLL_S = 0.1
_WITHIN_S = 300.0
# Between the first settled batch and the last; when the worker noticed the backlog is no part of it. The first batch
# is told by its transaction, and left out: its time isn't known.
_PROGRESS = """\
SELECT count(*) FILTER (WHERE settled_at IS NOT NULL OR state = 'parked') AS done,
    count(*) FILTER (WHERE state = 'dead') AS dead,
    count(*) FILTER (WHERE settled_at IS NOT NULL AND s.xmin <> first.batch) AS later,
    extract(epoch FROM max(settled_at) - min(settled_at))::float8 AS seconds
FROM event_status AS s, (SELECT xmin AS batch FROM event_status ORDER BY settled_at NULLS LAST LIMIT 1) AS first
"""


@dataclass(slots=True)
class Outcome:
    """Events a second, a round each, and what the worker takes of memory before and after its backlog."""

    worker: list[float] = field(default_factory=list)
    drain: list[float] = field(default_factory=list)
    with_orders: list[float] = field(default_factory=list)
    nothing: list[float] = field(default_factory=list)
    at_rest: Size | None = None
    after: Size | None = None


async def measure(servers: Servers, *, events: int, rounds: int) -> Outcome:
    """Fold the same backlog, in a fresh database each time, in turns."""
    found = Outcome()
    for _ in range(rounds):
        await _by_worker(servers, events, found)
        found.drain.append(await _by_drain(servers, events, interpret, lidarr=False))
        found.with_orders.append(await _by_drain(servers, events, interpret, lidarr=True))
        found.nothing.append(await _by_drain(servers, events, lambda event: Unheeded("nothing"), lidarr=False))
    return found


async def _by_worker(servers: Servers, events: int, found: Outcome) -> None:
    """A real worker process, with its log lines and metrics; it waits already when the backlog appears."""
    folder = servers.layout.data_dir / "processes"
    folder.mkdir(exist_ok=True)
    async with servers.database("fold") as dsn:
        processes = Processes(servers.config(dsn, name="worker"), folder)
        connection = await asyncpg.connect(dsn)
        try:
            worker = await processes.worker()
            await until(lambda: "worker.ready" in worker.output(), what="the worker is ready")
            found.at_rest = size_of(worker.pid)
            await lay_up(dsn, backlog(events))
            progress = await _settled(connection, events)
            found.worker.append(progress["later"] / progress["seconds"])
            found.after = size_of(worker.pid)
        finally:
            await processes.end_all()
            await connection.close()


async def _settled(connection: Any, events: int) -> Any:
    async with asyncio.timeout(_WITHIN_S):
        while True:
            progress = await connection.fetchrow(_PROGRESS)
            if progress["dead"]:
                raise RuntimeError(f"{progress['dead']} events are dead: these figures would be of something else")
            if progress["done"] >= events:
                return progress
            await asyncio.sleep(_POLL_S)


async def _by_drain(servers: Servers, events: int, meaning: Interpret, *, lidarr: bool) -> float:
    """The drain in this process, without log lines; lidarr: the fold orders commands, which nobody carries out."""
    async with servers.database("fold") as dsn:
        await lay_up(dsn, backlog(events))
        async with await create_pool(dsn, min_size=2) as pool:
            drain = Drain(pool, Folding(interpret=meaning, settings=Settings, lidarr=lidarr), lambda kind: None)
            began = time.perf_counter()
            await drain.drain()
            took = time.perf_counter() - began
    return events / took
