"""Handing files over to a simulated Lidarr: whole or not at all, only our own, and once."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from shared.acquisition.commands import FollowImport, ImportAlbum
from shared.acquisition.findings import ImportBlocked, ImportEnded, ImportRefused, ImportStarted
from shared.acquisition.signals import AlbumDeleted
from shared.settings.paths import PathMapping
from tests.worker.effects.scene import ALBUM, ARTIST, REMOTE, TITLE, TITLES, Scene
from worker.clients.answers import PeerAway
from worker.effects.effect import Found
from worker.effects.enqueue_download import own_folder
from worker.handover.paths import mark_of

NAMES = [f"{number:02d} {title}.flac" for number, title in enumerate(TITLES, 1)]
OTHER = UUID("00000000-0000-4000-8000-000000000502")


def files_in(folder: str, names: list[str] = NAMES) -> dict[str, str | None]:
    """Remote names, with the paths in slskd's folder where they have arrived."""
    return {f"{REMOTE}\\{name}": f"{folder}/{name}" for name in names}


async def ready(
    scene: Scene, folder: str = "/downloads/First Light", *, lidarr_album_id: int | None = 1
) -> ImportAlbum:
    """An attempt whose files have all arrived in a folder, and lie there."""
    files = files_in(folder)
    home = await scene.attempt(files, lidarr_album_id=lidarr_album_id)
    scene.save(*[local for local in files.values() if local])
    return ImportAlbum(acquisition_id=home, attempt=1)


def told(found: Found) -> object:
    (signal,) = found.signals
    return signal


async def blocked(scene: Scene, command: ImportAlbum, **settings: object) -> str:
    signal = told(await scene.perform(command, **settings))
    assert isinstance(signal, ImportBlocked), signal
    assert not scene.orders()
    return signal.reason


async def refused(scene: Scene, command: ImportAlbum) -> str:
    signal = told(await scene.perform(command))
    assert isinstance(signal, ImportRefused), signal
    assert not scene.orders(), "nothing is imported, not even a part"
    return signal.reason


async def imported(scene: Scene, command: ImportAlbum, **settings: object) -> ImportEnded:
    """Begin the import, let Lidarr end it, and look what came of it."""
    started = told(await scene.perform(command, **settings))
    assert isinstance(started, ImportStarted), started
    await scene.lidarr.quiet()
    follow = FollowImport(acquisition_id=command.acquisition_id, attempt=command.attempt, command_id=started.command_id)
    ended = told(await scene.perform(follow))
    assert isinstance(ended, ImportEnded), ended
    return ended


async def test_files_become_the_tracks_that_lidarr_takes_them_for(scene: Scene) -> None:
    ended = await imported(scene, await ready(scene))
    assert (ended.successful, ended.track_file_count, ended.track_count) == (True, 3, 3)
    (order,) = scene.orders()
    assert (order["name"], order["importMode"]) == ("ManualImport", "move")
    assert [(file["albumId"], file["albumReleaseId"], file["trackIds"]) for file in order["files"]] == [
        (1, 1, [number]) for number in (1, 2, 3)
    ]
    assert scene.disk.under("/downloads") == []


async def test_discs_in_our_own_folder_are_one_album(scene: Scene) -> None:
    home = uuid4()
    own = f"/downloads/{ARTIST} - {TITLE} {mark_of(home, 1)}"
    files = {
        f"{REMOTE}\\CD{disc}\\{name}": f"{own}/CD{disc}/{name}" for disc, name in zip((1, 1, 2), NAMES, strict=True)
    }
    await scene.attempt(files, acquisition=home)
    scene.save(*files.values())
    ended = await imported(scene, ImportAlbum(acquisition_id=home, attempt=1))
    assert ended.track_file_count == 3
    looks = [call.query["folder"] for call in scene.lidarr.calls if call.path == "/api/v1/manualimport"]
    assert looks == [[own]]


async def test_of_a_folder_that_holds_more_only_our_files_are_imported(scene: Scene) -> None:
    """slskd before 0.26 puts every folder of the same name together."""
    command = await ready(scene)
    theirs = "/downloads/First Light/01 Somebody Else.flac"
    scene.save(theirs, album=OTHER)
    scene.lidarr.control(album={"album_mbid": str(OTHER), "title": "Second Wind", "artist_name": ARTIST})
    await imported(scene, command)
    assert [file.path for file in scene.disk.under("/downloads")] == [theirs]
    assert theirs not in str(scene.orders())


