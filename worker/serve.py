"""Run one worker until it is told to stop."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import structlog

from shared.acquisition.fold import Folding
from shared.cache import Cache
from shared.config import Config, Migrate
from shared.errors import ConfigError, ConfigFault, Unavailable
from shared.locks import Locks
from shared.postgres.faults import POSTGRES_FAULTS
from shared.postgres.migrate import Pending, bring_up
from shared.postgres.pool import Pool, create_pool
from shared.redis import RedisLink
from shared.settings.feed import SettingsFeed
from shared.sources import interpret
from shared.taskqueue import Kind, WakeUps, run_queue
from shared.telemetry.exposition import start_metrics_server
from worker.clients.lidarr import LidarrClient
from worker.clients.slskd import SlskdClient
from worker.drain import Drain
from worker.effects.effect import Tools
from worker.execute import Executor
from worker.sweep import Sweep

log = structlog.get_logger("worker")

# Shorter than the 30 s that compose gives, so that we end by ourselves.
GRACE_S = 20.0
_CONNECTIONS = 10
_RETRY_S = 1.0
_LONGEST_S = 10.0
# What a fold leaves behind is freed by reference counting; Python looks for cycles after every 700 new objects.
_COLLECT_EVERY = 20_000


async def serve(config: Config) -> None:
    """Work until SIGTERM or SIGINT; then claim nothing more, and give what runs GRACE_S to end.

    Raises ConfigError for a config that can't work.
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    async with working(config, stopping=stopping) as worker:
        gc.freeze()
        gc.set_threshold(_COLLECT_EVERY)
        log.info("worker.ready", metrics_port=worker.metrics_port)
        await stopping.wait()
        log.info("worker.stopping")
    log.info("worker.stopped")


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker at work; settings is None while it waits for its first connection to Postgres."""

    metrics_port: int
    settings: SettingsFeed | None = None


@asynccontextmanager
async def working(config: Config, *, stopping: asyncio.Event) -> AsyncIterator[Worker]:
    """A worker at work within the block. Setting stopping ends the claiming."""
    if config.database_url is None:
        fault = ConfigFault("DATABASE_URL", "is unset", "Name a Postgres, or use `reprise up`, which brings its own")
        raise ConfigError([fault])
    async with AsyncExitStack() as stack:
        server = await start_metrics_server(config.host, config.metrics_port)
        stack.push_async_callback(server.close)
        pool = await _open_pool(config.database_url.reveal(), config.migrate, stopping)
        if pool is None:
            yield Worker(server.port)
            return
        stack.push_async_callback(_close_pool, pool)
        link = RedisLink(config.redis_url)
        stack.push_async_callback(link.close)
        wake_ups = WakeUps(link)
        stack.push_async_callback(wake_ups.close)
        feed = SettingsFeed(pool)
        following = asyncio.create_task(feed.run(), name="settings")
        stack.push_async_callback(_end, following)
        lidarr = None
        if config.lidarr_url and config.lidarr_api_key:
            lidarr = LidarrClient(config.lidarr_url, config.lidarr_api_key)
            stack.push_async_callback(lidarr.close)
        slskd = None
        if config.slskd_url and config.slskd_api_key:
            slskd = SlskdClient(config.slskd_url, config.slskd_api_key)
            stack.push_async_callback(slskd.close)
        folding = Folding.under(config, interpret=interpret, settings=feed.current)
        drain: Drain
        executor: Executor

        def offer(kind: Kind) -> None:
            """Wake this process at once, and whichever other worker is free."""
            (drain if kind == "drain" else executor).wake()
            wake_ups.offer(kind)

        drain = Drain(pool, folding, offer)
        executor = Executor(
            Tools(pool=pool, lidarr=lidarr, slskd=slskd, settings=feed.current, cache=Cache(link)),
            Locks(link, pool),
            offer,
        )
        sweep = Sweep(pool, offer, settings=feed.current, lidarr=lidarr is not None, slskd=slskd is not None)
        fleet = asyncio.create_task(_run_all(link, drain, executor, sweep, stopping), name="fleet")
        try:
            yield Worker(server.port, feed)
        finally:
            stopping.set()
            await fleet


async def _run_all(link: RedisLink, drain: Drain, executor: Executor, sweep: Sweep, stopping: asyncio.Event) -> None:
    """Everything that a worker does at once, ended in order: no new claims, then what runs, then the sweep."""
    sweeping = asyncio.create_task(sweep.run(), name="sweep")
    executing = asyncio.create_task(executor.run(), name="executor")
    draining = asyncio.create_task(drain.run(), name="drain")
    queue = asyncio.create_task(
        run_queue(link, {"drain": drain.woken, "execute": executor.woken}, stopping=stopping), name="queue"
    )
    ended = asyncio.create_task(stopping.wait(), name="stopping")
    await asyncio.wait([ended, sweeping, executing, draining, queue], return_when=asyncio.FIRST_COMPLETED)
    if not stopping.is_set():
        # A worker that only seems to work is worse than none: whoever supervises it starts another.
        log.critical("worker.gives_up", reason="a part of it ended; the next lines say which")
        stopping.set()
    drain.stop()
    executor.stop()
    sweeping.cancel()
    _, late = await asyncio.wait([executing, draining, queue], timeout=GRACE_S)
    if late:
        log.warning("worker.grace_over", tasks=[task.get_name() for task in late])
        for task in late:
            task.cancel()
    results = await asyncio.gather(sweeping, executing, draining, queue, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception):
            log.error("worker.task_failed", exc_info=result)


async def _open_pool(dsn: str, how: Migrate, stopping: asyncio.Event) -> Pool | None:
    """Connect and migrate, waiting for Postgres as long as it takes; None when told to stop meanwhile."""
    said, pause_s, longest_s = "", _RETRY_S, _RETRY_S
    while not stopping.is_set():
        try:
            await bring_up(dsn, log.info, how=how)
            return await create_pool(dsn, min_size=0, max_size=_CONNECTIONS, application_name="reprise worker")
        except (*POSTGRES_FAULTS, Unavailable) as error:
            if type(error).__name__ != said:
                log.warning("worker.waits_for_postgres", error=repr(error))
                said, pause_s = type(error).__name__, _RETRY_S
            # A schema that is refused, or a migration that fails, waits for a person, and costs something each time.
            refused = isinstance(error, Unavailable) and not isinstance(error, Pending)
            longest_s = _LONGEST_S if refused else _RETRY_S
        try:
            async with asyncio.timeout(pause_s):
                await stopping.wait()
        except TimeoutError:
            pause_s = min(pause_s * 2, longest_s)
    return None


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def _close_pool(pool: Pool) -> None:
    try:
        async with asyncio.timeout(5):
            await pool.close()
    except TimeoutError:
        pool.terminate()
