"""Files handed over to the simulated Lidarr over real HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from reprise.simulator import LidarrSimulator
from tests.worker.clients.pairs import FIRST, SECOND, album_of, ended, lidarr_pair
from worker.clients import http
from worker.clients.answers import NotFoundAtPeer, PeerAway
from worker.clients.lidarr import LidarrClient
from worker.clients.lidarr_calls import IMPORT_PATIENCE_S
from worker.clients.lidarr_candidates import ImportCommand, ImportFile, PathKind

Pair = tuple[LidarrClient, LidarrSimulator]
JOB = "/downloads/job-1"


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    async with lidarr_pair() as (lidarr, simulator):
        simulator.control(album={"album_mbid": FIRST, "in_library": True}, all_known=False)
        simulator.control(folder={"path": JOB, "album_mbid": FIRST})
        yield lidarr, simulator


async def all_of(lidarr: LidarrClient, folder: str = JOB) -> list[ImportFile]:
    """Every candidate of a folder, chosen as what Lidarr takes it for."""
    album = await album_of(lidarr, FIRST)
    return [
        candidate.chosen(
            artist_id=album.artist_id,
            album_id=album.id,
            album_release_id=album.releases[0].id,
            track_ids=[track.id for track in candidate.tracks],
        )
        for candidate in await lidarr.manual_import_candidates(folder, artist_id=album.artist_id)
    ]


async def test_lidarr_says_what_it_sees_at_a_path(pair: Pair) -> None:
    lidarr, simulator = pair
    simulator.control(mounts=[{"disk": "/downloads", "seen_as": "/data"}, {"disk": "/empty", "seen_as": "/empty"}])
    kinds = {
        "/data/job-1": PathKind.FOLDER,
        "/data/job-1/": PathKind.FOLDER,
        "/data": PathKind.FOLDER,
        "/empty": PathKind.FOLDER,
        "/": PathKind.FOLDER,
        "/data/job-1/01 - Track 1.flac": PathKind.FILE,
        "/data/job-2": PathKind.MISSING,
        "/data/JOB-1": PathKind.MISSING,
        "/downloads/job-1": PathKind.MISSING,
        "/gone/deeply/below": PathKind.MISSING,
        "C:\\downloads\\job-1": PathKind.MISSING,
    }
    assert {path: await lidarr.path_kind(path) for path in kinds} == kinds
    assert len(await lidarr.audio_files("/data")) == 3
    assert await lidarr.audio_files("/downloads") == ()


async def test_candidates_say_what_lidarr_takes_them_for(pair: Pair) -> None:
    lidarr, simulator = pair
    album = await album_of(lidarr, FIRST)
    first, *_ = await lidarr.manual_import_candidates(JOB, artist_id=album.artist_id)
    assert (first.path, first.size, first.reasons) == (f"{JOB}/01 - Track 1.flac", 30_000_001, ())
    assert first.artist is not None
    assert first.album is not None
    assert (first.artist.id, first.album.id) == (album.artist_id, album.id)
    assert first.album_release_id == album.releases[0].id
    assert [track.title for track in first.tracks] == ["Track 1"]
    assert first.quality["quality"] == {"id": 6, "name": "FLAC"}
    asked = simulator.calls[-1].query
    assert asked == {
        "folder": [JOB],
        "artistId": [str(album.artist_id)],
        "filterExistingFiles": ["true"],
        "replaceExistingFiles": ["true"],
    }
    assert await lidarr.manual_import_candidates("/nowhere") == ()
    with pytest.raises(NotFoundAtPeer):
        await lidarr.manual_import_candidates(JOB, artist_id=99)


async def test_what_speaks_against_a_file_is_told(pair: Pair) -> None:
    lidarr, simulator = pair
    simulator.control(folder={"path": "/downloads/job-2", "album_mbid": FIRST, "tracks": 1, "bad": True})
    simulator.control(folder={"path": "/downloads/job-3", "album_mbid": SECOND, "tracks": 1})
    (bad,) = await lidarr.manual_import_candidates("/downloads/job-2")
    assert (bad.reasons, bad.rejections[0].type, bad.tracks) == (("A track has no match",), "permanent", ())
    (strange,) = await lidarr.manual_import_candidates("/downloads/job-3")
    assert (strange.artist, strange.album, strange.tracks) == (None, None, ())
    assert strange.reasons


async def test_files_are_imported_as_the_tracks_that_we_say(pair: Pair) -> None:
    lidarr, simulator = pair
    files = await all_of(lidarr)
    command = await ended(lidarr, simulator, await lidarr.start_manual_import(files))
    assert (command.status, command.result, command.succeeded) == ("completed", "successful", True)
    assert command.message == "Manually imported 3 files"
    assert (await album_of(lidarr, FIRST)).complete
    assert await lidarr.audio_files("/downloads") == ()
    (sent,) = [call.body for call in simulator.calls if call.method == "POST"]
    assert (sent["name"], sent["importMode"], sent["replaceExistingFiles"]) == ("ManualImport", "move", True)
    assert sent["files"][0] == {
        "path": f"{JOB}/01 - Track 1.flac",
        "artistId": 1,
        "albumId": 1,
        "albumReleaseId": 1,
        "trackIds": [1],
        "quality": {"quality": {"id": 6, "name": "FLAC"}, "revision": {"version": 1, "real": 0, "isRepack": False}},
        "indexerFlags": 0,
        "disableReleaseSwitching": False,
    }


async def test_copies_stay_where_they_were(pair: Pair) -> None:
    lidarr, simulator = pair
    await ended(lidarr, simulator, await lidarr.start_manual_import(await all_of(lidarr), import_mode="copy"))
    assert (await album_of(lidarr, FIRST)).complete
    assert len(await lidarr.audio_files(JOB)) == 3


async def test_an_import_that_waits_is_not_ordered_twice(pair: Pair) -> None:
    lidarr, simulator = pair
    files = await all_of(lidarr)
    simulator.control(pace="manual")
    first, again = [await lidarr.start_manual_import(files) for _ in range(2)]
    assert (first.id, first.over) == (again.id, False)


async def test_a_file_that_is_gone_fails_the_import_with_the_reason(pair: Pair) -> None:
    lidarr, simulator = pair
    files = await all_of(lidarr)
    simulator.world.disk.take(files[1].path)
    command = await ended(lidarr, simulator, await lidarr.start_manual_import(files))
    assert (command.status, command.succeeded) == ("failed", False)
    assert files[1].path in command.exception


async def test_a_scan_tells_whether_anything_came_in(pair: Pair) -> None:
    lidarr, simulator = pair
    nothing = await ended(lidarr, simulator, await lidarr.start_scan("/nowhere"))
    assert (nothing.status, nothing.result, nothing.message) == ("completed", "unsuccessful", "Failed to import")
    assert not nothing.succeeded
    unnamed = await ended(lidarr, simulator, await lidarr.start_scan(JOB))
    assert unnamed.result == "unsuccessful"
    simulator.control(folder={"path": "/downloads/Artist 000501 - Album", "album_mbid": FIRST})
    something = await ended(lidarr, simulator, await lidarr.start_scan("/downloads/Artist 000501 - Album"))
    assert something.succeeded
    assert (await album_of(lidarr, FIRST)).complete


async def test_reading_a_folder_may_take_longer_than_other_calls(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    lidarr, simulator = pair
    assert IMPORT_PATIENCE_S > http.MAX_CALL_S
    monkeypatch.setattr(http, "TRY_LIMIT_S", 0.01)
    monkeypatch.setattr(http, "MAX_CALL_S", 0.1)
    simulator.control(slow=0.2)
    with pytest.raises(PeerAway):
        await lidarr.audio_files(JOB)
    assert len(await lidarr.manual_import_candidates(JOB)) == 3


async def test_imports_are_listed_with_what_they_are_about(pair: Pair) -> None:
    lidarr, simulator = pair
    simulator.control(pace="manual")
    await lidarr.search_album(1)
    by_hand = await lidarr.start_manual_import(await all_of(lidarr))
    scan = await lidarr.start_scan("/downloads/job-2")
    assert [(one.id, one.over, one.paths) for one in await lidarr.imports()] == [
        (scan.id, False, ("/downloads/job-2",)),
        (by_hand.id, False, tuple(f"{JOB}/0{number} - Track {number}.flac" for number in (1, 2, 3))),
    ]


@pytest.mark.parametrize("body", [None, [], {}, {"files": 3}, {"files": ["x", {}, {"path": ""}]}, {"path": None}])
def test_a_command_of_another_form_is_about_nothing(body: object) -> None:
    for name in ("ManualImport", "DownloadedAlbumsScan", "RenameFiles"):
        assert ImportCommand(id=1, name=name, body=body).paths == ()
