"""The log and the fold on real Postgres, driven by hand: post what peers send, fold it in any portions, look at it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from shared.acquisition.acts import Act, act, own_delivery
from shared.acquisition.commands import AFTER_THE_END
from shared.acquisition.fold import Folded, Folding
from shared.acquisition.rebuild import check
from shared.acquisition.signals import Signal
from shared.eventlog.event import REPRISE, Appended, Delivery, Identity
from shared.eventlog.identity import uuid7
from shared.eventlog.store import append, claim
from shared.settings.registry import Settings
from shared.sources import SOURCES, interpret
from shared.sources.lidarr import history_identity


def webhook(body: bytes, source: str = "lidarr") -> Delivery:
    """A body as the receiver would append it."""
    found = SOURCES[source].identify({}, body)
    return _delivery(source, found, body)


def row_of_history(row: dict[str, Any]) -> Delivery:
    """A row of Lidarr's history as the observer would append it."""
    return _delivery("lidarr", history_identity(row), json.dumps(row).encode())


def _delivery(source: str, found: Identity, body: bytes) -> Delivery:
    return Delivery(
        id=uuid7(),
        source=source,
        type=found.type,
        body=body,
        received_at=datetime.now(UTC),
        dedupe_key=found.dedupe_key,
        correlation_id=found.correlation_id,
    )


def own(signal: Signal) -> Delivery:
    """What one of our own effects found."""
    return own_delivery(signal, source=REPRISE)


class Ledger:
    """One database's log, folded by hand."""

    def __init__(self, pool: Any, *, lidarr: bool, slskd: bool = False, **settings: Any) -> None:
        """settings: those that differ from the defaults."""
        self.pool = pool
        self.settings = replace(Settings(), **settings)
        self.folding = Folding(interpret=interpret, settings=lambda: self.settings, lidarr=lidarr, slskd=slskd)

    async def post(self, *deliveries: Delivery) -> list[Appended]:
        async with self.pool.acquire() as connection:
            return await append(connection, deliveries)

    async def ask(self, signal: Signal) -> Act:
        """A person's act."""
        return await act(self.pool, self.folding, signal)

    async def fold(self, limit: int = 200) -> Folded | None:
        """Fold one batch of what is due, in one transaction; None if nothing is."""
        async with self.pool.acquire() as connection, connection.transaction():
            events = await claim(connection, limit=limit)
            return await self.folding.fold(connection, events) if events else None

    async def drain(self, limits: Sequence[int] = (200,)) -> None:
        """Fold until nothing is due, in batches of these sizes in turn."""
        turn = 0
        while await self.fold(limits[turn % len(limits)]):
            turn += 1
            assert turn < 500, "some event is folded again and again"

    async def tell(self, *deliveries: Delivery) -> None:
        """Post and fold, one event after the other."""
        for delivery in deliveries:
            await self.post(delivery)
            await self.drain()

    async def attempts(self) -> list[tuple[str, str | None]]:
        """(state, download id) of every attempt."""
        rows = await self.pool.fetch("SELECT state, download_id FROM attempts ORDER BY started_at, number")
        return [tuple(row) for row in rows]

    async def jobs(self) -> list[tuple[str, str]]:
        """(user, state) of every job."""
        return [tuple(row) for row in await self.pool.fetch("SELECT user_id, state FROM download_jobs ORDER BY 1, 2")]

    async def events(self) -> dict[str, list[str]]:
        """The states of the events, by type."""
        found: dict[str, list[str]] = {}
        for row in await self.pool.fetch("SELECT type, state FROM event_history ORDER BY id"):
            found.setdefault(row["type"], []).append(row["state"])
        return found

    async def commands(self, *states: str) -> list[str]:
        """The kinds of the commands, or of those in these states."""
        return [
            row["kind"]
            for row in await self.pool.fetch(
                "SELECT kind FROM commands WHERE state = ANY ($1) ORDER BY kind", list(states or ("waiting",))
            )
        ]

    async def value(self, query: str, *args: object) -> Any:
        return await self.pool.fetchval(query, *args)

    async def is_sound(self) -> None:
        """What is true of every database at rest, whatever was folded and how."""
        faults = {name: [tuple(row.values()) for row in await self.pool.fetch(query)] for name, query in _NEVER.items()}
        assert {name: rows for name, rows in faults.items() if rows} == {}
        report = await check(self.pool, interpret)
        assert [one for one in report.differences if "counters differ" not in one] == [], "the log says otherwise"


