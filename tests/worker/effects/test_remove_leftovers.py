"""What failed attempts left with slskd goes, where that is allowed; what isn't ours stays."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from shared.acquisition.commands import RemoveLeftovers
from shared.acquisition.findings import LeftoversRemoved
from shared.errors import StepAside
from tests.worker.effects.scene import ARTIST, REMOTE, TITLE, Scene
from worker.clients.answers import PeerAway
from worker.effects.effect import Found
from worker.handover.paths import mark_of

SIZE = 30_000_000
SHARED = ["/downloads/First Light/01 Opening.flac", "/downloads/First Light/02 Slow Water.flac"]


def own_folder(home: UUID) -> str:
    return f"/downloads/{ARTIST} - {TITLE} {mark_of(home, 1)}"


async def failed(scene: Scene, *paths: str, home: UUID | None = None, state: str = "failed") -> RemoveLeftovers:
    """A failed attempt with these files, one more that never came, and the files on the disk."""
    files: dict[str, str | None] = {f"{REMOTE}\\{number}.flac": path for number, path in enumerate(paths)}
    made = await scene.attempt({**files, f"{REMOTE}\\never.flac": None}, state=state, acquisition=home)
    scene.save(*paths)
    return RemoveLeftovers(acquisition_id=made, attempt=1)


async def outcome(scene: Scene, command: RemoveLeftovers) -> tuple[str, int]:
    (signal,) = (await scene.perform(command)).signals
    assert isinstance(signal, LeftoversRemoved)
    return signal.outcome, signal.size_bytes


def left(scene: Scene) -> list[str]:
    return [file.path for file in scene.disk.under("/downloads")]


@pytest.mark.parametrize("state", ["failed", "abandoned"])
async def test_a_folder_of_our_own_goes_whole(scene: Scene, state: str) -> None:
    scene.slskd.control(remote_file_management=True)
    home = uuid4()
    own = own_folder(home)
    command = await failed(scene, f"{own}/CD1/1.flac", f"{own}/CD2/1.flac", home=home, state=state)
    scene.save(f"{own}/cover.jpg", "/downloads/another/1.flac")
    assert await outcome(scene, command) == ("removed", 2 * SIZE)
    assert left(scene) == ["/downloads/another/1.flac"]
    assert await outcome(scene, command) == ("gone", 0)


async def test_of_a_folder_that_others_use_only_our_files_go(scene: Scene) -> None:
    scene.slskd.control(remote_file_management=True)
    command = await failed(scene, *SHARED)
    theirs = "/downloads/First Light/03 Theirs.flac"
    scene.save(theirs)
    scene.disk.take(SHARED[1])
    assert await outcome(scene, command) == ("removed", SIZE)
    assert left(scene) == [theirs]
    assert await outcome(scene, command) == ("gone", 0)


async def test_where_it_is_not_allowed_it_is_listed_with_its_size(scene: Scene) -> None:
    home = uuid4()
    command = await failed(scene, f"{own_folder(home)}/1.flac", *SHARED, home=home)
    assert await outcome(scene, command) == ("not_allowed", 3 * SIZE)
    assert len(left(scene)) == 3
    await scene.pool.execute("UPDATE attempts SET leftovers = 'not_allowed'")
    row = await scene.pool.fetchrow("SELECT * FROM leftovers")
    assert (row["outcome"], row["files"], row["size_bytes"], len(row["paths"])) == ("not_allowed", 3, 3 * SIZE, 3)
    with pytest.raises(StepAside):  # which is told once
        await scene.perform(command)
    for path in left(scene):
        scene.disk.take(path)
    assert await outcome(scene, command) == ("gone", 0), "by hand, perhaps"


@pytest.mark.parametrize(
    ("state", "newer", "stays"),
    [("importing", True, True), ("importing", False, True), ("completed", True, True), ("completed", False, False)],
)
async def test_what_another_attempt_has_put_in_the_same_place_stays(
    scene: Scene, state: str, newer: bool, stays: bool
) -> None:
    """Ours was imported or taken away; then slskd put another one there."""
    scene.slskd.control(remote_file_management=True)
    command = await failed(scene, *SHARED)
    other = await scene.attempt({f"{REMOTE}\\x.flac": SHARED[0]}, state=state, album=uuid4())
    if not newer:
        await scene.pool.execute(
            "UPDATE attempts SET grabbed_at = now() - interval '1 day' WHERE acquisition_id = $1", other
        )
    assert await outcome(scene, command) == ("removed", SIZE if stays else 2 * SIZE)
    assert left(scene) == (SHARED[:1] if stays else [])


async def test_what_is_outside_of_slskds_downloads_is_left_alone(scene: Scene) -> None:
    scene.slskd.control(remote_file_management=True, downloads_dir="/elsewhere")
    assert await outcome(scene, await failed(scene, *SHARED)) == ("not_allowed", 2 * SIZE)
    assert left(scene) == SHARED


@pytest.mark.parametrize(("state", "leftovers"), [("importing", None), ("completed", None), ("failed", "removed")])
async def test_an_attempt_that_goes_on_or_is_cleared_up_keeps_what_is_there(
    scene: Scene, state: str, leftovers: str | None
) -> None:
    scene.slskd.control(remote_file_management=True)
    scene.save(*SHARED)
    home = await scene.attempt({f"{REMOTE}\\1.flac": SHARED[0]}, state=state, leftovers=leftovers)
    assert await scene.perform(RemoveLeftovers(acquisition_id=home, attempt=1)) == Found()
    assert left(scene) == SHARED


async def test_while_slskd_is_away_it_waits(scene: Scene) -> None:
    command = await failed(scene, *SHARED)
    scene.slskd.control(offline=True)
    with pytest.raises(PeerAway):
        await scene.perform(command)
