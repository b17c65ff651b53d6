"""Keep a process's settings current: look at the version often, and at the values when it has moved.

Polled rather than notified: LISTEN needs a connection of its own, and PgBouncer breaks it.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import asyncpg
import structlog
from msgspec.structs import replace

from shared.errors import InvalidInput
from shared.postgres.faults import POSTGRES_FAULTS
from shared.postgres.pool import Pool, lent
from shared.settings import store
from shared.settings.environment import settings_from
from shared.settings.registry import REGISTRY, Settings

Origin = Literal["default", "environment", "set"]

# A change must be in force everywhere within a second.
POLL_S = 0.5
_LIMIT_S = 5.0

_log = structlog.get_logger("settings")


class SettingsFeed:
    """The settings in force. Without Postgres the last known ones hold, at first those of the environment."""

    def __init__(self, pool: Pool, environ: Mapping[str, str] | None = None) -> None:
        """Raises ConfigError when a REPRISE_SETTING_* variable can't be used. Connects to nothing."""
        self._pool = pool
        self._environment = settings_from(os.environ if environ is None else environ)
        self._settings = replace(Settings(), **self._environment)
        self._origins = self._origins_with({})
        self._away = False
        self._reading = asyncio.Lock()

    def current(self) -> Settings:
        """The values in force now."""
        return self._settings

    def origin(self, name: str) -> Origin:
        """Where the value of a setting comes from."""
        return self._origins[name]

    async def run(self) -> None:
        """Refresh for ever; that Postgres is away is said once, and once when it is back."""
        while True:
            try:
                await self.refresh()
            except (*POSTGRES_FAULTS, asyncpg.PostgresError) as error:
                if not self._away:
                    _log.warning("settings.not_read", error=f"{type(error).__name__}: {error}")
                self._away = True
            else:
                if self._away:
                    _log.info("settings.read_again", version=self._settings.version)
                self._away = False
            await asyncio.sleep(POLL_S)

    async def refresh(self) -> None:
        """Read the settings if they have changed. Raises what asyncpg raises."""
        # One at a time, so that a slower read can't bring back older values.
        async with self._reading, lent(self._pool, within_s=_LIMIT_S) as connection:
            if await store.version(connection) == self._settings.version:
                return
            self._take(await store.read(connection))

    def _take(self, stored: store.Stored) -> None:
        fitting = dict(_fitting(stored.values))
        self._origins = self._origins_with(fitting)
        self._settings = replace(Settings(), version=stored.version, **{**self._environment, **fitting})
        _log.info("settings.changed", version=stored.version, set=sorted(fitting))

    def _origins_with(self, values: Mapping[str, Any]) -> dict[str, Origin]:
        return {
            name: "set" if name in values else "environment" if name in self._environment else "default"
            for name in REGISTRY
        }


def _fitting(stored: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """What this release can use; another may know more settings, or other ranges."""
    for name, value in stored.items():
        setting = REGISTRY.get(name)
        if setting is None:
            continue
        try:
            yield name, setting.read(value)
        except InvalidInput as error:
            _log.warning("settings.unusable", setting=name, error=error.message)
