"""Looks at a simulated Lidarr: what its queue shows of our attempts, and for how long."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest

from reprise.simulator import LidarrSimulator
from shared.acquisition.commands import EnsureAlbum
from shared.acquisition.findings import DeadlinePassed, DownloadVanished
from shared.acquisition.importing import TRACKS_UNKNOWN
from shared.acquisition.steps import NO_SOURCE
from shared.settings.registry import Settings
from tests.worker.clients.pairs import album_of, lidarr_pair
from tests.worker.observe.scene import Scene
from worker.clients.answers import PeerAway, PeerFailed
from worker.effects.effect import Tools
from worker.observe.lidarr import observe_lidarr


@dataclass
class LidarrScene(Scene):
    """A scene with a Lidarr."""

    tools: Tools
    simulator: LidarrSimulator

    def __post_init__(self) -> None:
        super().__init__(self.tools, observe_lidarr)

    async def grabbed(self, outcome: str, **plan: Any) -> UUID:
        """An album that Lidarr grabbed; its download then goes on by steps. Answers the acquisition."""
        mbid = str(uuid4())
        lidarr = self.tools.need_lidarr()
        self.simulator.control(pace="manual", plan={"album_mbid": mbid, "attempts": [outcome], **plan})
        self.simulator.control(grab={"album_mbid": mbid, "outcome": outcome})
        await self.step()
        album = await album_of(lidarr, mbid)
        rows = await lidarr.history(album_id=album.id)
        acquisition = await self.acquisition(album_mbid=UUID(mbid), lidarr_album_id=album.id)
        return await self.attempt(
            acquisition,
            source="lidarr",
            state="downloading",
            download_id=rows[0].download_id.lower() or None,
            grab_history_id=rows[0].id,
        )

    async def step(self, count: int = 1) -> None:
        """Let the simulated Lidarr go on."""
        self.simulator.control(advance=count)
        await self.simulator.quiet()


@pytest.fixture
async def scene(pool: Any) -> AsyncIterator[LidarrScene]:
    async with lidarr_pair() as (client, simulator):
        yield LidarrScene(Tools(pool=pool, lidarr=client), simulator)


def deadlines(signals: list[Any]) -> list[tuple[int, str]]:
    assert all(isinstance(one, DeadlinePassed) for one in signals)
    return [(one.attempt, one.phase) for one in signals]


async def test_a_stalled_download_is_given_ten_minutes_of_answered_looks(scene: LidarrScene) -> None:
    album = await scene.grabbed("stall")
    assert await scene.look(times=20, every_s=30) == []
    assert await scene.phase(album) == "no_bytes"
    told = await scene.look(every_s=30)
    assert deadlines(told) == [(1, "no_bytes")]
    assert told[0].waited_s == 600
    assert await scene.look(times=19, every_s=30) == [], "told once"


async def test_time_in_which_lidarr_did_not_answer_is_none(scene: LidarrScene) -> None:
    album = await scene.grabbed("stall")
    await scene.look(times=3, every_s=30)
    before = await scene.watch(album)
    scene.simulator.control(offline=True)
    with pytest.raises(PeerAway):
        await scene.look()
    assert await scene.watch(album) == before
    scene.simulator.control(offline=False)
    await scene.look(every_s=200_000)
    assert (await scene.watch(album))["phase_s"] - before["phase_s"] == 30


async def test_progress_gives_a_download_new_time(scene: LidarrScene) -> None:
    album = await scene.grabbed("stall")
    await scene.look(times=10, every_s=30)
    mbid = await scene.pool.fetchval("SELECT album_mbid FROM acquisitions")
    scene.simulator.control(in_client={"album_mbid": str(mbid), "sizeleft": 1_000_000})
    await scene.look(every_s=30)
    watch = await scene.watch(album)
    assert (watch["phase_s"], int(watch["total_s"])) == (0, 300)


@pytest.mark.parametrize("status", ["paused", "delay", "downloadClientUnavailable", "queued"])
async def test_a_download_that_waits_in_its_client_is_not_stalled(scene: LidarrScene, status: str) -> None:
    album = await scene.grabbed("stall")
    mbid = await scene.pool.fetchval("SELECT album_mbid FROM acquisitions")
    scene.simulator.control(in_client={"album_mbid": str(mbid), "status": status})
    assert await scene.look(times=30, every_s=30) == []
    watch = await scene.watch(album)
    assert int(watch["total_s"]) == (870 if status == "queued" else 0)


async def test_an_import_that_waits_for_a_person_has_its_deadline_with_lidarrs_own_words(scene: LidarrScene) -> None:
    album = await scene.grabbed("blocked")
    await scene.step()
    told = await scene.look(times=31, every_s=30)
    assert deadlines(told) == [(1, "import")]
    assert told[0].detail == "The artist is not the one expected: import it by hand."
    assert await scene.phase(album) == "import"


async def test_a_download_that_vanished_is_told_after_three_looks_and_a_while(scene: LidarrScene) -> None:
    album = await scene.grabbed("vanish")
    await scene.look()
    assert await scene.phase(album) == "no_bytes"
    await scene.step()
    assert await scene.look(times=3, every_s=1) == [], "three looks within seconds are not enough"
    told = await scene.look(times=4, every_s=30)
    assert told == [DownloadVanished(acquisition_id=album, attempt=1, readings=6)]
    await scene.pool.execute("UPDATE attempts SET state = 'failed', finished_at = now()")
    await scene.look()
    assert await scene.watch(album) is None, "what is over has no watch"


async def test_an_empty_page_by_mistake_is_no_absence(scene: LidarrScene) -> None:
    album = await scene.grabbed("stall")
    await scene.look()
    scene.simulator.control(empty_queue_page=1)
    assert await scene.look(every_s=30) == []
    assert await scene.phase(album) == "absent"
    assert await scene.look(times=5, every_s=30) == []
    watch = await scene.watch(album)
    assert (watch["phase"], watch["absent"]) == ("no_bytes", 0)


async def test_a_reading_that_failed_is_no_reading(scene: LidarrScene) -> None:
    album = await scene.grabbed("stall")
    await scene.look()
    before = await scene.watch(album)
    for path in ("/api/v1/queue", "/api/v1/history/since"):
        scene.simulator.control(fail_next={"status": 500, "count": 1, "path": path})
        with pytest.raises(PeerFailed):
            await scene.look(every_s=0)
        assert await scene.watch(album) == before


async def test_a_download_that_was_imported_meanwhile_has_not_vanished(scene: LidarrScene) -> None:
    album = await scene.grabbed("import")
    await scene.look()
    await scene.step()
    assert await scene.look(times=10, every_s=30) == []
    assert await scene.phase(album) == "under_way"
    assert "HistoryDownloadImported" in await scene.events("lidarr")


async def test_while_lidarr_cannot_ask_its_client_nothing_has_vanished(scene: LidarrScene) -> None:
    """Then it shows no download of that client at all, and its own check says so within seconds."""
    album = await scene.grabbed("stall")
    await scene.look()
    scene.simulator.control(client_away=True)
    assert await scene.look(times=50, every_s=30) == []
    assert await scene.phase(album) == "held"
    scene.simulator.control(client_away=False)
    await scene.look(times=2, every_s=30)
    watch = await scene.watch(album)
    assert (watch["phase"], int(watch["total_s"])) == ("no_bytes", 30)


async def test_a_lidarr_that_does_not_import_by_itself_shows_nothing_that_is_complete(scene: LidarrScene) -> None:
    album = await scene.grabbed("import")
    scene.simulator.control(completed_download_handling=False)
    await scene.look()
    await scene.step()
    assert await scene.look(times=30, every_s=30) == []
    assert await scene.phase(album) == "under_way"


async def test_a_download_that_never_appears(scene: LidarrScene) -> None:
    album = await scene.acquisition()
    await scene.attempt(album, source="lidarr", state="downloading", download_id="SABnzbd_nzo_nowhere")
    told = await scene.look(times=4, every_s=30)
    assert deadlines(told) == [(1, "materialise")]


async def test_a_download_that_lidarr_itself_cannot_see_has_only_its_absolute_deadline(scene: LidarrScene) -> None:
    album = await scene.acquisition()
    await scene.attempt(album, source="lidarr", state="downloading")
    assert await scene.look(times=100, every_s=30) == []
    assert await scene.phase(album) == "under_way"
    await scene.pool.execute("UPDATE watches SET total_s = 21590")
    assert deadlines(await scene.look(every_s=30)) == [(1, "absolute")]


async def test_a_search_counts_from_its_turn(scene: LidarrScene) -> None:
    album = await scene.acquisition(state="searching")
    await scene.attempt(album, source="lidarr", state="searching")
    assert await scene.look(times=100, every_s=30) == []
    await scene.pool.execute("UPDATE attempts SET searched_at = now()")
    assert deadlines(await scene.look(times=11, every_s=30)) == [(1, "no_source")]


async def test_an_album_that_is_not_taken_up(scene: LidarrScene) -> None:
    album = await scene.acquisition(state="pending")
    in_line = await scene.acquisition(state="pending")
    await scene.order(EnsureAlbum(acquisition_id=in_line, album_mbid=uuid4()))
    waiting = await scene.acquisition(state="pending", reason=NO_SOURCE)
    told = await scene.look(times=21, every_s=30)
    assert told == [
        DeadlinePassed(acquisition_id=album, attempt=0, phase="pending", waited_s=600, detail="waited to be taken up")
    ]
    assert await scene.phase(in_line, 0) == "waiting", "no worker has come to it yet"
    assert await scene.phase(waiting, 0) is None


async def test_a_waiting_order_that_was_tried_is_no_line(scene: LidarrScene) -> None:
    album = await scene.acquisition(state="pending")
    await scene.order(EnsureAlbum(acquisition_id=album, album_mbid=uuid4()))
    await scene.pool.execute("UPDATE commands SET fence = 1")
    assert deadlines(await scene.look(times=21, every_s=30)) == [(0, "pending")]


async def test_an_import_of_files_from_soulseek_is_lidarrs(scene: LidarrScene) -> None:
    album = await scene.acquisition(state="importing")
    await scene.attempt(album, source="soulseek", state="importing", download_id="not-lidarrs")
    other = await scene.acquisition()
    await scene.attempt(other, source="soulseek", state="downloading", download_id="not-lidarrs-either")
    assert deadlines(await scene.look(times=31, every_s=30)) == [(1, "import")]
    assert await scene.watch(other) is None


async def test_an_album_whose_tracks_lidarr_does_not_know_yet_is_not_late(scene: LidarrScene) -> None:
    album = await scene.acquisition(state="importing", reason=TRACKS_UNKNOWN)
    await scene.attempt(album, source="lidarr", state="importing", download_id="D1")
    assert await scene.look(times=40, every_s=30) == []
    assert await scene.phase(album) == "under_way"


async def test_what_is_only_watched_has_no_deadlines(scene: LidarrScene) -> None:
    album = await scene.acquisition(origin="lidarr")
    await scene.attempt(album, source="lidarr", state="downloading", download_id="D1")
    assert await scene.look(times=10, every_s=30) == []
    assert await scene.watch(album) is None
    assert not [call for call in scene.simulator.calls if call.path == "/api/v1/queue"], "nor is the queue read for it"


async def test_deadlines_are_settings(scene: LidarrScene) -> None:
    scene.tools = Tools(
        pool=scene.pool, lidarr=scene.tools.lidarr, settings=lambda: Settings(version=2, deadline_no_bytes=60)
    )
    await scene.grabbed("stall")
    assert deadlines(await scene.look(times=3, every_s=30)) == [(1, "no_bytes")]


async def test_two_looks_at_once_count_once(scene: LidarrScene) -> None:
    album = await scene.grabbed("stall")
    await scene.look()
    await scene.pool.execute("UPDATE watches SET seen_at = seen_at - interval '20 seconds', phase_s = 585")
    first, second = await observe_lidarr(scene.tools), await observe_lidarr(scene.tools)
    told = await scene.settle(second) + await scene.settle(first)
    assert deadlines(told) == [(1, "no_bytes")]
    assert (await scene.watch(album))["phase_s"] < 5


async def test_a_lidarr_whose_clock_is_ahead_hides_nothing_from_us(scene: LidarrScene) -> None:
    """Rows from the future don't move the cursor there, and one that an earlier release moved there comes back."""
    await scene.look()
    scene.simulator.control(shift_clock=86_400)
    await scene.grabbed("stall")
    await scene.look()
    assert await scene.pool.fetchval("SELECT observed_until <= now() FROM peers WHERE name = 'lidarr'")
    await scene.pool.execute("UPDATE peers SET observed_until = now() + interval '3 days' WHERE name = 'lidarr'")
    rows = "SELECT count(*) FROM events WHERE source = 'lidarr'"
    before = await scene.pool.fetchval(rows)
    await scene.grabbed("stall")
    await scene.look()
    assert await scene.pool.fetchval(rows) == before + 1
    assert await scene.pool.fetchval("SELECT observed_until <= now() FROM peers WHERE name = 'lidarr'")
