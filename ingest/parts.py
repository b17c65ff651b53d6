"""What the receiver's process is made of, for those who add faces to it."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from ingest.intake import Intake
from shared.config import Config
from shared.postgres.pool import Pool
from shared.redis import RedisLink
from shared.settings.feed import SettingsFeed
from shared.taskqueue import WakeUps


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Made before anything listens; nothing here has to be connected yet.

    pool is for the API and the dashboard (the receiver has connections of its own) and connects when it is first used.
    """

    config: Config
    pool: Pool
    redis: RedisLink
    wake_ups: WakeUps
    settings: SettingsFeed
    intake: Intake


PARTS = web.AppKey("parts", Parts)
