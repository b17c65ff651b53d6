"""Batches: counted exactly under concurrency, every version kept, cancelled only at the version that was seen."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace

from shared.acquisition.rebuild import check
from shared.acquisition.rollup import roll_up
from shared.acquisition.signals import (
    AlbumDeleted,
    AlbumRef,
    AlbumWish,
    BatchCancelled,
    BatchRequested,
    JobCancelled,
    JobRequested,
    JobRetried,
)
from shared.acquisition.store import lock_batches, save_batch
from shared.errors import NotFound, StaleVersion
from shared.postgres.pool import create_pool
from tests.shared.acquisition.cast import Cast
from tests.shared.acquisition.ledger import Ledger

USER = "ann"


def wishes(count: int) -> tuple[AlbumWish, ...]:
    return tuple(AlbumWish(album_mbid=uuid4(), artist_name="Artist", album_title=f"Album {n}") for n in range(count))


async def opened(ledger: Ledger, albums: tuple[AlbumWish, ...]) -> UUID:
    await ledger.ask(BatchRequested(user_id=USER, albums=albums, label="mine"))
    found: UUID = await ledger.value("SELECT id FROM discovery_batches ORDER BY created_at DESC LIMIT 1")
    return found


async def counted(ledger: Ledger, batch: UUID) -> Any:
    """The batch after a roll-up, beside a recount made here."""
    await roll_up(ledger.pool, batch, datetime.now(UTC))
    row = await ledger.pool.fetchrow("SELECT * FROM batch_progress WHERE id = $1", batch)
    jobs = await ledger.pool.fetch(
        "SELECT state, count(*) AS n FROM download_jobs WHERE batch_id = $1 GROUP BY 1", batch
    )
    by_state = {job["state"]: job["n"] for job in jobs}
    for state in ("completed", "failed", "cancelled"):
        assert row[state] == by_state.get(state, 0)
    await ledger.is_sound()
    return row


async def job_of(ledger: Ledger, batch: UUID, album: UUID) -> UUID:
    found: UUID = await ledger.value(
        "SELECT id FROM download_jobs WHERE batch_id = $1 AND album_mbid = $2 ORDER BY created_at DESC", batch, album
    )
    return found


async def test_forty_albums_end_at_once_on_several_connections(database: str) -> None:
    """Completed, failed and cancelled in one rush, a roll-up after each: nothing is counted twice or forgotten."""
    async with await create_pool(database, max_size=16) as pool:
        ledger, dice = Ledger(pool, lidarr=False), random.Random(1)
        casts = [Cast(copy) for copy in range(1, 41)]
        batch = await opened(ledger, tuple(cast.wish().album for cast in casts))

        async def end(number: int, cast: Cast) -> None:
            if number % 4 == 0:
                await ledger.ask(JobCancelled(job_id=await job_of(ledger, batch, cast.mbid())))
            elif number % 4 == 1:
                await ledger.ask(AlbumDeleted(album=AlbumRef(cast.mbid())))
            else:
                await ledger.post(cast.download(None))
                await ledger.drain([dice.randint(1, 3)])
            await roll_up(pool, batch, datetime.now(UTC))

        await asyncio.gather(*(end(number, cast) for number, cast in enumerate(casts)))
        await ledger.drain()
        row = await counted(ledger, batch)
        assert (row["state"], row["total"], row["open"]) == ("completed", 40, 0)
        assert (row["completed"], row["failed"], row["cancelled"]) == (20, 10, 10)
        versions = await pool.fetch("SELECT version FROM batch_versions WHERE batch_id = $1 ORDER BY 1", batch)
        assert [one["version"] for one in versions] == list(range(1, row["version"] + 1))
        assert await ledger.commands() == ["RollUpBatch"]


async def test_a_count_that_changes_nothing_makes_no_version(pool: Any) -> None:
    ledger = Ledger(pool, lidarr=False)
    batch = await opened(ledger, wishes(3))
    first = await counted(ledger, batch)
    assert (await counted(ledger, batch))["version"] == first["version"] == 1


async def test_the_same_album_twice_in_a_batch_counts_once(pool: Any) -> None:
    ledger = Ledger(pool, lidarr=False)
    albums = wishes(2)
    batch = await opened(ledger, (*albums, *albums))
    assert (await counted(ledger, batch))["total"] == 2
    assert len(await ledger.jobs()) == 2


async def test_a_batch_ends_with_its_last_job_and_opens_again_with_a_retry(pool: Any) -> None:
    ledger = Ledger(pool, lidarr=False)
    one, other = albums = wishes(2)
    batch = await opened(ledger, albums)
    await ledger.ask(AlbumDeleted(album=AlbumRef(one.album_mbid)))
    assert (await counted(ledger, batch))["state"] == "active"
    await ledger.ask(AlbumDeleted(album=AlbumRef(other.album_mbid)))
    ended = await counted(ledger, batch)
    assert (ended["state"], ended["finished_at"] is not None) == ("failed", True)
    await ledger.ask(JobRetried(job_id=await job_of(ledger, batch, one.album_mbid)))
    again = await counted(ledger, batch)
    assert (again["state"], again["finished_at"], again["failed"]) == ("active", None, 1)


async def test_an_album_asked_for_again_in_its_batch_still_counts_once(pool: Any) -> None:
    ledger = Ledger(pool, lidarr=False)
    (album,) = wishes(1)
    batch = await opened(ledger, (album,))
    await ledger.ask(JobCancelled(job_id=await job_of(ledger, batch, album.album_mbid)))
    await ledger.ask(JobRequested(user_id=USER, album=album, batch_id=batch))
    await roll_up(pool, batch, datetime.now(UTC))
    row = await pool.fetchrow("SELECT * FROM batch_progress WHERE id = $1", batch)
    assert (row["total"], row["cancelled"], row["open"]) == (1, 0, 1)


async def test_an_album_that_joins_a_batch_is_counted_with_it(pool: Any) -> None:
    ledger = Ledger(pool, lidarr=False)
    batch = await opened(ledger, wishes(1))
    (late,) = wishes(1)
    await ledger.ask(JobRequested(user_id=USER, album=late, batch_id=batch))
    assert (await counted(ledger, batch))["total"] == 2


async def test_a_cancel_takes_every_open_job_and_stays(pool: Any) -> None:
    ledger = Ledger(pool, lidarr=False)
    done, *rest = albums = wishes(4)
    batch = await opened(ledger, albums)
    await ledger.ask(JobRequested(user_id="bob", album=rest[0]))
    await ledger.ask(AlbumDeleted(album=AlbumRef(done.album_mbid)))
    await ledger.ask(BatchCancelled(batch_id=batch, reason="enough"))
    row = await counted(ledger, batch)
    assert (row["state"], row["failed"], row["cancelled"], row["open"]) == ("cancelled", 1, 3, 0)
    assert await ledger.value("SELECT state FROM download_jobs WHERE user_id = 'bob'") == "pending"
    assert (await ledger.ask(BatchCancelled(batch_id=batch))).settlement.reason == "batch_is_cancelled"


async def test_a_cancel_takes_several_peoples_jobs_for_one_album_at_once(pool: Any) -> None:
    """They share the album's acquisition, about which one event is decided once."""
    ledger = Ledger(pool, lidarr=False)
    (album,) = albums = wishes(1)
    batch = await opened(ledger, albums)
    for user in ("bob", "cleo"):
        await ledger.ask(JobRequested(user_id=user, album=album, batch_id=batch))
    await ledger.ask(JobRequested(user_id="dan", album=album))
    await ledger.ask(BatchCancelled(batch_id=batch))
    assert await ledger.jobs() == [
        ("ann", "cancelled"),
        ("bob", "cancelled"),
        ("cleo", "cancelled"),
        ("dan", "pending"),
    ]
    row = await roll_up(pool, batch, datetime.now(UTC))
    assert (row.state, row.total, row.cancelled) == ("cancelled", 1, 1)
    await pool.execute("UPDATE commands SET state = 'done', finished_at = now()")
    assert (await check(pool, ledger.folding.interpret)).differences == [], "an album with three jobs counts once"


