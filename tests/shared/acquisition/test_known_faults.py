"""Faults that webhook-driven downloaders are known for, each with the test that it isn't ours."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from msgspec.structs import replace

from shared.acquisition.rollup import roll_up
from shared.acquisition.signals import (
    AlbumDeleted,
    AlbumRef,
    AlbumWish,
    BatchCancelled,
    BatchRequested,
    JobCancelled,
    JobRequested,
)
from shared.acquisition.store import lock_batches, save_batch
from shared.errors import StaleVersion
from shared.postgres.pool import create_pool
from tests.shared.acquisition.cast import Cast, arriving
from tests.shared.acquisition.ledger import Ledger, webhook


@pytest.fixture
async def ledger(pool: Any) -> Ledger:
    return Ledger(pool, lidarr=False)


async def test_albums_two_to_n_of_one_download_are_stored_and_so_is_its_second_failure(ledger: Ledger) -> None:
    """An event id made of type and download id folds a pack's imports, and every later failure, into one."""
    cast = Cast()
    downloads = [cast.download("D1", album) for album in (501, 502, 503)]
    failures = [cast.failure("D1"), cast.failure("D1")]
    answers = await ledger.post(*downloads, *failures)
    assert not any(answer.duplicate for answer in answers)
    await ledger.drain()
    assert await ledger.value("SELECT count(*) FROM event_history") == 5
    assert await ledger.value("SELECT sum(deliveries) FROM event_history") == 5


async def test_import_failures_are_ten_and_lead_to_a_look(pool: Any) -> None:
    """They are byte-identical and name no download: hashed, all but the first are lost, and none is acted on."""
    ledger, cast = Ledger(pool, lidarr=True), Cast()
    await ledger.tell(*(cast.import_failure() for _ in range(10)))
    assert await ledger.events() == {"ImportFailure": ["processed"] * 10}
    assert await ledger.commands() == ["ObservePeer"]


async def test_an_album_is_known_by_the_name_that_webhooks_give_its_id(ledger: Ledger) -> None:
    """Webhooks call the release group mbId; foreignAlbumId is the API's word and never in them."""
    cast = Cast()
    await ledger.tell(cast.grab("D1"), cast.download("D1"))
    assert await ledger.value("SELECT album_mbid FROM acquisitions") == cast.mbid()


async def test_a_duplicate_is_known_as_one_and_executes_nothing(ledger: Ledger) -> None:
    """The store says whether the event existed, and only the first delivery is ever folded."""
    cast = Cast()
    await ledger.tell(cast.grab("D1"), cast.download("D1"))
    decisions = await ledger.value("SELECT count(*) FROM decisions")
    (answer,) = await ledger.post(cast.download("D1"))
    assert answer.duplicate
    await ledger.drain()
    assert await ledger.value("SELECT count(*) FROM decisions") == decisions
    deliveries = await ledger.value("SELECT deliveries FROM event_history WHERE id = $1", answer.event_id)
    assert deliveries == 2


async def test_bodies_without_time_are_not_folded_for_ever(ledger: Ledger) -> None:
    """Health, Rename, Retag and Test repeat byte for byte and mean something new each time."""
    folder = Path(__file__).parents[2] / "payloads" / "lidarr"
    bodies = [
        (folder / f"{name}.json").read_bytes() for name in ("health", "health_restored", "rename", "retag", "test")
    ]
    answers = await ledger.post(*(webhook(body) for body in bodies for _ in range(3)))
    assert len({answer.event_id for answer in answers}) == 15


async def test_a_batch_completes_though_the_worker_dies_after_its_last_job(ledger: Ledger) -> None:
    """The order to count is committed with the job's end: there is no moment between them."""
    cast = Cast()
    await ledger.ask(BatchRequested(user_id="ann", albums=(cast.wish().album,)))
    await ledger.pool.execute("DELETE FROM commands")
    await ledger.post(cast.download(None))
    await ledger.drain()
    state = await ledger.value("SELECT state FROM download_jobs")
    (order,) = await ledger.pool.fetch("SELECT kind, state, args FROM commands")
    assert (state, order["kind"], order["state"]) == ("completed", "RollUpBatch", "waiting")
    counted = await roll_up(ledger.pool, UUID(order["args"]["batch_id"]), datetime.now(UTC))
    assert (counted.state, counted.completed) == ("completed", 1)


