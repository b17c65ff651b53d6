"""Run the receiver until it is told to stop."""

from __future__ import annotations

import asyncio
import gc
import resource
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from aiohttp import web

from ingest.api import add_api
from ingest.app import AddRoutes, build_app, open_parts
from ingest.doorstep import DoorstepRunner
from ingest.not_http import keep_out_of_the_log
from ingest.problems import Handler
from shared.config import Config
from shared.errors import Unavailable

_log = structlog.get_logger("ingest")

GRACE_S = 10.0
_HANG_UP_S = 1.0
# Longer than the minute for which .NET (Lidarr, slskd) keeps an idle connection: so it's never us who close one that
# they are about to use.
KEEP_ALIVE_S = 75.0
_BACKLOG = 2048
_DESCRIPTORS = 65_536
# What a request leaves behind is freed by reference counting; looking for cycles after every 700 new objects, as
# Python does, took an eighth of the receiver's time at 256 connections (little at 32, where less is alive at once).
_COLLECT_EVERY = 20_000
# What stands beside the receiver on its port.
FACES: tuple[AddRoutes, ...] = (add_api,)


async def serve(config: Config) -> None:
    """Serve until SIGTERM or SIGINT, then finish what was begun, for at most GRACE_S.

    Raises ConfigError for a config that can't work, and Unavailable when the port can't be had.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    _allow_many_connections()
    try:
        async with listening(config, *FACES) as port:
            gc.freeze()
            gc.set_threshold(_COLLECT_EVERY)
            _log.info("ingest.ready", host=config.host, port=port)
            await stop.wait()
            _log.info("ingest.stopping")
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
    _log.info("ingest.stopped")


@asynccontextmanager
async def listening(config: Config, *add: AddRoutes) -> AsyncIterator[int]:
    """The receiver on its port, whose number is yielded; port 0 takes any free one."""
    keep_out_of_the_log()
    async with open_parts(config) as parts:
        app = build_app(parts, *add)
        under_way = UnderWay(app)
        runner = DoorstepRunner(
            app,
            access_log=None,
            keepalive_timeout=KEEP_ALIVE_S,
            shutdown_timeout=_HANG_UP_S,
            # The exact bytes, whatever Content-Encoding claims; and what zlib finds cut off it reads as empty.
            auto_decompress=False,
        )
        await runner.setup()
        try:
            try:
                await web.TCPSite(runner, config.host, config.port, backlog=_BACKLOG).start()
            except OSError as error:
                reason = error.strerror or error
                raise Unavailable(f"can't listen on {config.host}:{config.port} ({reason})") from error
            yield runner.addresses[0][1]
        finally:
            for site in runner.sites:
                await site.stop()
            # Not left to aiohttp: from the moment its shutdown begins it drops what still comes in of a body.
            await under_way.finished(within_s=GRACE_S)
            await runner.cleanup()


class UnderWay:
    """Counts the requests that were begun and not answered yet."""

    def __init__(self, app: web.Application) -> None:
        self._count = 0
        self._none = asyncio.Event()
        self._none.set()

        @web.middleware
        async def counted(request: web.Request, handler: Handler) -> web.StreamResponse:
            self._count += 1
            self._none.clear()
            try:
                return await handler(request)
            finally:
                self._count -= 1
                if not self._count:
                    self._none.set()

        app.middlewares.insert(0, counted)

    async def finished(self, *, within_s: float) -> None:
        """Return once there is none, or when the time is over."""
        try:
            async with asyncio.timeout(within_s):
                await self._none.wait()
        except TimeoutError:
            _log.warning("ingest.unfinished", requests=self._count)


def _allow_many_connections() -> None:
    """Take as many descriptors as the system lets us have, so that idle clients don't keep a delivery out."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _DESCRIPTORS)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