async def test_sibling_folders_that_are_not_ours_are_looked_into_one_by_one(scene: Scene) -> None:
    files = {
        f"{REMOTE}\\CD{disc}\\{name}": f"/downloads/CD{disc}/{name}"
        for disc, name in zip((1, 1, 2), NAMES, strict=True)
    }
    home = await scene.attempt(files)
    scene.save(*files.values())
    ended = await imported(scene, ImportAlbum(acquisition_id=home, attempt=1))
    assert ended.track_file_count == 3
    looks = [call.query["folder"] for call in scene.lidarr.calls if call.path == "/api/v1/manualimport"]
    assert looks == [["/downloads/CD1"], ["/downloads/CD2"]]


async def test_lidarr_is_asked_for_the_path_that_it_knows(scene: Scene) -> None:
    scene.lidarr.control(mounts=[{"disk": "/downloads", "seen_as": "/data/soulseek"}])
    command = await ready(scene)
    reason = await blocked(scene, command)
    assert reason == (
        "path_not_visible_to_lidarr: Lidarr doesn't see /downloads/First Light;"
        " give it the folder, or set path_mappings"
    )
    wrong = (PathMapping(slskd="/downloads", lidarr="/data/elsewhere"),)
    assert "/data/elsewhere/First Light" in await blocked(scene, command, path_mappings=wrong)
    right = (*wrong, PathMapping(slskd="/downloads/First Light", lidarr="/data/soulseek/First Light"))
    assert (await imported(scene, command, path_mappings=right)).track_file_count == 3


async def test_a_file_that_lidarr_does_not_see_blocks_and_refuses_nothing(scene: Scene) -> None:
    command = await ready(scene)
    scene.disk.take(f"/downloads/First Light/{NAMES[1]}")
    reason = await blocked(scene, command)
    assert reason.startswith("path_not_visible_to_lidarr: /downloads/First Light: ")
    assert NAMES[1] in reason


async def test_lidarrs_own_words_refuse_the_album(scene: Scene) -> None:
    command = await ready(scene)
    scene.save(f"/downloads/First Light/{NAMES[1]}", bad=True)
    assert await refused(scene, command) == f"A track has no match ({NAMES[1]})"
    assert len(scene.disk.under("/downloads")) == 3


async def test_another_album_is_refused_by_its_name(scene: Scene) -> None:
    command = await ready(scene)
    other = {"album_mbid": str(OTHER), "title": "Second Wind", "artist_name": ARTIST, "in_library": True}
    scene.lidarr.control(album=other)
    scene.save(*(f"/downloads/First Light/{name}" for name in NAMES), album=OTHER)
    assert await refused(scene, command) == f"Lidarr takes it for Second Wind ({', '.join(NAMES)})"


async def test_files_that_lidarr_does_not_recognise_are_known_by_their_names(scene: Scene) -> None:
    files = files_in("/downloads/FL 2001")
    home = await scene.attempt(files)
    scene.save(*(local for local in files.values() if local), album="")
    ended = await imported(scene, ImportAlbum(acquisition_id=home, attempt=1))
    assert (ended.successful, ended.track_file_count) == (True, 3)
    assert [file["trackIds"] for file in scene.orders()[0]["files"]] == [[1], [2], [3]]


async def test_names_that_are_no_track_of_the_album_are_refused(scene: Scene) -> None:
    names = [NAMES[0], "02 Another Song.flac", NAMES[2]]
    files = files_in("/downloads/FL 2001", names)
    home = await scene.attempt(files)
    scene.save(*(local for local in files.values() if local), album="")
    reason = await refused(scene, ImportAlbum(acquisition_id=home, attempt=1))
    assert reason == "no track of the album is 02 Another Song.flac, no file is Slow Water"


@pytest.mark.parametrize("names", [NAMES[:2], [*NAMES, "04 Bonus.flac"]])
async def test_less_or_more_than_the_album_is_not_imported(scene: Scene, names: list[str]) -> None:
    files = files_in("/downloads/FL 2001", names)
    home = await scene.attempt(files)
    scene.save(*(local for local in files.values() if local), album="")
    reason = await refused(scene, ImportAlbum(acquisition_id=home, attempt=1))
    assert reason == f"no release of the album has {len(names)} tracks (there are some with 3)"


