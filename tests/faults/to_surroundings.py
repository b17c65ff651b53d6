"""What is done around us: to Lidarr, the disk, the clock and the network to Postgres."""

from __future__ import annotations

import asyncio
import shutil
import struct
from pathlib import Path

from tests.faults.fleet import Member
from tests.faults.scene import Scene

_SPOOL_BYTES = 300_000
_CLOCK = Path(__file__).with_name("moved_clock.c")


async def slow_lidarr(scene: Scene) -> None:
    scene.lidarr.control(slow=4.0)
    await asyncio.sleep(scene.lasts_s)
    scene.lidarr.control(slow=0.0)


async def failing_lidarr(scene: Scene) -> None:
    for status in (500, 503):
        scene.lidarr.control(fail_next={"status": status, "count": 1_000_000})
        await asyncio.sleep(scene.lasts_s / 2)
    scene.lidarr.control(fail_next=None)


async def lose_answers(scene: Scene) -> None:
    assert scene.cutter is not None
    scene.cutter.share = 0.1
    await asyncio.sleep(scene.lasts_s)
    scene.cutter.share = 0.0
    scene.notes.append(f"{scene.cutter.cuts} answers lost")


async def small_spool(scene: Scene) -> None:
    """Give the spool a disk of its own that is soon full: a small tmpfs, or where we may not mount, a limit."""
    spool = scene.data_dir / "spool"
    spool.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={_SPOOL_BYTES}", "tmpfs", str(spool)]
    if await _ran(*mount) == 0:
        scene.cleanup.push_async_callback(_ran, "umount", "--lazy", str(spool))
        scene.notes.append(f"the spool lies on a disk of {_SPOOL_BYTES} bytes")
        return
    # A file larger than this fails as on a full disk (EFBIG); a segment is 2 MiB.
    scene.receivers[0].command = ["prlimit", f"--fsize={_SPOOL_BYTES}"]
    scene.notes.append(f"no file may be larger than {_SPOOL_BYTES} bytes")


async def _ran(*command: str) -> int:
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.DEVNULL)
    return await process.wait()


async def fill_spool(scene: Scene) -> None:
    await scene.servers.postgres.stop()
    await asyncio.sleep(scene.lasts_s)
    await scene.servers.postgres.start()
    refused = sum(one.status == 507 for one in scene.load.sent)
    scene.notes.append(f"{refused} answered 507")


async def movable_clocks(scene: Scene) -> None:
    """Let the first receiver and the first worker go by clocks that can be moved."""
    library = scene.folder / "moved_clock.so"
    build = ["cc", "-shared", "-fPIC", "-O2", "-o", str(library), str(_CLOCK), "-ldl"]
    assert await _ran(*build) == 0, "the clock can't be built"
    for member in (scene.receivers[0], scene.workers[0]):
        _set_clock(member, 0)
        member.environment |= {"LD_PRELOAD": str(library), "MOVED_CLOCK": str(member.log.with_suffix(".clock"))}


async def move_clocks(scene: Scene) -> None:
    """An hour ahead, then an hour behind, then right again."""
    for hours in (1, -1, 0):
        for member in (scene.receivers[0], scene.workers[0]):
            _set_clock(member, hours * 3600)
        await asyncio.sleep(scene.lasts_s / 2)


def _set_clock(member: Member, seconds: int) -> None:
    clock = member.log.with_suffix(".clock")
    with clock.open("r+b" if clock.exists() else "w+b") as file:  # the same file, because it is mapped
        file.write(struct.pack("=q", seconds))


def no_compiler() -> str | None:
    """Why clocks can't be moved here, or None."""
    return None if shutil.which("cc") else "needs a C compiler (cc), to build tests/faults/moved_clock.c"