_NEVER = {
    "decisions of a subject leave a gap": """
        SELECT subject_id, count(*), min(sequence), max(sequence) FROM decisions GROUP BY 1
        HAVING min(sequence) <> 1 OR max(sequence) <> count(*)""",
    "an event was decided twice about one subject": """
        SELECT event_id, subject_id, count(*) FROM decisions GROUP BY 1, 2 HAVING count(*) > 1""",
    "an acquisition's sequence isn't that of its latest decision": """
        SELECT a.id, a.sequence FROM acquisitions AS a
        WHERE a.sequence IS DISTINCT FROM (SELECT max(sequence) FROM decisions WHERE subject_id = a.id)""",
    "decisions don't hang together": """
        SELECT subject_id, sequence FROM (
            SELECT *, lag(after_state) OVER (PARTITION BY subject_id ORDER BY sequence) AS was
            FROM decisions WHERE subject_kind = 'acquisition') AS d
        WHERE before_state IS DISTINCT FROM was""",
    "the latest decision says another state": """
        SELECT a.id, a.state, d.after_state FROM acquisitions AS a
        JOIN decisions AS d ON d.subject_id = a.id AND d.sequence = a.sequence WHERE d.after_state <> a.state""",
    "an open job stands elsewhere than its acquisition": """
        SELECT j.id, j.state, a.state FROM download_jobs AS j JOIN acquisitions AS a ON a.id = j.acquisition_id
        WHERE j.finished_at IS NULL AND j.state <> a.state""",
    "an acquisition is over but not its job": """
        SELECT j.id, j.state, a.state FROM download_jobs AS j JOIN acquisitions AS a ON a.id = j.acquisition_id
        WHERE a.finished_at IS NOT NULL AND j.finished_at IS NULL""",
    "an acquisition is over but not its attempt": """
        SELECT t.acquisition_id, t.number FROM attempts AS t JOIN acquisitions AS a ON a.id = t.acquisition_id
        WHERE a.finished_at IS NOT NULL AND t.finished_at IS NULL""",
    "attempts are not counted": """
        SELECT a.id FROM acquisitions AS a
        WHERE attempt_count <> (SELECT count(*) FROM attempts WHERE acquisition_id = a.id)""",
    "an event is parked for an album that is being got": """
        SELECT s.event_id, s.waits_for FROM event_status AS s
        JOIN acquisitions AS a ON 'album:' || a.album_mbid = ANY (s.waits_for) AND a.finished_at IS NULL""",
    "an event is parked for a download that is bound": """
        SELECT s.event_id, s.waits_for FROM event_status AS s
        JOIN events AS e ON e.id = s.event_id AND e.type IN ('Download', 'DownloadFailure')
        JOIN attempts AS t ON 'download:' || lower(t.download_id) = ANY (s.waits_for)
        JOIN acquisitions AS a ON a.id = t.acquisition_id
        WHERE e.type = 'DownloadFailure' OR 'album:' || a.album_mbid = ANY (s.waits_for)""",
    "a settled event had no reason and no decision": """
        SELECT s.event_id FROM event_status AS s
        WHERE s.state = 'processed' AND NOT EXISTS (SELECT 1 FROM decisions AS d WHERE d.event_id = s.event_id)""",
    "an ignored event doesn't say why": """
        SELECT event_id FROM event_status WHERE state = 'ignored' AND coalesce(reason, '') = ''""",
    "a command waits for an acquisition that is over": f"""
        SELECT c.id, c.kind FROM commands AS c JOIN acquisitions AS a ON a.id = c.acquisition_id
        WHERE c.state = 'waiting' AND a.finished_at IS NOT NULL AND c.kind NOT IN {AFTER_THE_END}""",
    "a watched album is driven": """
        SELECT c.id, c.kind FROM commands AS c JOIN acquisitions AS a ON a.id = c.acquisition_id
        WHERE a.origin = 'lidarr' AND c.kind NOT IN ('CheckAlbum', 'ObservePeer')
            AND NOT EXISTS (SELECT 1 FROM download_jobs AS j WHERE j.acquisition_id = a.id AND j.origin <> 'lidarr')""",
    "what failed may be tried again": """
        SELECT t.acquisition_id, t.number FROM attempts AS t JOIN acquisitions AS a ON a.id = t.acquisition_id
        WHERE t.state = 'failed' AND t.peer IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM blocklist AS b
            WHERE (b.album_mbid, b.source, b.peer, b.folder) = (a.album_mbid, t.source, t.peer, t.folder))""",
    "an attempt at Soulseek is over and its transfers aren't": """
        SELECT t.acquisition_id, t.number FROM attempts AS t
        WHERE t.peer IS NOT NULL AND t.finished_at IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM commands AS c
            WHERE (c.kind, c.acquisition_id, c.attempt) = ('DropTransfers', t.acquisition_id, t.number))""",
    "a batch's latest version isn't what the batch says": """
        SELECT b.id FROM discovery_batches AS b LEFT JOIN batch_versions AS v
            ON v.batch_id = b.id AND v.version = b.version
        WHERE (v.state, v.total, v.completed, v.failed, v.cancelled)
            IS DISTINCT FROM (b.state, b.total, b.completed, b.failed, b.cancelled)""",
    "a batch's versions leave a gap": """
        SELECT batch_id, count(*), max(version) FROM batch_versions GROUP BY 1
        HAVING count(*) <> max(version) OR min(version) <> 1""",
}
