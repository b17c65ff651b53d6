"""The slskd client against the simulated slskd, over real HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from reprise.simulator import DiskFile, SlskdSimulator
from shared.config import Secret
from worker.clients import slskd_server
from worker.clients.answers import PeerAway, PeerMisconfigured, PeerRefused
from worker.clients.slskd import SlskdClient
from worker.clients.slskd_answers import Application, EventRow, Version
from worker.clients.slskd_server import Removal

KEY = "a-key-of-sixteen-characters"


@pytest.fixture
async def simulator() -> AsyncIterator[SlskdSimulator]:
    found = SlskdSimulator(api_key=KEY)
    async with found.serve():
        yield found


@pytest.fixture
async def slskd(simulator: SlskdSimulator) -> AsyncIterator[SlskdClient]:
    client = SlskdClient(simulator.url, Secret(KEY))
    yield client
    await client.close()


async def test_it_says_its_version_and_state(slskd: SlskdClient, simulator: SlskdSimulator) -> None:
    application = await slskd.application()
    assert application.release == (0, 26, 0)
    assert application.takes_batches
    assert application.server.is_logged_in
    simulator.control(version="0.24.5", connected=False)
    assert not (await slskd.application()).takes_batches
    assert not (await slskd.server()).is_logged_in


@pytest.mark.parametrize(
    ("text", "release"), [("0.26.0", (0, 26, 0)), ("0.22.1.65534-local", (0, 22, 1, 65534)), ("", ())]
)
def test_versions_are_numbers(text: str, release: tuple[int, ...]) -> None:
    assert Application(version=Version(current=text)).release == release


async def test_the_version_is_read_again_after_a_while(
    slskd: SlskdClient, simulator: SlskdSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await slskd.takes_batches()
    simulator.control(version="0.25.1")
    assert await slskd.takes_batches()
    assert len(simulator.calls) == 1
    monkeypatch.setattr(slskd_server, "VERSION_KEPT_S", 0.0)
    assert not await slskd.takes_batches()


async def test_its_folders_are_told(slskd: SlskdClient, simulator: SlskdSimulator) -> None:
    simulator.control(downloads_dir="/data/soulseek", remote_file_management=True)
    options = await slskd.options()
    assert (options.directories.downloads, options.directories.incomplete) == ("/data/soulseek", "/incomplete")
    assert options.remote_file_management


async def test_who_is_online(slskd: SlskdClient, simulator: SlskdSimulator) -> None:
    simulator.control(peers=[{"username": "a/b c?"}, {"username": "gone", "online": False}])
    assert [await slskd.user_online(name) for name in ("a/b c?", "gone", "nobody")] == [True, False, False]


def saved(simulator: SlskdSimulator, *folders: str) -> None:
    for folder in folders:
        simulator.disk.put(DiskFile(path=f"/downloads/{folder}/01.flac", size=1))


async def test_a_folder_is_deleted_only_where_that_is_allowed(slskd: SlskdClient, simulator: SlskdSimulator) -> None:
    saved(simulator, "job-1/CD1", "job-1/CD2", "job-2")
    assert await slskd.delete_folder("job-1") is Removal.NOT_ALLOWED
    simulator.control(remote_file_management=True)
    assert await slskd.delete_folder("job-1/CD1") is Removal.REMOVED
    assert await slskd.delete_folder("job-1/") is Removal.REMOVED
    assert await slskd.delete_folder("job-1") is Removal.GONE
    assert [file.path for file in simulator.disk.under("/downloads")] == ["/downloads/job-2/01.flac"]
    simulator.control(bad_key=True)
    with pytest.raises(PeerMisconfigured):
        await slskd.delete_folder("job-2")


@pytest.mark.parametrize("folder", ["a??", "xa??", "xxa??", "Ænima", "Sigur Rós/( )", "Motörhead: Überkill?"])
async def test_folders_of_any_name_are_deleted(slskd: SlskdClient, simulator: SlskdSimulator, folder: str) -> None:
    simulator.control(remote_file_management=True)
    saved(simulator, folder, "job-2")
    assert await slskd.delete_folder(folder) is Removal.REMOVED
    assert [file.path for file in simulator.disk.under("/downloads")] == ["/downloads/job-2/01.flac"]


async def test_a_folder_whose_name_cannot_be_said_stays(slskd: SlskdClient, simulator: SlskdSimulator) -> None:
    simulator.control(remote_file_management=True)
    saved(simulator, "ÿÿÿ")
    assert await slskd.delete_folder("ÿÿÿ") is Removal.NOT_ALLOWED


async def test_files_are_listed_with_their_sizes_and_deleted_one_by_one(
    slskd: SlskdClient, simulator: SlskdSimulator
) -> None:
    saved(simulator, "job-1", "job-1/CD2", "job-2")
    assert await slskd.files_in("job-1") == {"01.flac": 1, "CD2/01.flac": 1}
    assert await slskd.files_in("job-1/CD2/") == {"01.flac": 1}
    assert (await slskd.files_in("job-3"), await slskd.files_in("ÿÿÿ")) == (Removal.GONE, Removal.NOT_ALLOWED)
    assert await slskd.delete_file("job-1/01.flac") is Removal.NOT_ALLOWED
    simulator.control(remote_file_management=True)
    assert await slskd.delete_file("job-1/01.flac") is Removal.REMOVED
    assert await slskd.files_in("job-1") == {"CD2/01.flac": 1}
    with pytest.raises(PeerRefused, match="left alone"):
        await slskd.delete_file("../etc/passwd")


@pytest.mark.parametrize("folder", ["", ".", "/", "/etc", "..", "job/../..", "./"])
async def test_no_other_folder_is_deleted(slskd: SlskdClient, simulator: SlskdSimulator, folder: str) -> None:
    simulator.control(remote_file_management=True)
    with pytest.raises(PeerRefused, match="no folder below"):
        await slskd.delete_folder(folder)
    assert simulator.calls == []


async def test_events_come_newest_first_in_slices_with_their_content(
    slskd: SlskdClient, simulator: SlskdSimulator
) -> None:
    for mark in "abc":
        simulator.control(**{"raise": {"type": "DownloadFileComplete", "mark": mark}})
    page = await slskd.events(limit=2)
    assert page.total == 3
    assert [event.whole()["localFilename"] for event in page.events] == ["clocal.file", "blocal.file"]
    newest = page.events[0]
    assert newest.at is not None
    assert newest.at.tzinfo is not None
    assert newest.whole() | {"id": newest.id, "type": "DownloadFileComplete"} == newest.whole()
    rest = await slskd.events(offset=2)
    assert [event.whole()["localFilename"] for event in rest.events] == ["alocal.file"]


def test_an_event_row_whose_data_cannot_be_read_is_kept() -> None:
    row = EventRow(id="1", type="Noop", timestamp="2025-01-02T03:04:05", data="{")
    assert row.whole() == {"type": "Noop", "data": "{", "id": "1", "timestamp": "2025-01-02T03:04:05"}
    assert str(row.at) == "2025-01-02 03:04:05+00:00"
    assert EventRow(id="1", timestamp="soon").at is None


async def test_a_wrong_key_and_absence_are_told_apart(slskd: SlskdClient, simulator: SlskdSimulator) -> None:
    simulator.control(bad_key=True)
    with pytest.raises(PeerMisconfigured, match="SLSKD_API_KEY"):
        await slskd.application()
    simulator.control(bad_key=False, offline=True)
    with pytest.raises(PeerAway):
        await slskd.application()
