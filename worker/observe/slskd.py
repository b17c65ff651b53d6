"""Read slskd's events from where we left off, and append what is new; read its transfers, and time what they do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from shared.acquisition.findings import TransfersFailed
from shared.acquisition.model import AttemptState
from shared.acquisition.signals import Signal
from shared.acquisition.store import make_peers
from shared.eventlog.event import Delivery, Identity
from shared.eventlog.identity import uuid7_named
from shared.postgres.pool import Connection, Pool
from shared.postgres.queries import load
from shared.sources.slskd import identify
from worker.clients.slskd_answers import Application, EventRow
from worker.effects.effect import Found, Tools
from worker.observe.pace import at_most
from worker.observe.silence import note_silence, slskd_is_silent
from worker.observe.slskd_events import Part, begin, read_part
from worker.observe.timed import PeerName, Timed, cursor_of, deadline, put_on_watches, timed_at
from worker.observe.transfers import Arrivals, Transfers
from worker.observe.watch import ABSENT, FAILED, Passed, limits_of

_Q = load("observe")
_NAME: PeerName = "slskd"
_ARRIVAL = "DownloadFileComplete"
_GONE_FOR = timedelta(seconds=30)


async def observe_slskd(tools: Tools) -> Found:
    """Every event that slskd keeps and that isn't in the log yet; and how the attempts at Soulseek stand.

    The cursor is a time of slskd's own clock; it moves in the transaction that appends the events, and what is timed is
    counted there. With more events than one look reads, the next look goes on.
    """
    pool, slskd = tools.pool, tools.need_slskd()
    cursor = await cursor_of(pool, _NAME)
    timed = await timed_at(pool, _NAME)
    slskd_now = await slskd.application() if timed else Application()
    downloading = any(one.state is AttemptState.DOWNLOADING for one in timed)
    transfers = await slskd.downloads() if downloading else ()
    # After the transfers: the event of one that has succeeded there is kept by now, or never will be.
    oldest = min((one.started_at for one in timed), default=None)
    part = await read_part(slskd, await begin(slskd, cursor, oldest), cursor.observed_until)
    standing = Transfers(transfers, _arrivals(part), release=slskd_now.release, logged_in=slskd_now.server.is_logged_in)
    events = await _identified(pool, part.fresh)
    every = timedelta(seconds=tools.settings().observe_interval)
    told = [(event.row.at, event.told) for event in events if event.row.type == _ARRIVAL and event.row.at]
    silent = slskd_is_silent(told, cursor, every=every)

    async def note(connection: Connection) -> tuple[Signal, ...]:
        await make_peers(connection, [_NAME])
        await connection.execute(_Q["move_cursor"], _NAME, part.cursor(cursor.at), None)
        await note_silence(connection, _NAME, silent)
        limits, most = limits_of(tools.settings(), absent=_GONE_FOR), at_most(_NAME)
        passed = await put_on_watches(connection, timed, standing.reading, cursor.at, at_most=most, limits=limits)
        return tuple(_signal(*one) for one in passed)

    unknown = [event for event in events if not event.known]
    return Found(deliveries=_deliveries(unknown), also=note)


def _arrivals(part: Part) -> Arrivals:
    """The files that these events tell of, by their transfer and by their name."""
    told = [_transfer(row) for row in part.rows if row.type == _ARRIVAL]
    return Arrivals(
        transfers=frozenset(str(one.get("id")) for one in told),
        names=frozenset((str(one.get("username")), str(one.get("filename"))) for one in told),
        read_from=part.since,
        up_to_date=part.up_to_date,
    )


def _transfer(row: EventRow) -> Mapping[str, Any]:
    whole = row.whole()
    transfer = whole.get("transfer")
    return {"filename": whole.get("remoteFilename")} | (transfer if isinstance(transfer, dict) else {})


class _Event(NamedTuple):
    """An event that slskd keeps, and whether it's in the log; told: a webhook has brought it."""

    row: EventRow
    identity: Identity
    body: bytes
    known: bool
    told: bool


async def _identified(pool: Pool, rows: Iterable[EventRow]) -> list[_Event]:
    """The events, each as a webhook would have brought it; those without an id are left out: nobody could know them."""
    bodies = [(row, msgspec.json.encode(row.whole())) for row in rows]
    found = [(row, identify({}, body), body) for row, body in bodies]
    keys = [identity.dedupe_key for _, identity, _ in found if identity.dedupe_key]
    first = {row["key"]: row for row in await pool.fetch(_Q["first_events"], _NAME, keys)}
    events = []
    for row, identity, body in found:
        if identity.dedupe_key:
            known = first.get(identity.dedupe_key)
            told = known is not None and (known["repeated"] or not _is_ours(known["event_id"], row))
            events.append(_Event(row, identity, body, known is not None, told))
    return events


def _id_of(row: EventRow, at_ms: int) -> UUID:
    """The id under which a look appends an event: it shows that no webhook did."""
    return uuid7_named(at_ms, f"slskd observed {row.id}")


def _is_ours(event_id: UUID, row: EventRow) -> bool:
    return _id_of(row, event_id.int >> 80) == event_id


def _deliveries(events: Sequence[_Event]) -> tuple[Delivery, ...]:
    """The events on their way into the log, in the order in which they happened."""
    now = datetime.now(UTC)
    at_ms = int(now.timestamp() * 1000)
    return tuple(
        Delivery(
            id=_id_of(event.row, at_ms + place),
            source=_NAME,
            type=event.identity.type,
            body=event.body,
            received_at=now,
            dedupe_key=event.identity.dedupe_key,
            correlation_id=event.identity.correlation_id,
        )
        for place, event in enumerate(events)
    )


def _signal(one: Timed, passed: Passed) -> Signal:
    """What failed for good, or never came, ends the attempt as failed by its transfers; the rest is a deadline."""
    reading = passed.reading
    if passed.phase in {FAILED, ABSENT} or (passed.phase == "materialise" and reading.files):
        return TransfersFailed(
            acquisition_id=one.acquisition_id, attempt=one.number, reason=reading.detail[:500], files=reading.files
        )
    return deadline(one, passed)
