"""What is done to Postgres and Valkey: stopped, killed, locked, filled, emptied."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import psutil
from redis.asyncio import Redis

from tests.faults.scene import Scene, every


async def nothing(scene: Scene) -> None:
    await asyncio.sleep(scene.lasts_s)


async def restart_postgres(scene: Scene) -> None:
    await scene.servers.postgres.stop()
    await asyncio.sleep(2)
    await scene.servers.postgres.start()


async def kill_postgres(scene: Scene) -> None:
    await scene.servers.kill_postgres()
    await asyncio.sleep(1)
    await scene.servers.postgres.start()


async def pause_postgres(scene: Scene) -> None:
    """SIGSTOP: connections stay open, and nothing is answered."""
    assert scene.servers.postgres.pid is not None
    postmaster = psutil.Process(scene.servers.postgres.pid)
    paused = [postmaster, *postmaster.children()]
    for process in paused:
        process.suspend()
    try:
        await asyncio.sleep(scene.lasts_s)
    finally:
        for process in paused:
            process.resume()


async def terminate_backends(scene: Scene) -> None:
    async def one() -> None:
        await scene.servers.query(
            scene.servers.databases.admin_dsn,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'",
        )

    await every(1.0, scene.lasts_s, one)


async def hold_locks(scene: Scene) -> None:
    holder = await asyncpg.connect(scene.dsn)
    try:
        await holder.execute("BEGIN")
        await holder.execute("LOCK TABLE events, event_status, commands, acquisitions IN ACCESS EXCLUSIVE MODE")
        await asyncio.sleep(scene.lasts_s)
    finally:
        holder.terminate()


async def exhaust_connections(scene: Scene) -> None:
    """Take every connection that there is, those of the processes too, as soon as they are free."""
    taken: list[Any] = []

    async def fill() -> None:
        while True:
            try:
                taken.append(await asyncpg.connect(scene.dsn))
            except asyncpg.TooManyConnectionsError:
                return

    try:
        await fill()
        mine = [one.get_server_pid() for one in taken]
        terminate = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE NOT pid = ANY ($1) AND application_name LIKE 'reprise %'"
        )
        await scene.servers.query(scene.servers.databases.admin_dsn, terminate, mine)
        await every(0.05, scene.lasts_s, fill)
        scene.notes.append(f"{len(taken)} connections taken")
    finally:
        for one in taken:
            one.terminate()


async def restart_valkey(scene: Scene) -> None:
    await scene.servers.valkey.stop()
    await asyncio.sleep(1)
    await scene.servers.valkey.start()


async def flush_valkey(scene: Scene) -> None:
    async with Redis.from_url(scene.servers.valkey.url) as redis:
        await every(0.3, scene.lasts_s, redis.flushall)


async def swallow_to_valkey(scene: Scene) -> None:
    """The network takes every byte and brings none."""
    assert scene.relay is not None
    scene.relay.swallowing.set()
    await asyncio.sleep(scene.lasts_s)
    scene.relay.swallowing.clear()
    scene.relay.cut()  # what was swallowed is missing in the middle of what they say


async def without_valkey(scene: Scene) -> None:
    await scene.servers.valkey.stop()
    scene.cleanup.push_async_callback(scene.servers.valkey.start)
    await asyncio.sleep(scene.lasts_s)