async def test_a_cancel_of_a_version_that_is_past_changes_nothing(pool: Any) -> None:
    ledger = Ledger(pool, lidarr=False)
    one, other = wishes(2)
    batch = await opened(ledger, (one, other))
    await ledger.ask(AlbumDeleted(album=AlbumRef(one.album_mbid)))
    assert (await counted(ledger, batch))["version"] == 2
    stale = await ledger.ask(BatchCancelled(batch_id=batch, expected_version=1))
    assert (stale.settlement.state, stale.settlement.reason) == ("ignored", "stale_version")
    assert (await counted(ledger, batch))["state"] == "active"
    taken = await ledger.ask(BatchCancelled(batch_id=batch, expected_version=2))
    assert taken.settlement.state == "processed"
    assert (await ledger.ask(BatchCancelled(batch_id=uuid4()))).settlement.reason == "no_such_batch"


async def test_of_many_cancels_at_one_version_one_is_taken(pool: Any) -> None:
    ledger = Ledger(pool, lidarr=False)
    batch = await opened(ledger, wishes(5))
    acts = await asyncio.gather(
        *(ledger.ask(BatchCancelled(batch_id=batch, expected_version=1)) for _ in range(6)),
        *(roll_up(pool, batch, datetime.now(UTC)) for _ in range(4)),
    )
    assert sum(act.settlement.state == "processed" for act in acts[:6]) == 1  # type: ignore[union-attr]
    assert (await counted(ledger, batch))["cancelled"] == 5


