"""Looks at a simulated slskd: what its list of transfers shows of our attempts, and for how long."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from shared.acquisition.candidate import WantedFile
from shared.acquisition.commands import EnqueueDownload
from shared.acquisition.findings import DeadlinePassed, TransfersFailed
from shared.acquisition.signals import Signal
from tests.worker.clients.pairs import slskd_pair
from tests.worker.observe.at_slskd import FOLDER, NAMES, USER, SlskdScene
from tests.worker.observe.scene import files
from worker.clients.answers import PeerAway, PeerFailed
from worker.effects.effect import Tools


@pytest.fixture
async def scene(pool: Any) -> AsyncIterator[SlskdScene]:
    async with slskd_pair() as (client, simulator):
        yield SlskdScene(Tools(pool=pool, lidarr=None, slskd=client), simulator)


def deadlines(signals: list[Signal]) -> list[tuple[int, str]]:
    return [(one.attempt, one.phase) for one in signals if isinstance(one, DeadlinePassed)]


def failure(signals: list[Signal]) -> TransfersFailed:
    (only,) = signals
    assert isinstance(only, TransfersFailed)
    return only


async def test_files_that_arrive_are_told_by_their_events_alone(scene: SlskdScene) -> None:
    album = await scene.enqueued(steps=3)
    assert await scene.look(times=20, every_s=10) == [], "finished, but nothing has been folded yet"
    assert await scene.phase(album) == "under_way"
    assert await scene.events("slskd") == ["DownloadFileComplete"] * 3 + ["DownloadDirectoryComplete"]
    assert await scene.own_signals() == []


@pytest.mark.parametrize(
    ("outcome", "words"),
    [("reject", "Rejected"), ("error", "Errored"), ("cancel", "Cancelled")],
)
async def test_a_file_that_fails_fails_the_attempt_at_once_and_once(
    scene: SlskdScene, outcome: str, words: str
) -> None:
    album = await scene.enqueued(_1=outcome)
    await scene.look()
    assert await scene.phase(album) in {"no_bytes", "under_way"}
    await scene.step(3)
    told = failure(await scene.look(every_s=5))
    assert told.acquisition_id == album
    assert told.reason.startswith(f"transfer_failed: Completed, {words}: ")
    assert told.reason.endswith("(1 of 3 files)")
    assert told.files == (f"{FOLDER}\\{NAMES[1]}",)
    assert await scene.look(times=5, every_s=5) == []


async def test_a_stalled_transfer_is_given_ten_minutes(scene: SlskdScene) -> None:
    album = await scene.enqueued("stall", steps=2)
    assert await scene.look(times=60, every_s=10) == []
    assert await scene.phase(album) == "no_bytes"
    (told,) = await scene.look(every_s=10)
    assert isinstance(told, DeadlinePassed)
    assert (told.phase, told.waited_s, told.detail) == ("no_bytes", 600, "not a byte came from ann")


async def test_every_byte_gives_new_time(scene: SlskdScene) -> None:
    album = await scene.enqueued("stall", steps=2)
    for _ in range(3):
        await scene.look(times=30, every_s=10)
        next(iter(scene.simulator.transfers.all.values())).transferred += 1
    assert await scene.look(every_s=10) == []
    assert (await scene.watch(album))["phase_s"] == 0


async def test_the_queue_of_a_user_has_its_own_deadline(scene: SlskdScene) -> None:
    album = await scene.enqueued("queued", steps=1)
    assert await scene.look(times=90, every_s=10) == []
    assert await scene.phase(album) == "remote_queue"
    assert deadlines(await scene.look(every_s=10)) == [(1, "remote_queue")]


async def test_one_file_on_its_way_is_no_queue(scene: SlskdScene) -> None:
    album = await scene.enqueued("queued", steps=2, _0="stall")
    await scene.look()
    assert await scene.phase(album) == "no_bytes"


async def test_who_stands_in_slskds_own_line_behind_others_is_not_stalled(scene: SlskdScene) -> None:
    album = await scene.enqueued()
    scene.simulator.control(peer={"username": "bob", "folders": [{"path": "b", "tracks": 1}]})
    other = scene.simulator.transfers.enqueue("bob", [("b\\01 Track 1.flac", 31_000_001)])[0][0]
    other.state = "InProgress"
    assert await scene.look(times=100, every_s=10) == []
    assert await scene.phase(album) == "under_way"
    other.state = "Completed, Succeeded"
    assert deadlines(await scene.look(times=61, every_s=10)) == [(1, "no_bytes")], "nobody is in front of it any more"


async def test_a_transfer_that_revives_is_waited_for(scene: SlskdScene) -> None:
    album = await scene.enqueued("timeout_then_revive", steps=1)
    assert await scene.look(times=8, every_s=10) == []
    assert await scene.phase(album) == "materialise"
    await scene.step()
    assert await scene.look(times=5, every_s=10) == []
    assert await scene.phase(album) == "no_bytes"


async def test_a_transfer_that_does_not_revive_has_failed(scene: SlskdScene) -> None:
    await scene.enqueued("timeout", steps=1)
    assert await scene.look(times=9, every_s=10) == []
    assert failure(await scene.look(every_s=10)).reason.startswith("transfer_failed: Completed, TimedOut")


async def test_after_0_26_0_a_timeout_is_the_end(scene: SlskdScene) -> None:
    scene.simulator.control(version="0.26.1")
    await scene.enqueued("timeout", steps=1)
    assert failure(await scene.look()).reason.startswith("transfer_failed: Completed, TimedOut")


async def test_what_slskds_own_restart_ended_is_waited_for(scene: SlskdScene) -> None:
    """slskd enqueues it anew, as another transfer without a batch, once it's logged in."""
    album = await scene.enqueued("stall", steps=2)
    await scene.look()
    old = list(scene.simulator.transfers.all.values())
    for one in old:
        one.state, one.exception = "Completed, Errored", "Application shut down"
    scene.simulator.control(connected=False)
    assert await scene.look(times=50, every_s=10) == []
    assert await scene.phase(album) == "held"
    scene.simulator.control(connected=True)
    assert await scene.look(times=5, every_s=10) == []
    scene.simulator.transfers.enqueue(USER, [(one.filename, one.size) for one in old])
    assert await scene.look(times=5, every_s=10) == []
    assert await scene.phase(album) == "no_bytes"


