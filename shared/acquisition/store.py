"""Lock, load and save what a fold works on, many rows to a statement. Typed functions over acquisition.sql."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any
from uuid import UUID

import msgspec

from shared.acquisition.candidate import WantedFile
from shared.acquisition.commands import AFTER_THE_END, coalesce_key
from shared.acquisition.model import Acquisition, Attempt, AttemptState, Job, State
from shared.acquisition.workspace import Batch, Decision, Peer, Placed, Workspace
from shared.errors import StaleVersion
from shared.eventlog.identity import peer_id
from shared.postgres.pool import Connection
from shared.postgres.queries import load

_Q = load("acquisition")
# Postgres' table of locks has room for about 64 a connection, shared by all: a pack of thousands must not fill it.
MOST_KEYS = 1000
_GATE = 0x7265707269736532


async def hold_still(connection: Connection, keys: Iterable[str]) -> None:
    """Until the transaction ends no other fold touches these albums and downloads."""
    numbers = {int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), signed=True) for key in keys}
    if len(numbers) > MOST_KEYS:
        await connection.execute(_Q["hold_all_still"], _GATE)
    else:
        await connection.execute(_Q["hold_still"], sorted(numbers), _GATE)


async def job_homes(
    connection: Connection, jobs: Sequence[UUID], batches: Sequence[UUID]
) -> list[tuple[UUID, UUID, UUID]]:
    """(job, acquisition, album) of these jobs and of every job of these batches."""
    return [tuple(row) for row in await connection.fetch(_Q["jobs_homes"], list(jobs), list(batches))]


async def decided_before(connection: Connection, events: Sequence[UUID]) -> dict[UUID, frozenset[UUID]]:
    """The subjects that each of these events has been decided about."""
    rows = await connection.fetch(_Q["decided_before"], list(events))
    return {
        event: frozenset(row["subject_id"] for row in rows if row["event_id"] == event)
        for event in {row["event_id"] for row in rows}
    }


async def lock_acquisitions(
    connection: Connection,
    *,
    albums: Sequence[UUID],
    downloads: Sequence[str],
    ids: Sequence[UUID],
    users: Sequence[str] = (),
) -> list[Acquisition]:
    """Lock, in id order, every acquisition a signal might be about, and load it whole.

    users are those on Soulseek from whom a file came: what is being downloaded from them may be meant.
    """
    concerned = await connection.fetch(_Q["concerned"], list(albums), list(downloads), list(ids), list(users))
    if not concerned:
        return []
    wanted = [row["id"] for row in concerned]
    return await _whole(connection, await connection.fetch(_Q["lock_acquisitions"], wanted))


async def read_acquisitions(connection: Connection, ids: Sequence[UUID]) -> list[Acquisition]:
    """These acquisitions whole, in id order, without locking them."""
    return await _whole(connection, await connection.fetch(_Q["read_acquisitions"], list(ids)))


async def _whole(connection: Connection, rows: Sequence[Any]) -> list[Acquisition]:
    wanted = [row["id"] for row in rows]
    attempts = {
        home: tuple(_attempt(row) for row in group)
        for home, group in groupby(await connection.fetch(_Q["attempts_of"], wanted), lambda row: row[0])
    }
    jobs = {
        home: tuple(Job(**{**row, "state": State(row["state"])}) for row in group)
        for home, group in groupby(await connection.fetch(_Q["jobs_of"], wanted), lambda row: row["acquisition_id"])
    }
    return [
        Acquisition(
            **{**row, "state": State(row["state"])},
            attempts=attempts.get(row["id"], ()),
            jobs=jobs.get(row["id"], ()),
        )
        for row in rows
    ]


def _attempt(row: Any) -> Attempt:
    fields = dict(row)
    del fields["acquisition_id"]
    files = msgspec.convert(fields["files"], tuple[WantedFile, ...])
    return Attempt(**{**fields, "state": AttemptState(fields["state"]), "files": files})


async def lock_batches(connection: Connection, ids: Sequence[UUID]) -> list[Batch]:
    """Lock and load these batches, in id order."""
    return [Batch(**row) for row in await connection.fetch(_Q["lock_batches"], list(ids))]


async def make_peers(connection: Connection, names: Sequence[str]) -> None:
    """See to it that there is a row for each of these peers."""
    await connection.execute(_Q["make_peers"], names, [peer_id(name) for name in names])


async def lock_peers(connection: Connection, names: Iterable[str]) -> list[Peer]:
    """Lock and load these peers, made where they are new."""
    wanted = sorted(names)
    await make_peers(connection, wanted)
    return [Peer(**row) for row in await connection.fetch(_Q["lock_peers"], wanted)]


async def save(connection: Connection, work: Workspace) -> None:
    """Write down everything that the fold changed. Batches first: jobs point to them."""
    for batch in sorted(work.batches.values(), key=lambda one: one.id):
        if batch is not work.stored_batches.get(batch.id):
            await save_batch(connection, batch, before=work.stored_batches.get(batch.id), cause="request")
    changed = work.changed()
    if changed:
        await _save_acquisitions(connection, changed, work)
    for peer in work.peers.values():
        await connection.execute(_Q["save_peer"], peer.name, peer.sequence)
    if work.decisions:
        await _save_decisions(connection, work.decisions)
    if work.orders:
        await _save_commands(connection, work.orders)
    # Afterwards, so that what this same fold ordered before it ended an acquisition isn't carried out.
    over = [one.id for one in changed if not one.is_active]
    if over:
        await connection.execute(_Q["cancel_commands"], over, list(AFTER_THE_END))


async def save_batch(connection: Connection, batch: Batch, *, before: Batch | None, cause: str) -> None:
    """Insert a batch or commit its next version. Raises StaleVersion if somebody else committed one first."""
    values = (batch.state, batch.version, batch.total, batch.completed, batch.failed, batch.cancelled)
    saved = await connection.fetchval(
        _Q["save_batch"],
        *(batch.id, batch.user_id, batch.label, *values, batch.created_at, batch.finished_at, batch.sequence),
        before.version if before else batch.version,
    )
    if saved is None:
        raise StaleVersion(f"batch {batch.id} has moved on from version {before.version if before else batch.version}")
    if before is None or batch.version != before.version:
        await connection.execute(
            _Q["save_batch_version"],
            *(batch.id, batch.version, batch.state, batch.total, batch.completed, batch.failed, batch.cancelled),
            cause,
        )


def _columns(rows: Sequence[msgspec.Struct], *names: str) -> list[list[Any]]:
    """The rows as one array a column, in the order of names."""
    return [[getattr(row, name) for row in rows] for name in names]


async def _save_acquisitions(connection: Connection, changed: Sequence[Acquisition], work: Workspace) -> None:
    await connection.execute(
        _Q["save_acquisitions"],
        *_columns(
            changed,
            *("id", "album_mbid", "artist_mbid", "artist_name", "album_title", "origin", "state", "reason"),
            *("budget_from", "lidarr_album_id", "history_floor", "sequence", "created_at", "updated_at", "finished_at"),
        ),
        [len(one.attempts) for one in changed],
        [one.budget_spent for one in changed],
    )
    stored = {one.id: work.stored.get(one.id) for one in changed}
    attempts = [
        (one.id, attempt)
        for one in changed
        for attempt in one.attempts
        if not (before := stored[one.id]) or attempt not in before.attempts
    ]
    if attempts:
        await connection.execute(
            _Q["save_attempts"],
            [home for home, _ in attempts],
            *_columns(
                [attempt for _, attempt in attempts],
                *("number", "source", "state", "started_at", "foreign_grab", "download_id", "release_title"),
                *("indexer", "size_bytes", "files_arrived", "grab_seen", "grab_history_id", "end_history_id"),
                *("reason", "grabbed_at", "finished_at", "searched_at", "peer", "folder", "files", "leftovers"),
            ),
        )
    jobs = [job for one in changed for job in one.jobs if not (before := stored[one.id]) or job not in before.jobs]
    # One that is over makes room for the next like it, in the index of active ones.
    jobs.sort(key=lambda job: job.is_active)
    if jobs:
        await connection.execute(
            _Q["save_jobs"],
            *_columns(
                jobs,
                *("id", "user_id", "origin", "album_mbid", "artist_name", "album_title", "batch_id"),
                *("acquisition_id", "state", "created_at", "reason", "finished_at"),
            ),
        )


async def _save_decisions(connection: Connection, decisions: Sequence[Decision]) -> None:
    await connection.execute(
        _Q["save_decisions"],
        *_columns(
            decisions,
            *("subject_id", "sequence", "subject_kind", "event_id", "signal", "decided_at", "settings_version"),
            *("rules_version", "outcome", "reason", "before_state", "after_state"),
        ),
        [msgspec.json.encode(one.changes).decode() for one in decisions],
        [msgspec.json.encode(one.context).decode() for one in decisions],
    )


async def _save_commands(connection: Connection, orders: Sequence[Placed]) -> None:
    soonest: dict[str, Placed] = {}
    for placed in sorted(orders, key=lambda one: one.order.delay_s, reverse=True):
        soonest[coalesce_key(placed.order.command) or str(placed.id)] = placed
    rows = [soonest[key] for key in sorted(soonest)]
    commands = [row.order.command for row in rows]
    await connection.execute(
        _Q["save_commands"],
        [row.id for row in rows],
        [type(command).__name__ for command in commands],
        [getattr(command, "acquisition_id", None) for command in commands],
        [getattr(command, "attempt", None) for command in commands],
        [coalesce_key(command) for command in commands],
        commands,
        [row.event_id for row in rows],
        [row.order.delay_s for row in rows],
    )
