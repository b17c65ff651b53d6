"""Read Lidarr's history from where we left off, and append what is new; read its queue, and time what it does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from shared.acquisition.findings import DownloadVanished
from shared.acquisition.signals import Signal
from shared.acquisition.store import make_peers
from shared.eventlog.event import Delivery
from shared.eventlog.identity import uuid7
from shared.postgres.pool import Connection
from shared.postgres.queries import load
from shared.sources.lidarr import HISTORY_TYPES, history_identity
from worker.clients.lidarr import LidarrClient
from worker.effects.effect import Found, Tools
from worker.observe.pace import at_most
from worker.observe.queue import Queue, blindness
from worker.observe.silence import lidarr_is_silent, note_silence
from worker.observe.timed import PeerName, Timed, cursor_of, deadline, put_on_watches, timed_at
from worker.observe.watch import ABSENT, Passed, limits_of

_Q = load("observe")
_NAME: PeerName = "lidarr"
_ONE_FILE = "trackFileImported"
# Rows are numbered in the order of their writing, but a row may be committed after a later one; both overlaps are
# cheap, because what is known is not appended again.
_OVERLAP = timedelta(minutes=10)
# Lidarr fills its queue anew every minute, and after its own start only then.
_GONE_FOR = timedelta(seconds=90)


async def observe_lidarr(tools: Tools) -> Found:
    """Every row of history that a rule may need and that isn't in the log yet, grabs first.

    Grabs first, because only a numbered grab tells which attempt a numbered failure belongs to. The cursor is a
    date of Lidarr's own clock; it moves in the transaction that appends the rows, and what is timed is counted there.
    """
    pool, lidarr = tools.pool, tools.need_lidarr()
    cursor = await cursor_of(pool, _NAME)
    timed = await timed_at(pool, _NAME)
    items = await lidarr.queue() if timed else ()
    # After the queue: a download that left it meanwhile has its end in the history.
    begin = cursor.observed_until or await pool.fetchval(_Q["oldest_active"]) or datetime.now(UTC)
    # Not beyond now: by a row from the future (Lidarr's clock was wrong once) all others would seem to be read.
    since = min(begin, cursor.at) - _OVERLAP
    history = await lidarr.history_rows_since(since)
    queue = await _with_excuses(Queue(items=items, history=history), timed, lidarr)
    rows = worth_keeping(history)
    silent = await lidarr_is_silent(pool, rows, cursor)
    known = {row["key"] for row in await pool.fetch(_Q["known_keys"], _NAME, [_key(row) for row in rows])}
    fresh = sorted((row for row in rows if _key(row) not in known), key=_grabs_first)

    async def note(connection: Connection) -> tuple[Signal, ...]:
        until = min(max((_date(row) for row in rows), default=since), cursor.at)
        newest = max((row["id"] for row in rows), default=None)
        await make_peers(connection, [_NAME])
        await connection.execute(_Q["move_cursor"], _NAME, until, newest)
        await note_silence(connection, _NAME, silent)
        limits, most = limits_of(tools.settings(), absent=_GONE_FOR), at_most(_NAME)
        passed = await put_on_watches(connection, timed, queue.reading, cursor.at, at_most=most, limits=limits)
        return tuple(_signal(*one) for one in passed)

    return Found(deliveries=tuple(_delivery(row) for row in fresh), also=note)


async def _with_excuses(queue: Queue, timed: Sequence[Timed], lidarr: LidarrClient) -> Queue:
    """The queue with what excuses Lidarr for showing less than there is; asked for only where something is missing."""
    if not any(queue.lacks(one) for one in timed):
        return queue
    follows = (await lidarr.download_client_config()).enable_completed_download_handling
    return replace(queue, blind=blindness(await lidarr.health()), follows=follows)


def _signal(one: Timed, passed: Passed) -> Signal:
    if passed.phase == ABSENT:
        return DownloadVanished(acquisition_id=one.acquisition_id, attempt=one.number, readings=passed.readings)
    return deadline(one, passed)


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