async def test_a_file_that_slskd_could_not_move_has_failed_though_its_transfer_succeeded(scene: SlskdScene) -> None:
    await scene.enqueued("moved_file_missing", steps=3)
    assert failure(await scene.look()).reason.startswith("transfer_not_moved: The file could not be moved")


async def test_a_file_that_slskd_told_nobody_of_is_given_time(scene: SlskdScene) -> None:
    album = await scene.enqueued("moved_file_missing", steps=3)
    for one in scene.simulator.transfers.all.values():
        one.exception = None
    assert await scene.look(times=9, every_s=10) == []
    assert await scene.phase(album) == "materialise"
    assert failure(await scene.look(every_s=10)).reason.startswith("never_arrived")


@pytest.mark.parametrize("lists", [1, 3])
async def test_an_empty_list_is_neither_success_nor_at_once_a_failure(scene: SlskdScene, lists: int) -> None:
    album = await scene.enqueued("stall", steps=2)
    await scene.look()
    scene.simulator.control(empty_transfers=lists)
    assert await scene.look(times=lists, every_s=10) == []
    assert await scene.phase(album) == "absent"
    assert await scene.look(every_s=10) == []
    assert await scene.phase(album) == "no_bytes"


async def test_transfers_that_somebody_took_off_the_list(scene: SlskdScene) -> None:
    album = await scene.enqueued("stall", steps=2)
    await scene.look()
    for one in scene.simulator.transfers.all.values():
        one.removed = True
    assert await scene.look(times=3, every_s=1) == [], "three looks within seconds are not enough"
    assert await scene.look(times=2, every_s=10) == []
    told = failure(await scene.look(every_s=10))
    assert told.reason == "gone_from_slskds_list: 3 of 3 files"
    assert len(told.files) == 3
    assert await scene.phase(album) == "absent"


