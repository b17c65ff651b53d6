"""Supervision of real child processes: order, restarts, and nothing left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from reprise.standalone.layout import Layout
from reprise.standalone.process import spawn
from reprise.standalone.program import Program, end_orphans
from reprise.standalone.supervisor import BackOff, Supervisor
from tests.harness.waiting import until

_BACK_OFF = BackOff(first=timedelta(milliseconds=10), longest=timedelta(milliseconds=50))
# Says when it begins and when it ends, so that the order can be read from one file.
_DIARY = """
import os, signal, sys, time
name, diary, stubborn = sys.argv[1], sys.argv[2], sys.argv[3] == "stubborn"
def write(word):
    with open(diary, "a") as file:
        file.write(f"{name} {word}\\n")
def leave(*_):
    if not stubborn:
        write("ended")
        sys.exit(0)
signal.signal(signal.SIGTERM, leave)
write("began")
while True:
    signal.pause()
"""


def _program(
    layout: Layout, name: str, *, script: str = _DIARY, manner: str = "obliging", grace_s: float = 20
) -> Program:
    return Program(
        name,
        [name, str(layout.data_dir / "diary"), manner],
        layout=layout,
        environment=os.environ | {"REPRISE_UP_DATA_DIR": str(layout.data_dir)},
        command=(sys.executable, "-c", script),
        grace=timedelta(seconds=grace_s),
    )


def _diary(layout: Layout) -> list[str]:
    path = layout.data_dir / "diary"
    return path.read_text().splitlines() if path.exists() else []


async def _wrote(layout: Layout, line: str, *, times: int = 1) -> None:
    await until(lambda: _diary(layout).count(line) >= times, what=f"{times} x {line}")


@pytest.fixture
async def supervisor() -> AsyncIterator[Supervisor]:
    made = Supervisor(_BACK_OFF)
    try:
        yield made
    finally:
        hurry = asyncio.Event()
        hurry.set()
        await made.stop(hurry)


async def test_stages_stop_in_the_opposite_order(layout: Layout, supervisor: Supervisor) -> None:
    await supervisor.start(_program(layout, "server"))
    await _wrote(layout, "server began")
    await supervisor.start(_program(layout, "child"))
    await _wrote(layout, "child began")
    await supervisor.stop()
    assert _diary(layout) == ["server began", "child began", "child ended", "server ended"]


async def test_the_front_is_started_before_the_stages_and_stopped_before_them(
    layout: Layout, supervisor: Supervisor
) -> None:
    await supervisor.start_front(_program(layout, "front"))
    await _wrote(layout, "front began")
    for name in ("server", "child"):
        await supervisor.start(_program(layout, name))
        await _wrote(layout, f"{name} began")
    await supervisor.stop()
    assert _diary(layout)[3:] == ["front ended", "child ended", "server ended"]


async def test_a_dead_child_is_restarted_each_time(layout: Layout, supervisor: Supervisor) -> None:
    child = _program(layout, "child")
    await supervisor.start(child)
    pids = set()
    for times in (1, 2, 3):
        await _wrote(layout, "child began", times=times)
        pid = layout.read_pid("child")
        assert pid is not None
        pids.add(pid)
        if times < 3:
            os.kill(pid, signal.SIGKILL)
    assert len(pids) == 3
    assert child.pid == layout.read_pid("child")


async def test_a_misconfigured_child_is_not_restarted(layout: Layout, supervisor: Supervisor) -> None:
    await supervisor.start(_program(layout, "child", script="import sys; sys.exit(78)"))
    assert await asyncio.wait_for(supervisor.given_up(), 20) == 78


async def test_a_child_that_ignores_sigterm_is_killed_after_its_grace(layout: Layout, supervisor: Supervisor) -> None:
    child = _program(layout, "child", manner="stubborn", grace_s=0.2)
    await supervisor.start(child)
    await _wrote(layout, "child began")
    pid = child.pid
    assert pid is not None
    await supervisor.stop()
    assert not psutil.pid_exists(pid)
    assert layout.read_pid("child") is None


async def test_hurry_ends_the_grace_at_once(layout: Layout, supervisor: Supervisor) -> None:
    child = _program(layout, "child", manner="stubborn", grace_s=3600)
    await supervisor.start(child)
    await _wrote(layout, "child began")
    hurry = asyncio.Event()
    stopping = asyncio.create_task(supervisor.stop(hurry))
    hurry.set()
    await asyncio.wait_for(stopping, 20)
    assert _diary(layout) == ["child began"]


async def test_an_orphan_of_an_earlier_run_is_ended_first(layout: Layout, supervisor: Supervisor) -> None:
    orphan = _program(layout, "child")
    await orphan.start()
    await _wrote(layout, "child began")
    await end_orphans(layout)
    assert layout.read_pid("child") is None
    await supervisor.start(_program(layout, "child"))
    await orphan.wait()
    await _wrote(layout, "child began", times=2)
    assert _diary(layout) == ["child began", "child ended", "child began"]


async def test_a_pid_file_that_names_a_stranger_harms_nobody(layout: Layout, tmp_path: Path) -> None:
    diary = tmp_path / "stranger"
    stranger = spawn("stranger", [sys.executable, "-c", _DIARY, "stranger", diary, "obliging"], env=dict(os.environ))
    try:
        layout.write_pid("child", stranger.pid)
        await until(diary.exists)
        await end_orphans(layout)
        assert stranger.exit_code is None
    finally:
        await stranger.stop((signal.SIGKILL, None))


async def test_children_end_with_their_supervisor_even_if_it_is_killed(layout: Layout) -> None:
    """The kernel sees to it: a killed process can't."""
    parent = f"""
import asyncio, os, sys
from pathlib import Path
from reprise.standalone.layout import prepare
from reprise.standalone.program import Program, end_orphans
async def main():
    layout = prepare(Path({str(layout.data_dir)!r}))
    child = Program("child", ["child", {str(layout.data_dir / "diary")!r}, "obliging"], layout=layout,
                    environment=os.environ, command=(sys.executable, "-c", {_DIARY!r}))
    await child.start()
    await asyncio.Event().wait()
asyncio.run(main())
"""
    supervisor = spawn("supervisor", [sys.executable, "-c", parent], env=dict(os.environ))
    await _wrote(layout, "child began")
    pid = layout.read_pid("child")
    assert pid is not None
    await supervisor.stop((signal.SIGKILL, None))
    await _wrote(layout, "child ended")
    await until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
