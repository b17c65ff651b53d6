"""Do what a person asks for on the database in use, as the API would, and wake the workers for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reprise.cli.database import config_in_use, pooled

if TYPE_CHECKING:
    from shared.acquisition.fold import Folding
    from shared.postgres.pool import Pool


@dataclass(frozen=True, slots=True)
class Desk:
    """What an act needs."""

    pool: Pool
    folding: Folding


@asynccontextmanager
async def at_desk() -> AsyncIterator[Desk]:
    """A desk with the settings in force. When the work is done the workers are told, if Redis is there."""
    from shared.acquisition.fold import Folding
    from shared.redis import RedisLink
    from shared.settings.feed import SettingsFeed
    from shared.sources import interpret
    from shared.taskqueue import WakeUps
    from shared.telemetry.logging import configure_logging

    config = config_in_use()
    # What the fleet would say of its own day's work is no answer to a person.
    configure_logging(config if config.log_level == "debug" else replace(config, log_level="error"), "command")
    async with pooled(config) as pool:
        feed = SettingsFeed(pool)
        await feed.refresh()
        yield Desk(pool, Folding(interpret=interpret, settings=feed.current, lidarr=config.lidarr_url is not None))
    if config.redis_url is None:
        return
    link = RedisLink(config.redis_url)
    try:
        wake_ups = WakeUps(link)
        wake_ups.offer("drain")
        wake_ups.offer("execute")
        await wake_ups.close()
    finally:
        await link.close()