async def test_a_stale_cancel_beside_a_count_keeps_its_number(pool: Any) -> None:
    """A count that was begun before a decision must not put the number of decisions back."""
    ledger = Ledger(pool, lidarr=False)
    for _ in range(6):
        one, other = wishes(2)
        batch = await opened(ledger, (one, other))
        await ledger.ask(AlbumDeleted(album=AlbumRef(one.album_mbid)))
        await asyncio.gather(
            roll_up(pool, batch, datetime.now(UTC)),
            *(ledger.ask(BatchCancelled(batch_id=batch, expected_version=99)) for _ in range(3)),
        )
        await ledger.ask(BatchCancelled(batch_id=batch))
        await counted(ledger, batch)


async def test_who_joins_while_the_batch_is_cancelled_is_cancelled_with_it_or_refused(pool: Any) -> None:
    ledger = Ledger(pool, lidarr=False)
    for _ in range(6):
        batch = await opened(ledger, wishes(3))
        (late,) = wishes(1)
        await asyncio.gather(
            ledger.ask(JobRequested(user_id=USER, album=late, batch_id=batch)),
            ledger.ask(BatchCancelled(batch_id=batch)),
        )
        row = await counted(ledger, batch)
        assert (row["state"], row["open"]) == ("cancelled", 0)


async def test_an_unknown_batch_cannot_be_counted(pool: Any) -> None:
    with pytest.raises(NotFound):
        await roll_up(pool, uuid4(), datetime.now(UTC))


async def test_a_writer_with_an_old_version_is_told_so(pool: Any) -> None:
    """What a caller read before somebody else's commit is never written over that commit."""
    ledger = Ledger(pool, lidarr=False)
    one, _ = albums = wishes(2)
    batch = await opened(ledger, albums)
    async with pool.acquire() as connection, connection.transaction():
        (read,) = await lock_batches(connection, [batch])
    await ledger.ask(AlbumDeleted(album=AlbumRef(one.album_mbid)))
    assert (await counted(ledger, batch))["failed"] == 1
    async with pool.acquire() as connection:
        with pytest.raises(StaleVersion):
            await save_batch(connection, replace(read, version=2, completed=2), before=read, cause="test")
    assert (await counted(ledger, batch))["completed"] == 0