async def test_less_than_the_album_is_not_imported_though_lidarr_recognises_it(scene: Scene) -> None:
    files = files_in("/downloads/First Light", NAMES[:2])
    home = await scene.attempt(files)
    scene.save(*(local for local in files.values() if local))
    assert await refused(scene, ImportAlbum(acquisition_id=home, attempt=1)) == "no file is Closing"


async def test_an_import_under_way_is_found_not_begun_again(scene: Scene) -> None:
    command = await ready(scene)
    scene.lidarr.control(pace="manual")
    first, second = [told(await scene.perform(command)) for _ in range(2)]
    assert first == second
    assert len(scene.orders()) == 1


async def test_an_import_that_has_taken_some_files_is_found_by_those_it_took(scene: Scene) -> None:
    """Its worker vanished before it could write down that it had begun; meanwhile the import has broken off."""
    command = await ready(scene)
    scene.lidarr.control(pace="manual")
    first = told(await scene.perform(command))
    scene.disk.take(f"/downloads/First Light/{NAMES[2]}")
    scene.lidarr.control(pace=0, advance=1)
    await scene.lidarr.quiet()
    scene.disk.take(f"/downloads/First Light/{NAMES[0]}")
    assert told(await scene.perform(command)) == first
    scene.disk.take(f"/downloads/First Light/{NAMES[1]}")
    assert told(await scene.perform(command)) == first, "though its folder is gone, too"


async def test_an_album_that_is_complete_needs_no_import(scene: Scene) -> None:
    command = await ready(scene)
    scene.lidarr.control(manual_import={"album_mbid": str(ALBUM)})
    await scene.lidarr.quiet()
    signal = told(await scene.perform(command))
    assert isinstance(signal, ImportEnded)
    assert (signal.successful, signal.track_file_count, signal.track_count) == (True, 3, 3)
    assert not scene.orders()


async def test_an_album_that_lidarr_was_never_told_of_is_looked_up_by_its_mbid(scene: Scene) -> None:
    ended = await imported(scene, await ready(scene, lidarr_album_id=None))
    assert ended.track_file_count == 3
    assert scene.orders()[0]["name"] == "ManualImport"


async def test_an_album_that_lidarr_does_not_have_is_left_to_its_scan(scene: Scene) -> None:
    await scene.lidarr_client.album(1)
    album = uuid4()
    home = await scene.attempt(files_in("/downloads/X"), album=album, lidarr_album_id=None)
    command = ImportAlbum(acquisition_id=home, attempt=1)
    scene.save(*(f"/downloads/X/{name}" for name in NAMES), album=album)
    scene.save("/downloads/X/04 Another.flac")
    assert (await blocked(scene, command)).startswith("album_not_in_lidarr: ")
    scene.disk.take("/downloads/X/04 Another.flac")
    ended = await imported(scene, command)
    assert (ended.successful, ended.track_count) == (False, 0)
    (order,) = scene.orders()
    assert (order["name"], order["path"], order["importMode"]) == ("DownloadedAlbumsScan", "/downloads/X", "move")


async def test_an_album_that_was_deleted_in_lidarr_is_reported(scene: Scene) -> None:
    home = await scene.attempt(files_in("/downloads/X"), album=uuid4(), lidarr_album_id=99)
    signal = told(await scene.perform(ImportAlbum(acquisition_id=home, attempt=1)))
    assert isinstance(signal, AlbumDeleted)


async def test_an_attempt_that_is_over_is_not_imported(scene: Scene) -> None:
    home = await scene.attempt(files_in("/downloads/X"), state="failed")
    assert await scene.perform(ImportAlbum(acquisition_id=home, attempt=1)) == Found()
    assert not scene.lidarr.calls


async def test_while_lidarr_is_away_nothing_is_decided(scene: Scene) -> None:
    command = await ready(scene)
    scene.lidarr.control(offline=True)
    with pytest.raises(PeerAway):
        await scene.perform(command)


async def test_the_own_folder_bears_the_mark_by_which_it_is_known(scene: Scene) -> None:
    home = await scene.attempt(files_in("/downloads/X"))
    assert own_folder(await scene.read(home), 3).endswith(mark_of(home, 3))
