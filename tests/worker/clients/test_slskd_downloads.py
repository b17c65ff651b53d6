"""Downloads enqueued, followed and cancelled at the simulated slskd, by either endpoint, over real HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest

from reprise.simulator import SlskdSimulator
from tests.worker.clients.pairs import slskd_pair
from worker.clients.answers import NotFoundAtPeer, PeerBusy, PeerConflict, PeerFailed, PeerRefused
from worker.clients.slskd import SlskdClient
from worker.clients.slskd_answers import instant
from worker.clients.slskd_transfers import Transfer

Pair = tuple[SlskdClient, SlskdSimulator]
USER = "a user/with? odd% name"
FOLDER = "@@abcde\\Music\\Example Ensemble\\Second Wind"
NAMES = [f"{FOLDER}\\0{number} Track {number}.flac" for number in (1, 2, 3)]
FILES = [(name, 31_000_000 + place) for place, name in enumerate(NAMES, 1)]
BATCH = UUID("00000000-0000-4000-8000-0000000000b1")
OLD = ["0.22.5", "0.25.1"]
ENQUEUE = "/api/v0/transfers/downloads"


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    async with slskd_pair() as (slskd, simulator):
        simulator.control(peer={"username": USER, "folders": [{"path": FOLDER}]})
        yield slskd, simulator


def made(simulator: SlskdSimulator) -> int:
    """How many transfers were ever begun."""
    return len(simulator.transfers.all)


async def test_a_batch_goes_to_its_own_folder(pair: Pair) -> None:
    slskd, simulator = pair
    search = uuid4()
    done = await slskd.enqueue(USER, FILES, batch_id=BATCH, destination="job-1/CD1", search_id=search)
    assert (done.complete, done.user_offline, done.batch_id, done.in_destination) == (True, False, BATCH, True)
    assert [transfer.filename for transfer in done.taken] == NAMES
    assert all(transfer.id and transfer.batch_id == str(BATCH) for transfer in done.taken)
    await simulator.quiet()
    assert [file.path for file in simulator.disk.under("/downloads")] == [
        f"/downloads/job-1/CD1/0{number} Track {number}.flac" for number in (1, 2, 3)
    ]
    there = await slskd.batch(BATCH)
    assert there is not None
    assert all(transfer.succeeded for transfer in there)
    (sent,) = [call.body for call in simulator.calls if call.method == "POST"]
    assert (sent["searchId"], sent["options"]) == (str(search), {"destination": "job-1/CD1"})


async def test_asking_twice_for_a_batch_downloads_once(pair: Pair) -> None:
    slskd, simulator = pair
    first = await slskd.enqueue(USER, FILES, batch_id=BATCH, destination="job-1")
    again = await slskd.enqueue(USER, FILES, batch_id=BATCH, destination="job-1")
    assert {one.id for one in again.taken} == {one.id for one in first.taken}
    await simulator.quiet()
    for transfer in await slskd.downloads_of(USER):
        await slskd.cancel(USER, transfer.id, remove=True)
    last = await slskd.enqueue(USER, FILES, batch_id=BATCH, destination="job-1")
    assert (last.complete, last.in_destination) == (True, True)
    assert made(simulator) == 3


async def test_a_batch_that_slskd_lost_the_files_of_is_refused_by_file(pair: Pair) -> None:
    slskd, simulator = pair
    simulator.control(broken_batches=1)
    with pytest.raises(PeerFailed):
        await slskd.enqueue(USER, FILES, batch_id=BATCH)
    again = await slskd.enqueue(USER, FILES, batch_id=BATCH)
    assert again.taken == ()
    assert list(again.refused) == NAMES
    assert "but not this file" in again.refused[NAMES[0]]


async def test_a_batch_that_is_said_to_be_there_and_is_not_is_a_conflict(pair: Pair) -> None:
    slskd, simulator = pair
    simulator.control(fail_next={"status": 409, "method": "POST", "path": f"{ENQUEUE}/batches"})
    with pytest.raises(PeerConflict, match="isn't there"):
        await slskd.enqueue(USER, FILES, batch_id=BATCH)


async def test_files_that_are_under_way_already_are_taken(pair: Pair) -> None:
    slskd, simulator = pair
    simulator.control(default_outcome="stall")
    await slskd.enqueue(USER, FILES[:1], batch_id=uuid4(), destination="theirs")
    done = await slskd.enqueue(USER, FILES, batch_id=BATCH, destination="ours")
    assert [transfer.filename for transfer in done.taken] == NAMES
    assert (done.complete, done.in_destination) == (True, False)
    all_theirs = await slskd.enqueue(USER, FILES, batch_id=uuid4(), destination="ours")
    assert (all_theirs.complete, all_theirs.in_destination) == (True, False)
    assert made(simulator) == 3


@pytest.mark.parametrize("version", OLD)
async def test_the_older_endpoint_takes_files_without_a_folder(pair: Pair, version: str) -> None:
    slskd, simulator = pair
    simulator.control(version=version)
    done = await slskd.enqueue(USER, FILES, batch_id=BATCH, destination="job-1")
    assert [transfer.filename for transfer in done.taken] == NAMES
    assert (done.complete, done.batch_id, done.in_destination) == (True, None, False)
    await simulator.quiet()
    assert len(simulator.disk.under("/downloads/Second Wind")) == 3
    # What is over is asked for anew, as a new transfer.
    again = await slskd.enqueue(USER, FILES[:1], batch_id=BATCH)
    assert again.taken[0].id not in {transfer.id for transfer in done.taken}
    assert made(simulator) == 4


@pytest.mark.parametrize("version", OLD)
async def test_the_older_endpoint_is_asked_only_for_what_is_not_under_way(pair: Pair, version: str) -> None:
    slskd, simulator = pair
    simulator.control(version=version, default_outcome="stall")
    first = await slskd.enqueue(USER, FILES[:2], batch_id=BATCH)
    again = await slskd.enqueue(USER, FILES, batch_id=BATCH)
    assert again.complete
    assert [one.id for one in again.taken[:2]] == [one.id for one in first.taken]
    assert [[file["filename"] for file in call.body] for call in simulator.calls if call.method == "POST"] == [
        NAMES[:2],
        NAMES[2:],
    ]
    assert (await slskd.enqueue(USER, FILES, batch_id=BATCH)).complete
    assert made(simulator) == 3


@pytest.mark.parametrize("version", [*OLD, "0.26.0"])
async def test_a_user_who_is_gone_is_no_failure_of_slskd(pair: Pair, version: str) -> None:
    slskd, simulator = pair
    simulator.control(version=version, peer={"username": USER, "online": False})
    done = await slskd.enqueue(USER, FILES, batch_id=BATCH)
    assert (done.user_offline, done.taken, list(done.refused)) == (True, (), NAMES)


@pytest.mark.parametrize("version", OLD)
async def test_a_failure_of_slskd_is_not_put_down_to_the_user(pair: Pair, version: str) -> None:
    slskd, simulator = pair
    simulator.control(version=version, fail_next={"method": "POST", "path": ENQUEUE})
    with pytest.raises(PeerFailed):
        await slskd.enqueue(USER, FILES, batch_id=BATCH)


async def test_an_upgrade_and_its_reversal_are_noticed(pair: Pair) -> None:
    slskd, simulator = pair
    assert await slskd.takes_batches()
    simulator.control(version="0.25.1")
    done = await slskd.enqueue(USER, FILES, batch_id=BATCH, destination="job-1")
    assert (done.complete, done.in_destination) == (True, False)


async def test_a_wish_that_is_wrong_is_refused_and_a_busy_slskd_stepped_aside_for(pair: Pair) -> None:
    slskd, simulator = pair
    with pytest.raises(PeerRefused):
        await slskd.enqueue(USER, FILES, batch_id=BATCH, destination="../elsewhere")
    assert (await slskd.enqueue(USER, [], batch_id=BATCH)).complete
    simulator.control(fail_next={"status": 429, "method": "POST", "path": ENQUEUE})
    with pytest.raises(PeerBusy):
        await slskd.enqueue(USER, FILES, batch_id=BATCH)
    assert made(simulator) == 0


async def test_downloads_are_listed_and_taken_off_the_list(pair: Pair) -> None:
    slskd, simulator = pair
    simulator.control(peer={"username": "two", "folders": [{"path": FOLDER}]}, default_outcome="queued")
    assert await slskd.downloads() == ()
    assert await slskd.downloads_of(USER) == ()
    await slskd.enqueue(USER, FILES[:2], batch_id=BATCH)
    await slskd.enqueue("two", FILES[:1], batch_id=uuid4())
    await simulator.quiet()
    assert {(one.username, one.filename) for one in await slskd.downloads()} == {
        (USER, NAMES[0]),
        (USER, NAMES[1]),
        ("two", NAMES[0]),
    }
    first, second = await slskd.downloads_of(USER)
    assert (first.waits_remotely, first.place_in_queue, first.size) == (True, 17, 31_000_001)
    assert instant(first.requested_at) is not None

    assert await slskd.cancel(USER, first.id)
    assert await slskd.cancel(USER, second.id, remove=True)
    assert [one.words for one in await slskd.downloads_of(USER)] == [("Completed", "Cancelled")] * 2
    for one in (first, second):
        assert await slskd.cancel(USER, one.id, remove=True)
    assert await slskd.downloads_of(USER) == ()
    assert len(await slskd.downloads()) == 1
    assert [one.removed for one in await slskd.downloads(removed=True)] == [True, True, False]
    assert not await slskd.cancel(USER, str(uuid4()))
    assert await slskd.batch(uuid4()) is None


@pytest.mark.parametrize("status", [404, 500])
async def test_no_list_is_not_an_empty_list(pair: Pair, status: int) -> None:
    slskd, simulator = pair
    simulator.control(fail_next={"status": status, "path": ENQUEUE})
    with pytest.raises((NotFoundAtPeer, PeerFailed)):
        await slskd.downloads()


@pytest.mark.parametrize(
    ("state", "true"),
    [
        ("Requested", set()),
        ("Queued, Locally", {"waits_locally"}),
        ("Queued, Remotely", {"waits_remotely"}),
        ("Initializing", {"in_progress"}),
        ("InProgress", {"in_progress"}),
        ("Completed, Succeeded", {"is_over", "succeeded"}),
        ("Succeeded,Completed", {"is_over", "succeeded"}),
        ("Completed, Cancelled", {"is_over", "is_failed"}),
        ("Completed, TimedOut", {"is_over", "is_failed"}),
        ("Completed, Errored", {"is_over", "is_failed"}),
        ("Completed, Rejected", {"is_over", "is_failed"}),
        ("Completed, Aborted", {"is_over", "is_failed"}),
        ("Completed", {"is_over", "is_failed"}),
        ("Something, New", set()),
        ("Succeeded", set()),
        ("", set()),
    ],
)
def test_states_of_transfers(state: str, true: set[str]) -> None:
    transfer = Transfer(state=state)
    names = ("is_over", "succeeded", "is_failed", "waits_locally", "waits_remotely", "in_progress")
    assert {name for name in names if getattr(transfer, name)} == true


@pytest.mark.parametrize(
    ("state", "release", "may"),
    [
        ("Completed, TimedOut", (0, 24, 5), True),
        ("Completed, TimedOut", (0, 26, 0), True),
        ("Completed, TimedOut", (0, 26, 0, 65534), True),
        ("Completed, TimedOut", (), True),
        ("Completed, TimedOut", (0, 26, 1), False),
        ("Completed, TimedOut", (0, 27), False),
        ("Completed, Errored", (0, 24, 5), False),
        ("TimedOut", (0, 24, 5), False),
    ],
)
def test_only_a_timeout_of_an_older_slskd_may_revive(state: str, release: tuple[int, ...], may: bool) -> None:
    assert Transfer(state=state).may_revive(release) is may
