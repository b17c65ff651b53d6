"""Whether a source's webhooks still reach us, judged by whether they told what its history shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import structlog

from shared.acquisition.commands import WakeLidarr, coalesce_key
from shared.postgres.pool import Connection, Pool
from shared.postgres.queries import load
from shared.sources.lidarr import WEBHOOK_TYPES
from worker.observe.timed import Cursor, PeerName

# A webhook that is on its way for longer than this won't come.
TOLD_WITHIN = timedelta(seconds=60)
# Rows of Lidarr's history that never come without a webhook, if the connection is set up as we do it.
_ALWAYS_TOLD = frozenset({"grabbed", "downloadImported"})

_Q = load("observe")
_COMMANDS = load("commands")
log = structlog.get_logger("worker.observe")


async def lidarr_is_silent(pool: Pool, history: Iterable[Mapping[str, Any]], cursor: Cursor) -> bool | None:
    """Whether no webhook has come since the newest thing that should have been told; None where nothing tells."""
    if cursor.observed_until is None:
        return None  # what happened before we were connected couldn't be told
    dates = [msgspec.convert(row["date"], datetime) for row in history if row.get("eventType") in _ALWAYS_TOLD]
    due = [date for date in dates if date <= cursor.at - TOLD_WITHIN]
    if not due:
        return None
    since = max(due) - TOLD_WITHIN
    # Ids are time: the least one of that moment is a lower bound.
    least = UUID(int=int(since.timestamp() * 1000) << 80)
    told: bool = await pool.fetchval(_Q["told_since"], "lidarr", sorted(WEBHOOK_TYPES), least, since)
    return not told


def slskd_is_silent(arrivals: Iterable[tuple[datetime, bool]], cursor: Cursor, *, every: timedelta) -> bool | None:
    """Whether the newest arrival that a webhook should have told (when, whether one did) wasn't told.

    Only what has come due since the look before is judged, and only if that look wasn't too long ago (every): what came
    while we were away couldn't be told to us.
    """
    if cursor.observed_at is None or cursor.at - cursor.observed_at > 2 * every + TOLD_WITHIN:
        return None
    lately = [(at, told) for at, told in arrivals if at > cursor.observed_at - TOLD_WITHIN]
    judged = [(at, told) for at, told in lately if told or at <= cursor.at - TOLD_WITHIN]
    return None if not judged else not max(judged)[1]


async def note_silence(connection: Connection, peer: PeerName, silent: bool | None) -> None:
    """Keep what was found. A Lidarr that has fallen silent is to test its connection to us: that ends its back-off, in
    which it drops every webhook."""
    if silent is None or not await connection.fetchval(_Q["set_silent"], peer, silent):
        return
    log.warning("source.silent" if silent else "source.tells_again", source=peer)
    if silent and peer == "lidarr":
        wake = WakeLidarr()
        await connection.execute(_COMMANDS["order_by_clock"], uuid4(), type(wake).__name__, coalesce_key(wake), wake)
