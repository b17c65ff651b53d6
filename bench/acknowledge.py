"""Acknowledged webhooks a second and how long one takes, beside the plain service and pgbench, round by round."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

import asyncpg

from bench import pgbench, plain_service
from bench.load import Order, Round
from bench.pgbench import Rows
from bench.servers import SECRET, Servers
from bench.sizes import Size, size_of
from reprise.standalone.process import spawn
from tests.harness.processes import Processes, clean_environment, free_port
from tests.harness.waiting import until

_AT_MOST_PER_S = 10_000
# Postgres takes 100 connections; a service shares a few among many clients, pgbench can't.
_MOST_PGBENCH_CLIENTS = 32


@dataclass(slots=True)
class Acknowledged:
    """All rounds at one number of connections; the n-th of each list ran right after one another."""

    connections: int
    reprise: list[Round] = field(default_factory=list)
    plain: list[Round] = field(default_factory=list)
    rows: list[Rows] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The rounds, and what the receiver takes of memory before and after them."""

    rounds: list[Acknowledged]
    at_rest: Size
    after: Size


async def measure(servers: Servers, *, connections: tuple[int, ...], rounds: int, seconds: float) -> Outcome:
    """Let the receiver, the plain service and pgbench take turns."""
    found = [Acknowledged(count) for count in connections]
    folder = servers.layout.data_dir / "processes"
    folder.mkdir(exist_ok=True)
    async with servers.database("acknowledge") as dsn, _plain(dsn, folder) as plain_port:
        processes = Processes(servers.config(dsn, name="receiver"), folder)
        try:
            receiver = await processes.ingest()
            at_rest = size_of(receiver.pid)
            port = int(receiver.url.rpartition(":")[2])
            serial = 1
            for _ in range(rounds):
                for each in found:
                    for taken, of in ((each.reprise, port), (each.plain, plain_port)):
                        order = _order(of, each.connections, seconds, serial)
                        taken.append(await _load(order))
                        serial += order.prepared
                    clients = min(each.connections, _MOST_PGBENCH_CLIENTS)
                    whole = max(1, round(seconds))
                    each.rows.append(
                        await pgbench.run(dsn, servers.layout, clients=clients, seconds=whole, serial=serial)
                    )
            return Outcome(found, at_rest, size_of(receiver.pid))
        finally:
            await processes.end_all()


def _order(port: int, connections: int, seconds: float, serial: int) -> Order:
    return Order(
        port=port,
        path="/webhooks/lidarr",
        header=f"X-Webhook-Secret: {SECRET}",
        connections=connections,
        seconds=seconds,
        first_serial=serial,
        prepared=max(connections * 2, int(_AT_MOST_PER_S * seconds)),
    )


async def _load(order: Order) -> Round:
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.load"), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await child.communicate(json.dumps(asdict(order)).encode())
    found = Round(**json.loads(said))
    if found.refused:
        raise RuntimeError(f"{found.refused} deliveries were refused: these figures would be of something else")
    return found


@asynccontextmanager
async def _plain(dsn: str, folder: Path) -> AsyncIterator[int]:
    """The plain service on its port, with its table."""
    connection = await asyncpg.connect(dsn)
    for table in (plain_service.TABLE, pgbench.TABLE):
        await connection.execute(table)
    await connection.close()
    port = free_port()
    with (folder / "plain.log").open("wb") as log:
        child = spawn(
            "plain service",
            [sys.executable, "-m", "bench.plain_service", dsn, str(port)],
            env=clean_environment(),
            death_signal=signal.SIGKILL,
            output=log,
        )
    try:
        await until(partial(_listens, port), what="the plain service listens")
        yield port
    finally:
        await child.stop((signal.SIGKILL, None))


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
