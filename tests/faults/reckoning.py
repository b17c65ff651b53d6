"""After the fault: what was promised, what is there, and what came out of it at the peer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from reprise.simulator import LidarrSimulator
from reprise.simulator.lidarr.ledger import HistoryType
from shared.acquisition import rebuild
from shared.postgres.pool import create_pool
from shared.sources import interpret
from tests.faults.load import Load, Sent

# Rows of history are read by workers; nobody sent them.
_STORED = """
SELECT id, body, false AS folded FROM events
WHERE source IN ('lidarr', 'slskd') AND type NOT LIKE 'History%'
UNION ALL
SELECT f.id, f.body, true FROM folded_deliveries AS f JOIN events AS e ON e.id = f.event_id
WHERE e.type NOT LIKE 'History%'
"""
# A folded delivery has no state of its own: it is settled with the event that it belongs to.
_SETTLED = """
SELECT event_id FROM event_status WHERE event_id = ANY ($1) AND state IN ('processed', 'ignored')
UNION ALL
SELECT f.id FROM folded_deliveries AS f JOIN event_status AS s ON s.event_id = f.event_id
WHERE f.id = ANY ($1) AND s.state IN ('processed', 'ignored')
"""
_JOBS = "SELECT id, album_mbid, state FROM download_jobs WHERE origin <> 'lidarr'"
_ATTEMPTS = """
SELECT a.album_mbid, count(*) FILTER (WHERE NOT t.foreign_grab) AS own
FROM attempts AS t JOIN acquisitions AS a ON a.id = t.acquisition_id GROUP BY 1
"""
_OPEN = """
SELECT count(*) FILTER (WHERE state = 'parked') AS parked, count(*) FILTER (WHERE state = 'dead') AS dead
FROM event_status
"""


@dataclass(slots=True)
class Reckoning:
    """The figures of one row. `complaints` says in words what they must not be."""

    sent: int = 0
    acknowledged: int = 0
    stored: int = 0
    settled: int = 0
    lost: int = 0
    doubled: int = 0
    asked: int = 0
    done: int = 0
    differences: int = 0
    complaints: list[str] = field(default_factory=list)


async def reckon(dsn: str, load: Load) -> Reckoning:
    """Hold what was sent and answered against what is stored, and against what happened at the simulated Lidarr."""
    sent = load.sent
    found = Reckoning(sent=len(sent), acknowledged=load.acknowledged)
    async with await create_pool(dsn, max_size=2, application_name="reckoning") as pool:
        _deliveries(found, sent, await pool.fetch(_STORED))
        ids = list({one.event_id for one in sent if one.event_id})
        settled = {row["event_id"] for row in await pool.fetch(_SETTLED, ids)}
        found.settled = sum(one.event_id in settled for one in sent)
        row = await pool.fetchrow(_OPEN)
        found.complaints += [f"{count} events {state}" for state, count in row.items() if count]
        if found.settled < found.acknowledged:
            found.complaints.append(f"{found.acknowledged - found.settled} acknowledged deliveries not settled")
        jobs = await pool.fetch(_JOBS)
        _jobs(found, load, jobs)
        if load.lidarr is not None:
            own = {row["album_mbid"]: row["own"] for row in await pool.fetch(_ATTEMPTS)}
            _at_the_peer(found, load.lidarr, own)
            report = await rebuild.check(pool, interpret)
            found.differences = len(report.differences)
            found.complaints += [f"rebuild: {one}" for one in report.differences[:5]]
    return found


def _deliveries(found: Reckoning, sent: Sequence[Sent], stored: Sequence[Any]) -> None:
    bodies = Counter(bytes(row["body"]) for row in stored)
    by_id = {row["id"]: bytes(row["body"]) for row in stored}
    promised = Counter(one.body.content for one in sent if one.acknowledged)
    tried = Counter(one.body.content for one in sent)
    found.stored = len(stored)
    missing = {content: count - bodies[content] for content, count in promised.items() if count > bodies[content]}
    # A duplicate's answer names the first event; all others name the very delivery.
    misplaced = [one for one in sent if one.event_id and not _is_there(one, by_id.get(one.event_id))]
    found.lost = max(sum(missing.values()), len(misplaced))
    if found.lost:
        found.complaints.append(f"lost: {len(misplaced)} by id, {sum(missing.values())} by bytes")
    twice = sum(count - tried[content] for content, count in bodies.items() if count > tried[content])
    own = [one.event_id for one in sent if one.event_id and not one.duplicate]
    twice += len(own) - len(set(own))
    _double(found, twice, "deliveries stored twice")


def _is_there(one: Sent, stored: bytes | None) -> bool:
    return stored is not None and (one.duplicate or stored == one.body.content)


def _jobs(found: Reckoning, load: Load, jobs: Sequence[Any]) -> None:
    """Every job that was promised is there and done. An album that is complete may be asked for again."""
    states = {row["id"]: row["state"] for row in jobs}
    promised = [job for ids in load.asked.values() for job in ids]
    found.asked = sum(bool(ids) for ids in load.asked.values())
    found.done = sum(bool(ids) and all(states.get(job) == "completed" for job in ids) for ids in load.asked.values())
    lost = sum(job not in states for job in promised)
    if lost:
        found.lost += lost
        found.complaints.append(f"lost: {lost} jobs")
    if found.done < found.asked:
        rest = Counter(states.get(job, "absent") for job in promised)
        found.complaints.append(f"jobs: {dict(rest)}")
    made = Counter(row["album_mbid"] for row in jobs)
    _double(found, sum(max(0, count - load.asks[album]) for album, count in made.items()), "jobs that nobody asked for")


def _at_the_peer(found: Reckoning, lidarr: LidarrSimulator, own_attempts: dict[UUID, int]) -> None:
    """Each result that is there once too often: an album added twice, searched twice an attempt, imported twice."""
    adds = Counter(
        str(call.body["foreignAlbumId"])
        for call in lidarr.calls
        if (call.method, call.path, call.status) == ("POST", "/api/v1/album", 201)
    )
    _double(found, _beyond(adds, lambda _: 1), "albums added twice")
    ids = {album.id: album.mbid for album in lidarr.world.library.albums.values()}
    searches = Counter(
        ids[album_id]
        for command in lidarr._commands.all.values()
        if command.name == "AlbumSearch" and command.trigger == "manual"
        for album_id in command.body["albumIds"]
    )
    _double(found, _beyond(searches, lambda mbid: own_attempts.get(UUID(mbid), 0)), "searches beyond the attempts")
    imports = Counter(
        row.album.mbid for row in lidarr.world.ledger.history if row.type is HistoryType.DOWNLOAD_IMPORTED
    )
    _double(found, _beyond(imports, lambda _: 1), "albums imported twice")


def _beyond(counts: Counter[str], allowed: Callable[[str], int]) -> int:
    return sum(max(0, count - allowed(name)) for name, count in counts.items())


def _double(found: Reckoning, count: int, what: str) -> None:
    if count:
        found.doubled += count
        found.complaints.append(f"doubled: {count} {what}")
