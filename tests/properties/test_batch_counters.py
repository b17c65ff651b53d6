"""Batch counters always equal the jobs: after every act, once the counts that it ordered have been made."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.acquisition.acts import act_within
from shared.acquisition.fold import Folding
from shared.acquisition.rollup import roll_up
from shared.acquisition.signals import (
    AlbumDeleted,
    AlbumRef,
    AlbumWish,
    BatchCancelled,
    BatchRequested,
    Imported,
    JobCancelled,
    JobRequested,
    JobRetried,
    Signal,
)
from shared.settings.registry import Settings
from shared.sources import interpret

_ALBUMS = [UUID(int=number) for number in (501, 502, 503)]
_NOW = datetime(2026, 1, 1, tzinfo=UTC)

users = st.sampled_from(["ann", "bob"])
albums = st.integers(0, 2)
nth = st.integers(0, 5)
acts = st.one_of(
    st.tuples(st.just("batch"), users, st.lists(albums, min_size=1, max_size=4), st.sampled_from(["batch", "wanted"])),
    st.tuples(st.just("job"), users, albums, st.none() | nth),
    st.tuples(st.just("cancel"), nth),
    st.tuples(st.just("retry"), nth),
    st.tuples(st.just("cancel batch"), nth, st.none() | st.integers(1, 4)),
    st.tuples(st.just("imported"), albums),
    st.tuples(st.just("deleted"), albums),
)


class _OneConnection:
    """A pool of one connection, whose transaction belongs to the example."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Any]:
        yield self._connection


async def signal_of(act: Any, connection: Any) -> Signal | None:
    """What an act says; jobs and batches are counted in the order in which they came. None where there is none."""
    match act:
        case ("batch", user, which, origin):
            return BatchRequested(user_id=user, albums=tuple(_wish(one) for one in which), origin=origin)
        case ("job", user, which, number):
            batch = None if number is None else await _one_of(connection, "discovery_batches", number)
            return JobRequested(user_id=user, album=_wish(which), batch_id=batch)
        case ("cancel", number):
            job = await _one_of(connection, "download_jobs", number)
            return job and JobCancelled(job_id=job)
        case ("retry", number):
            job = await _one_of(connection, "download_jobs", number)
            return job and JobRetried(job_id=job, reason="once more")
        case ("cancel batch", number, version):
            batch = await _one_of(connection, "discovery_batches", number)
            return batch and BatchCancelled(batch_id=batch, expected_version=version)
        case ("imported", which):
            return Imported(album=AlbumRef(_ALBUMS[which]), at=_NOW)
        case ("deleted", which):
            return AlbumDeleted(album=AlbumRef(_ALBUMS[which]))
    raise AssertionError(act)


def _wish(which: int) -> AlbumWish:
    return AlbumWish(album_mbid=_ALBUMS[which], artist_name="Example Ensemble", album_title=f"Album {which}")


async def _one_of(connection: Any, table: str, number: int) -> Any:
    found = await connection.fetch(f"SELECT id FROM {table} ORDER BY created_at, id")
    return found[number % len(found)]["id"] if found else None


async def counted(connection: Any) -> None:
    """Carry out the counts that are ordered, and compare every batch with its jobs, counted here by hand."""
    ordered = await connection.fetch(
        "UPDATE commands SET state = 'done', finished_at = now() WHERE kind = 'RollUpBatch' AND state = 'waiting' "
        "RETURNING args"
    )
    for row in ordered:
        await roll_up(_OneConnection(connection), UUID(row["args"]["batch_id"]), datetime.now(UTC))  # type: ignore[arg-type]
    for batch in await connection.fetch("SELECT * FROM discovery_batches"):
        jobs = await connection.fetch("SELECT * FROM download_jobs WHERE batch_id = $1", batch["id"])
        states = [_stands([job for job in jobs if job["album_mbid"] == album]) for album in _ALBUMS]
        for state in ("completed", "failed", "cancelled"):
            assert batch[state] == states.count(state), (state, states)
        assert batch["total"] == len({job["album_mbid"] for job in jobs})
        if batch["state"] != "cancelled":  # which stays, though a person opens one of its jobs again
            assert (batch["state"] == "active") == ("open" in states)
        versions = await connection.fetch("SELECT version FROM batch_versions WHERE batch_id = $1", batch["id"])
        assert sorted(row["version"] for row in versions) == list(range(1, batch["version"] + 1))


def _stands(jobs: list[Any]) -> str | None:
    """How an album of a batch counts: by an open job, else by one that is complete, else by the latest."""
    if not jobs:
        return None
    if any(job["finished_at"] is None for job in jobs):
        return "open"
    if any(job["state"] == "completed" for job in jobs):
        return "completed"
    latest = min(jobs, key=lambda job: (-job["finished_at"].timestamp(), job["id"]))
    return str(latest["state"])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=st.lists(acts, max_size=12))
async def test_batch_counters_always_equal_the_jobs(pool: Any, acts: list[Any]) -> None:
    folding = Folding(interpret=interpret, settings=Settings, lidarr=False)
    async with pool.acquire() as connection:
        example = connection.transaction()
        await example.start()
        try:
            for act in acts:
                signal = await signal_of(act, connection)
                if signal is not None:
                    await act_within(connection, folding, signal)
                    await counted(connection)
        finally:
            await example.rollback()
