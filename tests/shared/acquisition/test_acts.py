"""People's acts: folded at once, once each, however many come together."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from shared.acquisition.acts import own_delivery
from shared.acquisition.signals import (
    AlbumWish,
    BatchRequested,
    JobCancelled,
    JobRequested,
    JobRetried,
    Replayed,
    decode,
    encode,
)
from shared.eventlog.identity import uuid7
from shared.eventlog.store import append, claim_these
from shared.postgres.pool import create_pool
from tests.shared.acquisition.cast import Cast
from tests.shared.acquisition.ledger import Ledger

CAST = Cast()


@pytest.fixture
async def ledger(pool: Any) -> Ledger:
    return Ledger(pool, lidarr=True)


async def job_of(ledger: Ledger, user: str = "ann") -> UUID:
    found: UUID = await ledger.value("SELECT id FROM download_jobs WHERE user_id = $1 ORDER BY created_at", user)
    return found


async def test_fifty_wishes_at_once_are_one_job(database: str) -> None:
    async with await create_pool(database, max_size=25) as pool:
        ledger = Ledger(pool, lidarr=True)
        acts = await asyncio.gather(*(ledger.ask(CAST.wish()) for _ in range(50)))
        assert sum(act.settlement.state == "processed" for act in acts) == 1
        assert {act.settlement.reason for act in acts if act.settlement.state == "ignored"} == {"already_asked"}
        assert await ledger.jobs() == [("ann", "pending")]
        assert await ledger.commands() == ["EnsureAlbum"]
        await ledger.is_sound()


async def test_many_users_and_batches_share_one_acquisition(database: str) -> None:
    async with await create_pool(database, max_size=20) as pool:
        ledger = Ledger(pool, lidarr=True)
        batches = [BatchRequested(user_id=f"user {n}", albums=(CAST.wish().album,) * 2) for n in range(10)]
        await asyncio.gather(*(ledger.ask(one) for n in range(10) for one in (CAST.wish(user=f"user {n}"), batches[n])))
        assert await ledger.value("SELECT count(*) FROM acquisitions") == 1
        assert len(await ledger.jobs()) == 20
        assert await ledger.commands() == ["EnsureAlbum", *["RollUpBatch"] * 10]
        await ledger.is_sound()


async def test_batches_of_the_same_albums_in_opposite_orders(database: str) -> None:
    """Folds that need several albums take them in one order, whatever order people name them in."""
    albums = [AlbumWish(album_mbid=uuid4(), artist_name="A", album_title=f"{n}") for n in range(40)]
    async with await create_pool(database, max_size=10) as pool:
        ledger = Ledger(pool, lidarr=True)
        for _ in range(4):
            orders = (albums, albums[::-1], albums[20:] + albums[:20], albums[::2] + albums[1::2])
            wishes = [BatchRequested(user_id=f"{uuid7()}", albums=tuple(order)) for order in orders]
            await asyncio.gather(*(ledger.ask(wish) for wish in wishes))
        assert await ledger.value("SELECT count(*) FROM acquisitions") == 40
        assert await ledger.value("SELECT count(*) FROM download_jobs") == 16 * 40
        await ledger.is_sound()


async def test_a_wish_and_the_end_of_the_album_at_once(pool: Any) -> None:
    """Who asks while the last job is being cancelled joins it before its end, or begins anew: never in between."""
    ledger = Ledger(pool, lidarr=True)
    for _ in range(12):
        await ledger.ask(CAST.wish(user="ann"))
        cancel = JobCancelled(job_id=await ledger.value("SELECT id FROM download_jobs WHERE finished_at IS NULL"))
        await asyncio.gather(ledger.ask(cancel), ledger.ask(CAST.wish(user="bob")))
        active = await ledger.pool.fetch("SELECT id, user_id FROM download_jobs WHERE finished_at IS NULL")
        assert [job["user_id"] for job in active] == ["bob"]
        await ledger.ask(JobCancelled(job_id=active[0]["id"]))
    await ledger.is_sound()


async def test_one_batch_of_events_may_end_an_album_and_begin_it_again(ledger: Ledger) -> None:
    for _ in range(8):
        await ledger.ask(CAST.wish())
        job = await ledger.value("SELECT id FROM download_jobs WHERE finished_at IS NULL")
        async with ledger.pool.acquire() as connection, connection.transaction():
            said = [JobCancelled(job_id=job), CAST.wish(), CAST.wish(user="bob")]
            deliveries = [own_delivery(signal, source="operator") for signal in said]
            await append(connection, deliveries)
            events = await claim_these(connection, [one.id for one in deliveries])
            await ledger.folding.fold(connection, events)
        for user in ("ann", "bob"):
            open_job = await ledger.value(
                "SELECT id FROM download_jobs WHERE finished_at IS NULL AND user_id = $1", user
            )
            await ledger.ask(JobCancelled(job_id=open_job))
    assert await ledger.value("SELECT count(*) FROM acquisitions WHERE finished_at IS NULL") == 0
    assert await ledger.commands() == []
    await ledger.is_sound()


async def test_a_retried_job_moves_to_the_albums_new_acquisition(ledger: Ledger) -> None:
    await ledger.ask(CAST.wish(user="ann"))
    ann = await job_of(ledger, "ann")
    await ledger.ask(JobCancelled(job_id=ann))
    await ledger.ask(CAST.wish(user="bob"))
    bob = await job_of(ledger, "bob")
    await ledger.ask(JobRetried(job_id=ann))
    homes = await ledger.pool.fetch("SELECT DISTINCT acquisition_id FROM download_jobs")
    assert len(homes) == 1
    await ledger.ask(JobCancelled(job_id=bob))
    assert await ledger.jobs() == [("ann", "pending"), ("bob", "cancelled")]
    await ledger.is_sound()


async def test_a_retry_that_is_not_taken_moves_nothing(ledger: Ledger) -> None:
    await ledger.ask(CAST.wish(user="ann"))
    old = await job_of(ledger, "ann")
    await ledger.ask(JobCancelled(job_id=old))
    await ledger.ask(CAST.wish(user="ann"))
    home = await ledger.value("SELECT acquisition_id FROM download_jobs WHERE id = $1", old)
    outcome = await ledger.ask(JobRetried(job_id=old))
    assert outcome.settlement.reason == "already_asked"
    assert await ledger.value("SELECT acquisition_id FROM download_jobs WHERE id = $1", old) == home
    await ledger.is_sound()


async def test_what_waits_for_an_album_is_folded_when_its_job_is_opened_again(ledger: Ledger) -> None:
    await ledger.ask(CAST.wish())
    await ledger.ask(JobCancelled(job_id=await job_of(ledger)))
    await ledger.tell(CAST.download("somebody's"))
    assert (await ledger.events())["Download"] == ["parked"]
    await ledger.ask(JobRetried(job_id=await job_of(ledger)))
    await ledger.drain()
    assert (await ledger.events())["Download"] == ["processed"]
    await ledger.is_sound()


async def test_a_wish_for_an_unknown_batch_is_told_so(ledger: Ledger) -> None:
    act = await ledger.ask(CAST.wish(batch_id=uuid4()))
    assert (act.settlement.state, act.settlement.reason) == ("ignored", "no_such_batch")
    assert await ledger.jobs() == []


async def test_replaying_what_people_asked_is_harmless(ledger: Ledger) -> None:
    batch = BatchRequested(user_id="bob", albums=(CAST.wish(501).album, CAST.wish(502).album))
    acts = [await ledger.ask(CAST.wish(501)), await ledger.ask(batch)]
    await ledger.ask(JobCancelled(job_id=await job_of(ledger, "ann")))
    before = (await ledger.jobs(), await ledger.value("SELECT count(*) FROM discovery_batches"))
    for _ in range(2):
        for act in acts:
            again = await ledger.ask(Replayed(of=act.event_id))
            assert again.settlement.state == "ignored"
            await ledger.ask(Replayed(of=again.event_id))
    assert (await ledger.jobs(), await ledger.value("SELECT count(*) FROM discovery_batches")) == before
    await ledger.is_sound()


async def test_a_cancel_or_a_retry_is_not_done_twice_by_a_replay(ledger: Ledger) -> None:
    await ledger.ask(CAST.wish())
    job = await job_of(ledger)
    cancelled = await ledger.ask(JobCancelled(job_id=job))
    retried = await ledger.ask(JobRetried(job_id=job))
    assert (await ledger.ask(Replayed(of=cancelled.event_id))).settlement.reason == "already_decided"
    assert await ledger.jobs() == [("ann", "pending")]
    await ledger.ask(JobCancelled(job_id=job))
    assert (await ledger.ask(Replayed(of=retried.event_id))).settlement.reason == "already_decided"
    assert await ledger.jobs() == [("ann", "cancelled")]
    await ledger.is_sound()


async def test_replaying_what_was_dead_begins_it_once(ledger: Ledger) -> None:
    """An event that was never folded is brought about by its first replay; all others find that already done."""
    asked = own_delivery(CAST.wish(), source="operator")
    opened = own_delivery(BatchRequested(user_id="bob", albums=(CAST.wish(502).album,)), source="operator")
    await ledger.post(asked, opened)
    await ledger.pool.execute("UPDATE event_status SET state = 'dead', settled_at = now(), reason = 'poison'")
    for one in (asked, opened):
        first = await ledger.ask(Replayed(of=one.id))
        assert first.settlement.state == "processed"
    for user in ("ann", "bob"):
        await ledger.ask(JobCancelled(job_id=await job_of(ledger, user)))
    for one in (asked, opened):
        assert (await ledger.ask(Replayed(of=one.id))).settlement.state == "ignored"
    await ledger.pool.execute("UPDATE event_status SET state = 'waiting', settled_at = NULL WHERE state = 'dead'")
    await ledger.drain()
    assert await ledger.jobs() == [("ann", "cancelled"), ("bob", "cancelled")]
    assert await ledger.value("SELECT count(*) FROM discovery_batches") == 1
    await ledger.is_sound()


async def test_replaying_a_grab_binds_nothing_again(ledger: Ledger) -> None:
    await ledger.ask(CAST.wish())
    grab = CAST.grab("D1", 501, 502)
    await ledger.tell(grab)
    before = await ledger.attempts()
    for _ in range(3):
        assert (await ledger.ask(Replayed(of=grab.id))).settlement.state == "ignored"
    await ledger.ask(JobCancelled(job_id=await job_of(ledger)))
    await ledger.ask(CAST.wish())
    assert (await ledger.ask(Replayed(of=grab.id))).settlement.state == "ignored"
    assert sorted(state for state, _ in await ledger.attempts()) == ["abandoned", "downloading"]
    assert len(before) == 2
    await ledger.is_sound()


async def test_an_act_that_cannot_be_folded_leaves_nothing(ledger: Ledger) -> None:
    too_long = JobRequested(user_id="x" * 201, album=CAST.wish().album)
    with pytest.raises(asyncpg.CheckViolationError):
        await ledger.ask(too_long)
    assert await ledger.value("SELECT count(*) FROM events") == 0
    assert await ledger.value("SELECT count(*) FROM acquisitions") == 0


async def test_a_poisonous_event_takes_its_batch_back_with_it(ledger: Ledger) -> None:
    poison = own_delivery(JobRequested(user_id="", album=CAST.wish(503).album), source="operator")
    await ledger.post(CAST.grab("D1"), poison, CAST.grab("D2", 502))
    with pytest.raises(asyncpg.CheckViolationError):
        await ledger.fold()
    assert await ledger.value("SELECT count(*) FROM acquisitions") == 0
    assert await ledger.value("SELECT count(*) FROM decisions") == 0
    assert set((await ledger.events())["Grab"]) == {"waiting"}


@pytest.mark.parametrize("text", ["a\x00b", "\x00\x00", "\\u0000", "\\\x00", "\\\\u0000", "\\\\\x00"])
def test_what_strangers_wrote_can_be_kept(text: str) -> None:
    """A file's name on Soulseek may hold any byte, and Postgres keeps no U+0000; what only looks so stays."""
    found = decode(encode(JobCancelled(job_id=UUID(int=1), reason=text)))
    assert found == JobCancelled(job_id=UUID(int=1), reason=text.replace("\x00", "\ufffd"))
