"""An import that Lidarr runs is followed to its end, and the album's tracks are counted then."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from shared.acquisition.commands import FollowImport, ImportAlbum
from shared.acquisition.findings import ImportEnded, ImportStarted
from shared.acquisition.signals import AlbumDeleted
from shared.errors import StepAside
from tests.worker.effects.scene import REMOTE, TITLES, Scene
from worker.effects.effect import Found

FOLDER = "/downloads/First Light"
PATHS = [f"{FOLDER}/{number:02d} {title}.flac" for number, title in enumerate(TITLES, 1)]


@pytest.fixture
async def begun(scene: Scene) -> FollowImport:
    """An import that waits until the test lets it run."""
    home = await scene.attempt({f"{REMOTE}\\{path.rpartition('/')[2]}": path for path in PATHS})
    scene.save(*PATHS)
    scene.lidarr.control(pace="manual")
    (started,) = (await scene.perform(ImportAlbum(acquisition_id=home, attempt=1))).signals
    assert isinstance(started, ImportStarted)
    return FollowImport(acquisition_id=home, attempt=1, command_id=started.command_id)


async def end_of(scene: Scene, command: FollowImport, **age: timedelta) -> ImportEnded:
    (signal,) = (await scene.perform(command, **age)).signals
    assert isinstance(signal, ImportEnded)
    return signal


async def run(scene: Scene) -> None:
    scene.lidarr.control(pace=0, advance=9)
    await scene.lidarr.quiet()


async def test_while_it_runs_it_is_waited_for(scene: Scene, begun: FollowImport) -> None:
    with pytest.raises(StepAside):
        await scene.perform(begun)
    await run(scene)
    ended = await end_of(scene, begun)
    assert (ended.successful, ended.track_file_count, ended.track_count) == (True, 3, 3)
    assert ended.message == "completed, successful: Manually imported 3 files"


async def test_a_command_that_failed_says_why(scene: Scene, begun: FollowImport) -> None:
    scene.disk.take(PATHS[1])
    await run(scene)
    ended = await end_of(scene, begun)
    assert (ended.successful, ended.track_file_count) == (False, 0)
    assert ended.message.startswith("failed, unknown: Failed; ")
    assert PATHS[1] in ended.message


async def test_success_that_brought_nothing_is_counted(scene: Scene, begun: FollowImport) -> None:
    await run(scene)
    scene.lidarr.world.library.remove_files(scene.lidarr.world.library.albums[1], but=[])
    ended = await end_of(scene, begun)
    assert (ended.successful, ended.track_file_count, ended.track_count) == (True, 0, 3)


async def test_an_import_that_a_restart_broke_off_has_failed_unless_the_album_is_complete(
    scene: Scene, begun: FollowImport
) -> None:
    scene.lidarr.control(restart=True)
    ended = await end_of(scene, begun)
    assert (ended.successful, ended.message) == (False, "orphaned: Lidarr was restarted while it imported")
    scene.lidarr.control(pace=0, manual_import={"album_mbid": str((await scene.album()).foreign_album_id)})
    await scene.lidarr.quiet()
    assert (await end_of(scene, begun)).successful


async def test_an_import_that_lidarr_has_forgotten_is_told_by_the_album(scene: Scene, begun: FollowImport) -> None:
    await run(scene)
    ended = await end_of(scene, replace(begun, command_id=99))
    assert (ended.successful, ended.track_file_count, ended.message) == (True, 3, "Lidarr has forgotten the import")


async def test_patience_ends(scene: Scene, begun: FollowImport) -> None:
    ended = await end_of(scene, begun, age=timedelta(hours=6, seconds=1))
    assert (ended.successful, ended.message) == (False, "Lidarr is still importing (queued)")


async def test_an_album_that_somebody_deletes_meanwhile_is_reported(scene: Scene, begun: FollowImport) -> None:
    await run(scene)
    scene.lidarr.world.library.remove_album(scene.lidarr.world.library.albums[1])
    (signal,) = (await scene.perform(begun)).signals
    assert isinstance(signal, AlbumDeleted)


async def test_an_attempt_that_is_over_needs_no_following(scene: Scene, begun: FollowImport) -> None:
    await scene.pool.execute("UPDATE attempts SET state = 'failed', finished_at = now()")
    asked = len(scene.lidarr.calls)
    assert await scene.perform(begun) == Found()
    assert len(scene.lidarr.calls) == asked
