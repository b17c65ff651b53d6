"""Searches begun, read and ended at the simulated slskd over real HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest

from reprise.simulator import SlskdSimulator
from tests.harness.waiting import until
from tests.worker.clients.pairs import slskd_pair
from worker.clients.answers import (
    NotFoundAtPeer,
    PeerAway,
    PeerBusy,
    PeerFailed,
    PeerRefused,
    SoulseekAway,
)
from worker.clients.slskd import SlskdClient
from worker.clients.slskd_answers import Search

Pair = tuple[SlskdClient, SlskdSimulator]
FOLDER = "@@abcde\\Music\\Example Ensemble\\Second Wind"
TEXT = "example second wind"
ID = UUID("00000000-0000-4000-8000-0000000000a1")


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    async with slskd_pair() as (slskd, simulator):
        simulator.control(peer={"username": "one", "folders": [{"path": FOLDER}], "queue": 3, "speed": 700_000})
        yield slskd, simulator


def posts(simulator: SlskdSimulator) -> list[int]:
    return [call.status for call in simulator.calls if call.method == "POST"]


async def test_a_search_is_begun_followed_and_read(pair: Pair) -> None:
    slskd, simulator = pair
    simulator.control(pace="manual")
    begun = await slskd.start_search(ID, TEXT, timeout_ms=8000, response_limit=100, file_limit=10_000)
    assert (UUID(begun.id), begun.search_text, begun.words, begun.is_complete) == (ID, TEXT, ("InProgress",), False)
    assert await slskd.responses(ID) == ()
    simulator.control(advance=1)
    await simulator.quiet()
    done = await slskd.search(ID)
    assert done is not None
    assert (done.words, done.is_complete, done.response_count, done.file_count) == (
        ("Completed", "TimedOut"),
        True,
        1,
        3,
    )
    (response,) = await slskd.responses(ID)
    assert (response.username, response.queue_length, response.upload_speed) == ("one", 3, 700_000)
    assert response.files[0].filename == f"{FOLDER}\\01 Track 1.flac"
    (sent,) = [call.body for call in simulator.calls if call.method == "POST"]
    assert sent == {
        "id": str(ID),
        "searchText": TEXT,
        "searchTimeout": 8000,
        "responseLimit": 100,
        "fileLimit": 10_000,
        "filterResponses": True,
        "minimumResponseFileCount": 1,
    }


async def test_beginning_twice_searches_once(pair: Pair) -> None:
    slskd, simulator = pair
    for _ in range(2):
        await slskd.start_search(ID, TEXT)
        await simulator.quiet()
    assert (await slskd.start_search(ID, TEXT)).is_complete
    assert len(simulator.searches.begun_at) == 1


async def test_a_search_that_somebody_else_began_meanwhile_is_ours_too(pair: Pair) -> None:
    slskd, simulator = pair
    simulator.control(search_post_s=0.5)
    # slskd takes only one of them at a time, and here takes its time for that.
    first = asyncio.create_task(slskd.start_search(ID, TEXT))
    await until(lambda: len(simulator.calls) == 1)  # it has looked in vain, and posts
    second = asyncio.create_task(slskd.start_search(ID, TEXT))
    results = await asyncio.gather(first, second, return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["PeerBusy", "Search"]
    simulator.control(search_post_s=0.0, fail_next={"method": "GET", "path": f"/api/v0/searches/{ID}", "status": 404})
    again = await slskd.start_search(ID, TEXT)
    assert UUID(again.id) == ID
    assert posts(simulator)[-1] == 500
    assert len(simulator.searches.begun_at) == 1


async def test_a_failure_that_is_not_about_the_id_stays_one(pair: Pair) -> None:
    slskd, simulator = pair
    simulator.control(fail_next={"method": "POST", "path": "/api/v0/searches"})
    with pytest.raises(PeerFailed):
        await slskd.start_search(ID, TEXT)


async def test_busy_and_not_connected_are_told_apart_from_away(pair: Pair) -> None:
    slskd, simulator = pair
    simulator.control(fail_next={"status": 429, "method": "POST", "path": "/api/v0/searches"})
    with pytest.raises(PeerBusy):
        await slskd.start_search(ID, TEXT)
    simulator.control(connected=False)
    with pytest.raises(SoulseekAway, match="isn't connected"):
        await slskd.start_search(ID, TEXT)
    simulator.control(offline=True)
    with pytest.raises(PeerAway) as caught:
        await slskd.start_search(ID, TEXT)
    assert not isinstance(caught.value, SoulseekAway)


async def test_what_could_not_begin_begins_later_under_the_same_id(pair: Pair) -> None:
    slskd, simulator = pair
    simulator.control(connected=False)
    for _ in range(2):
        with pytest.raises(SoulseekAway):
            await slskd.start_search(ID, TEXT)
    simulator.control(connected=True)
    await slskd.start_search(ID, TEXT)
    await simulator.quiet()
    assert len(await slskd.responses(ID)) == 1


async def test_a_text_that_cannot_be_searched_for_is_refused(pair: Pair) -> None:
    slskd, _ = pair
    with pytest.raises(PeerRefused):
        await slskd.start_search(ID, "  ")


async def test_a_search_is_stopped_and_deleted(pair: Pair) -> None:
    slskd, simulator = pair
    simulator.control(pace="manual")
    await slskd.start_search(ID, TEXT)
    assert await slskd.stop_search(ID)
    stopped = await slskd.search(ID)
    assert stopped is not None
    assert (stopped.is_complete, stopped.is_cancelled) == (True, True)
    assert await slskd.delete_search(ID)
    assert await slskd.search(ID) is None
    assert not await slskd.stop_search(ID)
    assert not await slskd.delete_search(ID)
    with pytest.raises(NotFoundAtPeer):
        await slskd.responses(uuid4())


@pytest.mark.parametrize(
    ("state", "complete", "errored"),
    [
        ("None", False, False),
        ("Requested", False, False),
        ("Queued", False, False),
        ("InProgress", False, False),
        ("Completed, TimedOut", True, False),
        ("Completed,ResponseLimitReached", True, False),
        ("Errored, Completed", True, True),
        ("Something New", False, False),
        ("", False, False),
    ],
)
def test_states_of_searches(state: str, complete: bool, errored: bool) -> None:
    assert (Search(state=state).is_complete, Search(state=state).is_errored) == (complete, errored)
