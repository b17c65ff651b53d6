"""Bring the schema up in the background, while the receiver listens already."""

from __future__ import annotations

import asyncio

import structlog

from shared.config import Migrate, Secret
from shared.errors import RepriseError
from shared.postgres.migrate import Pending, bring_up

_log = structlog.get_logger("ingest.schema")

_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 2.0
# Until a person has mended it; trying costs something.
_LONGEST_REFUSED_S = 10.0
# A server that takes the connection and then says nothing; waiting for another process's migration isn't bounded here.
_ATTEMPT_LIMIT_S = 600.0


class Schema:
    """Whether this release's schema is in place, and what stands in its way."""

    def __init__(self, database_url: Secret, *, how: Migrate = "auto") -> None:
        self._database_url = database_url
        self._how = how
        self._ready = asyncio.Event()
        self.says = "not looked at yet"

    @property
    def ready(self) -> bool:
        return self._ready.is_set()

    async def wait(self) -> None:
        """Return once the schema is in place."""
        await self._ready.wait()

    async def bring_up(self) -> None:
        """Migrate, and try again for as long as Postgres is away. What is wrong is said once, not at every try."""
        pause_s = _FIRST_PAUSE_S
        while not self.ready:
            try:
                async with asyncio.timeout(_ATTEMPT_LIMIT_S):
                    found = await bring_up(self._database_url.reveal(), self._say, how=self._how)
            except Exception as error:  # noqa: BLE001 - logged, and tried again: the spool keeps what comes meanwhile
                problem = f"{type(error).__name__}: {error}"
                if problem != self.says:
                    # One of ours (an altered migration) needs a person; anything else usually passes.
                    say = _log.error if _needs_a_person(error) else _log.warning
                    say("schema.not_ready", error=problem)
                    self.says = problem
                await asyncio.sleep(pause_s)
                longest_s = _LONGEST_REFUSED_S if _needs_a_person(error) else _LONGEST_PAUSE_S
                pause_s = min(pause_s * 2, longest_s)
            else:
                self.says = f"up to date at {len(found.applied)} migrations"
                self._ready.set()

    def _say(self, line: str) -> None:
        _log.info("schema.migrating", says=line)
        self.says = line


def _needs_a_person(error: Exception) -> bool:
    return isinstance(error, RepriseError) and not isinstance(error, Pending)