async def test_a_self_titled_album_takes_nobody_elses_download(ledger: Ledger) -> None:
    """Albums are matched by release group, never by words: "Weezer" by Weezer is in every other title of theirs."""
    blue, green = Cast(1), Cast(2)
    for cast in (blue, green):
        wish = AlbumWish(album_mbid=cast.mbid(), artist_name="Weezer", album_title="Weezer")
        await ledger.ask(JobRequested(user_id="ann", album=wish))
    await ledger.tell(green.grab("D1"), green.download("D1"))
    states = dict(await ledger.pool.fetch("SELECT album_mbid, state FROM acquisitions"))
    assert states == {blue.mbid(): "pending", green.mbid(): "completed"}


async def test_two_jobs_without_batch_are_one_in_every_open_state(ledger: Ledger) -> None:
    """NULL is a batch like any other, and the index covers every state that isn't an end."""
    columns = "user_id, origin, album_mbid, artist_name, album_title, acquisition_id, created_at"
    twin = (
        f"INSERT INTO download_jobs (id, state, {columns}) SELECT gen_random_uuid(), $1, {columns} FROM download_jobs"
    )
    await ledger.ask(Cast().wish())
    for state in ("pending", "searching", "downloading", "importing"):
        with pytest.raises(asyncpg.UniqueViolationError, match="download_jobs_one_active"):
            await ledger.pool.execute(twin, state)


async def test_who_loses_the_race_for_a_job_gets_that_job(database: str) -> None:
    """Not an error: everybody who asks at once is told of the same one."""
    async with await create_pool(database, max_size=8) as pool:
        ledger, cast = Ledger(pool, lidarr=True), Cast()
        acts = await asyncio.gather(*(ledger.ask(cast.wish()) for _ in range(8)))
        seen = {job.id for act in acts for one in act.folded.work.acquisitions.values() for job in one.jobs}
        assert len(seen) == 1


async def test_a_version_read_again_before_writing_does_not_let_the_last_write_win(ledger: Ledger) -> None:
    """The version compared is the one the values were computed from, in the UPDATE itself."""
    cast = Cast()
    await ledger.ask(BatchRequested(user_id="ann", albums=(cast.wish(501).album, cast.wish(502).album)))
    batch_id = await ledger.value("SELECT id FROM discovery_batches")
    async with ledger.pool.acquire() as connection, connection.transaction():
        (read,) = await lock_batches(connection, [batch_id])
    await ledger.ask(AlbumDeleted(album=AlbumRef(cast.mbid(501))))
    await roll_up(ledger.pool, batch_id, datetime.now(UTC))
    async with ledger.pool.acquire() as connection:
        with pytest.raises(StaleVersion):
            await save_batch(connection, replace(read, version=read.version + 1), before=read, cause="stale")


async def test_a_cancelled_batch_never_comes_back(ledger: Ledger) -> None:
    """Whatever was under way when it was cancelled, and however late its count is: it stays cancelled."""
    cast = Cast()
    await ledger.ask(BatchRequested(user_id="ann", albums=(cast.wish(501).album, cast.wish(502).album)))
    batch_id = await ledger.value("SELECT id FROM discovery_batches")
    await ledger.tell(cast.grab("D1"))
    await ledger.ask(BatchCancelled(batch_id=batch_id))
    await ledger.tell(cast.download("D1"), cast.download(None, 502), cast.failure("D1"))
    counted = await roll_up(ledger.pool, batch_id, datetime.now(UTC))
    assert (counted.state, counted.completed, counted.cancelled) == ("cancelled", 0, 2)
    versions = await ledger.pool.fetch(
        "SELECT state FROM batch_versions WHERE batch_id = $1 ORDER BY version", batch_id
    )
    assert [row["state"] for row in versions] == ["active", "cancelled", "cancelled"]


async def test_the_same_album_asked_for_by_two_people_is_got_once_and_both_are_served(ledger: Ledger) -> None:
    cast, dice = Cast(), random.Random(2)
    await ledger.ask(cast.wish(user="ann"))
    await ledger.ask(cast.wish(user="bob"))
    await ledger.tell(*arriving([cast.grab("D1"), cast.download("D1")] * 2, dice))
    assert await ledger.jobs() == [("ann", "completed"), ("bob", "completed")]
    assert await ledger.value("SELECT count(*) FROM acquisitions") == 1
    with_job = await ledger.value("SELECT id FROM download_jobs LIMIT 1")
    assert (await ledger.ask(JobCancelled(job_id=with_job))).settlement.reason == "acquisition_is_completed"
