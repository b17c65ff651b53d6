"""Both sides: a database of Lidify's shape, and ours, with `reprise adopt` between them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from reprise.adoption.report import AdoptionReport
from reprise.adoption.run import Asked, adopt
from shared.acquisition import rebuild
from shared.acquisition.fold import Folding
from shared.settings.registry import Settings
from shared.sources import interpret
from tests.reprise.adoption.lidify import Lidify, built

Adopt = Callable[..., Awaitable[AdoptionReport]]

# What isn't a clock reading of ours, nor an id minted by the clock: the end state that every way there must share.
STATE = {
    "events": "SELECT id, source, type, received_at, correlation_id, body FROM events WHERE source <> 'operator'",
    "statuses": """SELECT s.event_id, s.state, s.reason, s.last_error, s.attempts FROM event_status AS s
        JOIN events AS e ON e.id = s.event_id WHERE e.source <> 'operator'""",
    "own": "SELECT type, correlation_id, count(*) FROM events WHERE source = 'operator' GROUP BY 1, 2",
    "acquisitions": """SELECT id, album_mbid, artist_name, album_title, origin, state, reason, sequence
        FROM acquisitions""",
    "attempts": "SELECT acquisition_id, number, source, state, download_id FROM attempts",
    "jobs": """SELECT id, user_id, origin, album_mbid, artist_name, album_title, batch_id, acquisition_id, state,
        reason, created_at FROM download_jobs""",
    "batches": "SELECT id, user_id, label, state, version, total, completed, failed, cancelled FROM discovery_batches",
    "versions": "SELECT batch_id, version, state, total, completed, failed, cancelled, cause FROM batch_versions",
    "settings": "SELECT name, value FROM settings",
}


def folding() -> Folding:
    """As the command makes it, with Lidarr configured."""
    return Folding(interpret=interpret, settings=Settings, lidarr=True)


async def end_state(pool: Any) -> dict[str, list[str]]:
    """Everything that an adoption leaves here, but for the clock."""
    return {name: sorted(repr(tuple(row)) for row in await pool.fetch(statement)) for name, statement in STATE.items()}


async def differences(pool: Any) -> list[str]:
    """What `reprise rebuild --check` finds."""
    return (await rebuild.check(pool, interpret)).differences


@pytest.fixture
async def theirs(empty_database: str) -> AsyncIterator[Lidify]:
    """Their database, with empty tables."""
    found = await built(empty_database)
    try:
        yield found
    finally:
        await found.connection.close()


@pytest.fixture
def bring(pool: Any, theirs: Lidify) -> Adopt:
    """`await bring(resume=True)`: one run of an adoption."""

    async def run(**asked: Any) -> AdoptionReport:
        say = asked.pop("say", lambda line: None)
        return await adopt(pool, folding(), Asked(**({"url": theirs.dsn} | asked)), say)

    return run