async def test_one_file_that_is_gone_while_the_others_go_on(scene: SlskdScene) -> None:
    await scene.enqueued("stall", steps=2)
    first, *others = scene.simulator.transfers.all.values()
    first.removed = True
    for place in range(4):
        others[0].transferred += place
        told = await scene.look(every_s=10)
    assert failure(told).files == (first.filename,)


async def test_files_that_arrived_and_were_cleared_away_are_not_gone(scene: SlskdScene) -> None:
    album = await scene.enqueued(steps=3)
    await scene.look()
    for one in scene.simulator.transfers.all.values():
        one.removed = True
    assert await scene.look(times=10, every_s=10) == [], "their events are in the log, though not folded yet"
    await scene.arrived(album, 3)
    assert await scene.look(times=10, every_s=10) == []


async def test_what_has_not_been_enqueued_yet_waits_without_end(scene: SlskdScene) -> None:
    """For room on the disk, for instance."""
    album = await scene.acquisition()
    batch = uuid4()
    await scene.attempt(
        album, source="soulseek", state="downloading", download_id=str(batch), peer=USER, files=files(FOLDER, NAMES)
    )
    await scene.order(EnqueueDownload(acquisition_id=album, attempt=1, batch_id=batch))
    await scene.pool.execute("UPDATE commands SET attempt = 1")
    assert await scene.look(times=20, every_s=10) == []
    assert await scene.phase(album) == "waiting"
    await scene.pool.execute("UPDATE commands SET state = 'done', finished_at = now()")
    assert deadlines(await scene.look(times=10, every_s=10)) == [(1, "materialise")]


async def test_a_search_has_its_deadline_while_slskd_is_connected(scene: SlskdScene) -> None:
    album = await scene.acquisition(state="searching")
    await scene.attempt(album, source="soulseek", state="searching")
    assert await scene.look(times=40, every_s=10) == [], "it waits for its turn to search"
    await scene.pool.execute("UPDATE attempts SET searched_at = now()")
    scene.simulator.control(connected=False)
    assert await scene.look(times=40, every_s=10) == []
    scene.simulator.control(connected=True)
    await scene.look(times=20, every_s=10)
    await scene.pool.execute("UPDATE attempts SET searched_at = now()")
    assert await scene.look(times=30, every_s=10) == [], "the next text has its own time"
    assert deadlines(await scene.look(every_s=10)) == [(1, "no_source")]
    assert not [call for call in scene.simulator.calls if call.path.startswith("/api/v0/transfers")]


async def test_readings_that_failed_are_none(scene: SlskdScene) -> None:
    album = await scene.enqueued("stall", steps=2)
    await scene.look()
    before = await scene.watch(album)
    scene.simulator.control(offline=True)
    with pytest.raises(PeerAway):
        await scene.look()
    scene.simulator.control(offline=False)
    for path in ("/api/v0/application", "/api/v0/transfers/downloads", "/api/v0/events"):
        scene.simulator.control(fail_next={"status": 500, "path": path})
        with pytest.raises(PeerFailed):
            await scene.look()
    assert await scene.watch(album) == before
    await scene.look(every_s=200_000)
    assert (await scene.watch(album))["phase_s"] == 10


async def test_the_files_of_another_attempt_are_not_this_ones(scene: SlskdScene) -> None:
    await scene.enqueued("reject", steps=1)
    other = await scene.acquisition()
    wanted = (WantedFile("@@bob\\b\\01 Track 1.flac", 1),)
    await scene.attempt(other, source="soulseek", state="downloading", peer="bob", files=wanted)
    assert len(await scene.look()) == 1
    assert await scene.phase(other) == "materialise"
