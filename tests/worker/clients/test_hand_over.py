"""An album's whole way with both clients: enqueued at slskd, counted by its file events, imported by Lidarr."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

import pytest

from reprise.simulator import Disk, LidarrSimulator, SlskdSimulator
from tests.worker.clients.pairs import FIRST, album_of, ended, lidarr_pair, slskd_pair
from worker.clients.lidarr import LidarrClient
from worker.clients.lidarr_answers import Album, Command
from worker.clients.lidarr_calls import HistoryType
from worker.clients.lidarr_candidates import ImportCandidate, PathKind
from worker.clients.slskd import SlskdClient
from worker.clients.slskd_server import Removal

JOB = UUID("00000000-0000-4000-8000-0000000000c1")
ALBUM = "@@abcde\\Music\\Example Ensemble\\Second Wind"
DISCS = {"CD1": 3, "CD2": 2}


@dataclass(frozen=True)
class Scene:
    """One disk, which slskd knows as /downloads and Lidarr as /data/soulseek."""

    slskd: SlskdClient
    slskd_simulator: SlskdSimulator
    lidarr: LidarrClient
    lidarr_simulator: LidarrSimulator
    disk: Disk

    def shares(self, *, bad: str = "") -> None:
        folders = [
            {
                "path": f"{ALBUM}\\{disc}",
                "tracks": tracks,
                "album_mbid": FIRST,
                "bad": disc == bad,
                "first_track": first,
            }
            for (disc, tracks), first in zip(DISCS.items(), (1, 4), strict=True)
        ]
        self.slskd_simulator.control(peer={"username": "one", "folders": folders})

    async def download(self, discs: Mapping[str, str]) -> list[str]:
        """Have slskd fetch each disc into a folder of its own; returns where the files are, as Lidarr would see it."""
        found = await self.slskd.start_search(JOB, "example second wind")
        await self.slskd_simulator.quiet()
        (response,) = await self.slskd.responses(UUID(found.id))
        batches = {str(uuid5(JOB, disc)) for disc in discs}
        for disc, destination in discs.items():
            files = [(file.filename, file.size) for file in response.files if f"\\{disc}\\" in file.filename]
            enqueued = await self.slskd.enqueue(
                response.username, files, batch_id=uuid5(JOB, disc), destination=destination, search_id=JOB
            )
            assert enqueued.complete
            assert enqueued.in_destination
        await self.slskd_simulator.quiet()
        page = await self.slskd.events()
        arrived = [
            event["localFilename"]
            for event in (row.whole() for row in page.events)
            if event["type"] == "DownloadFileComplete" and event["transfer"]["batchId"] in batches
        ]
        root = (await self.slskd.options()).directories.downloads
        return sorted(path.replace(root, "/data/soulseek", 1) for path in arrived)

    async def import_all(self, album: Album, candidates: tuple[ImportCandidate, ...]) -> Command:
        (release,) = album.releases
        files = [
            candidate.chosen(
                artist_id=album.artist_id,
                album_id=album.id,
                album_release_id=release.id,
                track_ids=[track.id for track in candidate.tracks],
            )
            for candidate in candidates
        ]
        return await ended(self.lidarr, self.lidarr_simulator, await self.lidarr.start_manual_import(files))


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    disk = Disk()
    async with slskd_pair(disk) as (slskd, slskd_simulator), lidarr_pair(disk) as (lidarr, lidarr_simulator):
        lidarr_simulator.control(
            album={"album_mbid": FIRST, "in_library": True, "tracks": 5, "discs": 2},
            mounts=[{"disk": "/downloads", "seen_as": "/data/soulseek"}],
        )
        yield Scene(slskd, slskd_simulator, lidarr, lidarr_simulator, disk)


async def test_an_album_of_two_discs_goes_all_the_way(scene: Scene) -> None:
    scene.shares()
    began = datetime.now(UTC) - timedelta(minutes=1)
    album = await album_of(scene.lidarr, FIRST)
    arrived = await scene.download({disc: f"job-1/{disc}" for disc in DISCS})
    assert len(arrived) == 5

    assert await scene.lidarr.path_kind("/data/soulseek/job-1") is PathKind.FOLDER
    assert await scene.lidarr.path_kind("/downloads/job-1") is PathKind.MISSING
    assert sorted(await scene.lidarr.audio_files("/data/soulseek/job-1")) == arrived
    candidates = await scene.lidarr.manual_import_candidates("/data/soulseek/job-1", artist_id=album.artist_id)
    assert sorted(candidate.path for candidate in candidates) == arrived
    assert [candidate.reasons for candidate in candidates] == [()] * 5
    tracks = await scene.lidarr.tracks(album_id=album.id)
    assert sorted(track.id for candidate in candidates for track in candidate.tracks) == [track.id for track in tracks]

    command = await scene.import_all(album, candidates)
    assert command.succeeded
    assert (await album_of(scene.lidarr, FIRST)).complete
    rows = await scene.lidarr.history_since(began, event_type=HistoryType.TRACK_FILE_IMPORTED)
    assert sorted(row.data["droppedPath"] for row in rows) == arrived
    assert scene.disk.under("/downloads") == []

    for transfer in await scene.slskd.downloads_of("one"):
        assert transfer.succeeded
        await scene.slskd.cancel("one", transfer.id, remove=True)
    assert await scene.slskd.downloads() == ()


async def test_discs_in_one_folder_get_in_each_others_way(scene: Scene) -> None:
    """Why there is a folder for each: names repeat, and slskd gives the later file another one."""
    scene.shares()
    arrived = await scene.download(dict.fromkeys(DISCS, "job-1"))
    assert arrived[:2] == [
        "/data/soulseek/job-1/01 Track 1.flac",
        "/data/soulseek/job-1/01 Track 1_638912345678901235.flac",
    ]


async def test_a_bad_disc_is_told_before_anything_is_imported(scene: Scene) -> None:
    scene.shares(bad="CD2")
    album = await album_of(scene.lidarr, FIRST)
    await scene.download({disc: f"job-1/{disc}" for disc in DISCS})
    candidates = await scene.lidarr.manual_import_candidates("/data/soulseek/job-1", artist_id=album.artist_id)
    refused = {candidate.path: candidate.reasons for candidate in candidates if candidate.reasons}
    assert refused == {
        f"/data/soulseek/job-1/CD2/0{number} Track {number}.flac": ("A track has no match",) for number in (1, 2)
    }
    assert not (await album_of(scene.lidarr, FIRST)).statistics.track_file_count

    scene.slskd_simulator.control(remote_file_management=True)
    assert await scene.slskd.delete_folder("job-1") is Removal.REMOVED
    assert scene.disk.under("/downloads") == []


async def test_a_folder_that_lidarr_does_not_see_is_told(scene: Scene) -> None:
    scene.shares()
    scene.lidarr_simulator.control(mounts=[{"disk": "/elsewhere", "seen_as": "/data/soulseek"}])
    await scene.download({disc: f"job-1/{disc}" for disc in DISCS})
    assert await scene.lidarr.path_kind("/data/soulseek") is PathKind.FOLDER
    assert await scene.lidarr.path_kind("/data/soulseek/job-1") is PathKind.MISSING
    assert await scene.lidarr.manual_import_candidates("/data/soulseek/job-1") == ()


async def test_a_file_that_slskd_could_not_move_has_no_event(scene: Scene) -> None:
    scene.shares()
    plan = {"username": "one", "folder": f"{ALBUM}\\CD2", "files": {"01 Track 1.flac": "moved_file_missing"}}
    scene.slskd_simulator.control(plan=plan)
    arrived = await scene.download({disc: f"job-1/{disc}" for disc in DISCS})
    assert "/data/soulseek/job-1/CD2/01 Track 1.flac" not in arrived
    assert len(arrived) == 4
    transfers = await scene.slskd.downloads_of("one")
    assert all(transfer.succeeded for transfer in transfers)
    assert [transfer.exception is not None for transfer in transfers].count(True) == 1
