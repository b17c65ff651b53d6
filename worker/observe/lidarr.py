"""Read Lidarr's history from where we left off, and append what is new as events."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from shared.eventlog.event import Delivery
from shared.eventlog.identity import peer_id, uuid7
from shared.postgres.pool import Connection, Pool
from shared.postgres.queries import load
from shared.sources.lidarr import HISTORY_TYPES, history_identity
from worker.clients.lidarr import LidarrClient
from worker.effects.effect import Found

_Q = load("observe")
_NAME = "lidarr"
_ONE_FILE = "trackFileImported"
# Rows are numbered in the order of their writing, but a row may be committed after a later one; both overlaps are
# cheap, because what is known is not appended again.
_OVERLAP = timedelta(minutes=10)


async def observe_lidarr(pool: Pool, lidarr: LidarrClient) -> Found:
    """Every row of history that a rule may need and that isn't in the log yet, grabs first.

    Grabs first, because only a numbered grab tells which attempt a numbered failure belongs to. The cursor is a
    date of Lidarr's own clock; it moves in the transaction that appends the rows.
    """
    since = await _since(pool)
    rows = worth_keeping(await lidarr.history_rows_since(since))
    known = {row["key"] for row in await pool.fetch(_Q["known_keys"], _NAME, [_key(row) for row in rows])}
    fresh = sorted((row for row in rows if _key(row) not in known), key=_grabs_first)
    deliveries = tuple(_delivery(row) for row in fresh)

    async def move_cursor(connection: Connection) -> None:
        until = max((_date(row) for row in rows), default=since)
        newest = max((row["id"] for row in rows), default=None)
        await connection.execute(_Q["move_cursor"], _NAME, peer_id(_NAME), until, newest)

    return Found(deliveries=deliveries, also=move_cursor)


def worth_keeping(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows that a rule may need. Of an import's many rows, one a file, the newest stands for all,
    and none is needed beside the row of the import as a whole."""
    kept = [row for row in rows if row.get("eventType") in HISTORY_TYPES and row.get("album")]
    whole = {_import_of(row) for row in kept if row["eventType"] == "downloadImported"}
    newest: dict[tuple[int, str], int] = {}
    for row in kept:
        if row["eventType"] == _ONE_FILE:
            newest[_import_of(row)] = max(row["id"], newest.get(_import_of(row), 0))
    return [
        row
        for row in kept
        if row["eventType"] != _ONE_FILE or (_import_of(row) not in whole and newest[_import_of(row)] == row["id"])
    ]


def _import_of(row: dict[str, Any]) -> tuple[int, str]:
    return row["albumId"], row.get("downloadId", "")


async def _since(pool: Pool) -> datetime:
    """Where to begin. The first look ever begins with the oldest thing under way, not with Lidarr's own history."""
    cursor = await pool.fetchrow(_Q["cursor"], _NAME)
    if cursor and cursor["observed_until"]:
        begin: datetime = cursor["observed_until"]
    else:
        begin = await pool.fetchval(_Q["oldest_active"]) or datetime.now(UTC)
    return begin - _OVERLAP


def _grabs_first(row: dict[str, Any]) -> tuple[bool, int]:
    return row["eventType"] != "grabbed", row["id"]


def _key(row: dict[str, Any]) -> str:
    return history_identity(row).dedupe_key or ""


def _date(row: dict[str, Any]) -> datetime:
    return msgspec.convert(row["date"], datetime)


def _delivery(row: dict[str, Any]) -> Delivery:
    identity = history_identity(row)
    return Delivery(
        id=uuid7(),
        source=_NAME,
        type=identity.type,
        body=msgspec.json.encode(row),
        received_at=datetime.now(UTC),
        dedupe_key=identity.dedupe_key,
        correlation_id=identity.correlation_id,
    )
