"""Put the receiver's process together: its parts and their life, the routes, and what others add."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

from aiohttp import web

from ingest.appender import LANES, Appender, Lane
from ingest.authentication import Doorkeeper
from ingest.draining import Drain
from ingest.health import Health
from ingest.intake import Intake
from ingest.parts import PARTS, Parts
from ingest.problems import as_problems
from ingest.receiver import MAX_BODY_BYTES, Receiver
from ingest.schema import Schema
from ingest.spool import Spool
from shared.config import Config
from shared.errors import ConfigError, ConfigFault
from shared.postgres.pool import Pool, create_pool
from shared.redis import RedisLink
from shared.settings.feed import SettingsFeed
from shared.taskqueue import WakeUps

AddRoutes = Callable[[web.Application, Parts], None]

_API_CONNECTIONS = 10
_CLOSING_S = 2.0


@asynccontextmanager
async def open_parts(config: Config) -> AsyncIterator[Parts]:
    """Make the parts and start what works in the background. Connects to nothing before it yields.

    Raises ConfigError without a database, or for a REPRISE_SETTING_* that can't be used; that Postgres is away is no
    error.
    """
    if config.database_url is None:
        fault = ConfigFault("DATABASE_URL", "is unset", "Name a Postgres, or use `reprise up`, which brings its own")
        raise ConfigError([fault])
    dsn = config.database_url.reveal()
    redis = RedisLink(config.redis_url)
    wake_ups = WakeUps(redis)
    # No connection at first: create_pool would wait for a Postgres that is away.
    pool = await create_pool(dsn, min_size=0, max_size=_API_CONNECTIONS, application_name="reprise api")
    own = await create_pool(
        dsn, min_size=0, max_size=LANES + 1, application_name="reprise receiver", command_timeout=None
    )
    settings = SettingsFeed(pool)
    following = asyncio.create_task(settings.run(), name="settings")
    spool = Spool(config.data_dir / "spool")
    on_appended = partial(_offer, wake_ups)
    drain = Drain(spool, Lane(own), on_appended=on_appended)
    appender = Appender(own, on_appended=on_appended, patience_s=lambda: settings.current().spool_after / 1000)
    intake = Intake(appender, spool, drain, Schema(config.database_url, how=config.migrate))
    await intake.open()
    try:
        yield Parts(config=config, pool=pool, redis=redis, wake_ups=wake_ups, settings=settings, intake=intake)
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        await intake.close()
        await wake_ups.close()
        await redis.close()
        await asyncio.gather(_close(pool), _close(own))


def build_app(parts: Parts, *add: AddRoutes) -> web.Application:
    """The application with the receiver, health and metrics, and the routes that each of add brings."""
    app = web.Application(middlewares=[as_problems], client_max_size=MAX_BODY_BYTES + 1)
    app[PARTS] = parts
    doorkeeper = Doorkeeper([parts.config.webhook_secret, parts.config.webhook_secret_old])
    app.add_routes(Receiver(doorkeeper, parts.intake).routes())
    app.add_routes(Health(parts).routes())
    for each in add:
        each(app, parts)
    return app


async def _close(pool: Pool) -> None:
    try:
        async with asyncio.timeout(_CLOSING_S):
            await pool.close()
    except TimeoutError:
        pool.terminate()


def _offer(wake_ups: WakeUps) -> None:
    wake_ups.offer("drain")
