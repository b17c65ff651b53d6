"""What Lidarr misses is asked for once: by whom and how often it's asked for, on how many workers at once."""

from __future__ import annotations

import asyncio
import dataclasses
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from shared.acquisition import peers
from shared.acquisition.batches import ASK_AGAIN_AFTER, batch_id_for, not_asked_lately
from shared.acquisition.choosing import BUDGET_LASTS
from shared.acquisition.commands import ReadWanted
from shared.acquisition.findings import WantedRequested
from shared.acquisition.model import Acquisition, State
from shared.acquisition.signals import BatchRequested, JobCancelled, Replayed
from shared.acquisition.workspace import Peer, Workspace
from shared.eventlog.identity import peer_id, uuid7
from shared.postgres.pool import create_pool
from tests.shared.acquisition import at_soulseek
from tests.shared.acquisition.cast import Cast
from tests.shared.acquisition.casting import NOW, blank, context, downloading, failed, watched, wish
from tests.shared.acquisition.ledger import Ledger, own

OPENING = UUID(int=77)
ASKED = WantedRequested(user_id="ann", limit=20, batch_event_id=OPENING, label="what is missing")
DAY = timedelta(days=1)


def missing(*casts: Cast) -> BatchRequested:
    return BatchRequested(user_id="ann", albums=tuple(cast.wish().album for cast in casts), origin="wanted")


# --- the rules ---


def test_who_wants_what_is_missing_has_lidarr_asked() -> None:
    decision, orders = peers.decide(Peer(name="lidarr", id=peer_id("lidarr")), ASKED, context(), uuid7())
    assert [order.command for order in orders] == [
        ReadWanted(user_id="ann", limit=20, event_id=OPENING, label="what is missing")
    ]
    assert (decision.record.outcome, decision.after.sequence) == ("applied", 1)


def test_without_lidarr_there_is_nobody_to_ask() -> None:
    decision, orders = peers.decide(Peer(name="lidarr", id=peer_id("lidarr")), ASKED, context(lidarr=False), uuid7())
    assert (decision.record.outcome, orders) == ("ignored", ())


def over(state: State, *, origin: str = "asked", spent: bool = False) -> Acquisition:
    return replace(blank(origin), state=state, finished_at=NOW, budget_spent=spent)


@pytest.mark.parametrize(
    ("last", "until"),
    [
        (over(State.FAILED), ASK_AGAIN_AFTER),
        (over(State.COMPLETED), ASK_AGAIN_AFTER),
        (over(State.CANCELLED), ASK_AGAIN_AFTER),
        (over(State.FAILED, spent=True), BUDGET_LASTS),
        (over(State.COMPLETED, origin="lidarr"), timedelta(0)),
        (over(State.FAILED, origin="lidarr"), timedelta(0)),
    ],
    ids=["failed", "completed", "cancelled", "spent", "got by Lidarr itself", "failed at Lidarr itself"],
)
def test_an_album_is_asked_for_again_only_after_a_while(last: Acquisition, until: timedelta) -> None:
    assert fresh([last], NOW + until)
    assert not until or not fresh([last], NOW + until - timedelta(seconds=1))


def fresh(known: list[Acquisition], now: datetime) -> tuple[Any, ...]:
    work = Workspace()
    work.load(known)
    signal = BatchRequested(user_id="ann", albums=(wish().album,), origin="wanted")
    return not_asked_lately(signal, work, now).albums


@pytest.mark.parametrize("story", [downloading, watched, at_soulseek.waiting], ids=["ours", "Lidarr's", "waiting"])
def test_what_is_being_got_is_not_asked_for(story: Any) -> None:
    assert fresh([story().now], NOW + 30 * DAY) == ()


def test_a_failure_of_lidarrs_own_opens_no_spent_budget() -> None:
    theirs = watched()
    theirs.tell(failed("D1", row=10))
    assert fresh([over(State.FAILED, spent=True), replace(theirs.now, created_at=NOW + DAY)], NOW + 2 * DAY) == ()


# --- on Postgres ---


async def test_asked_twice_nothing_is_wanted_twice(pool: Any) -> None:
    ledger = Ledger(pool, lidarr=True)
    one, two, three = (Cast(copy) for copy in (1, 2, 3))
    await ledger.ask(one.wish())
    await ledger.tell(own(missing(one, two)))
    await ledger.tell(own(missing(one, two, three)))
    await ledger.tell(own(missing(one, two, three)))
    batches = await pool.fetch("SELECT total FROM discovery_batches ORDER BY created_at")
    assert [row["total"] for row in batches] == [1, 1]
    assert await ledger.value("SELECT count(*) FROM download_jobs") == 3
    reasons = "SELECT reason FROM event_history WHERE type = 'BatchRequested' AND state = 'ignored'"
    assert await ledger.value(reasons) == "all_asked_for_already"
    await ledger.is_sound()


async def test_two_workers_that_read_what_is_missing_at_once_ask_once(database: str) -> None:
    async with await create_pool(database, min_size=4, max_size=4) as pool:
        ledger = Ledger(pool, lidarr=True)
        casts = [Cast(copy) for copy in range(1, 11)]
        await ledger.post(*(own(missing(*casts[::step])) for step in (1, -1, 1, -1)))
        await asyncio.gather(*(ledger.drain([1]) for _ in range(4)))
        assert await ledger.value("SELECT count(*) FROM acquisitions") == 10
        assert await ledger.value("SELECT count(*) FROM download_jobs") == 10
        assert await ledger.value("SELECT count(*) FROM discovery_batches") == 1
        await ledger.is_sound()


async def test_the_batch_is_known_before_it_is_opened_and_opened_once(pool: Any) -> None:
    """Whoever asks is told its number at once; a worker that vanished after the read, or a replay, opens it once."""
    ledger, cast = Ledger(pool, lidarr=True), Cast()
    asked = await ledger.ask(ASKED)
    await ledger.ask(Replayed(of=asked.event_id))
    assert await ledger.commands() == ["ReadWanted", "ReadWanted"]
    for _ in range(2):  # what the effect of each of the two would append
        opening = own(missing(cast))
        await ledger.post(dataclasses.replace(opening, id=OPENING))
        await ledger.drain()
    assert await ledger.value("SELECT id FROM discovery_batches") == batch_id_for(OPENING)
    assert await ledger.jobs() == [("ann", "pending")]
    await ledger.is_sound()


async def test_what_a_person_cancelled_is_left_alone_for_the_day(pool: Any) -> None:
    ledger, cast = Ledger(pool, lidarr=True), Cast()
    await ledger.tell(own(missing(cast)))
    await ledger.ask(JobCancelled(job_id=await ledger.value("SELECT id FROM download_jobs")))
    await ledger.tell(own(missing(cast)))
    assert await ledger.jobs() == [("ann", "cancelled")]
    await ledger.is_sound()
