"""A child that runs one of our own commands, such as `reprise ingest`."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import structlog

from reprise.standalone.layout import Layout
from reprise.standalone.problems import CannotStart
from reprise.standalone.process import Child, end_leftover, spawn

log = structlog.get_logger(__name__)

GRACE = timedelta(seconds=20)
_SERVERS = ("postgres", "valkey")  # which look after their own orphans


class Program:
    """`python -m reprise {arguments}`, under a name of its own. Its output goes where ours goes."""

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        *,
        layout: Layout,
        environment: Mapping[str, str],
        command: Sequence[str] = (sys.executable, "-m", "reprise"),
        grace: timedelta = GRACE,
    ) -> None:
        self.name = name
        self._argv = (*command, *arguments)
        self._layout = layout
        self._environment = dict(environment)
        self._grace = grace
        self._child: Child | None = None

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child else None

    async def start(self) -> None:
        """Start it; it may not be ready for some time."""
        self._child = spawn(self.name, self._argv, env=self._environment)
        self._layout.write_pid(self.name, self._child.pid)

    async def wait(self) -> int:
        """Wait until it ends."""
        if self._child is None:
            raise CannotStart(f"{self.name} isn't started")
        return await self._child.wait()

    async def stop(self, hurry: asyncio.Event | None = None) -> None:
        """SIGTERM, a grace to finish its work in, then SIGKILL; `hurry` takes the grace away."""
        if self._child is None:
            return
        code = await self._child.stop((signal.SIGTERM, self._grace), (signal.SIGKILL, None), hurry=hurry)
        if code == -signal.SIGKILL:
            log.warning("up.child_killed", child=self.name, grace_s=self._grace.total_seconds())
        self._child = None
        self._layout.forget_pid(self.name)


async def end_orphans(layout: Layout) -> None:
    """End the children of an earlier `up` that was killed, all at once; they would hold our ports and names."""
    async with asyncio.TaskGroup() as group:
        for path in layout.run.glob("*.pid"):
            if path.stem not in _SERVERS:
                group.create_task(_end_orphan(layout, path.stem))


async def _end_orphan(layout: Layout, name: str) -> None:
    pid = layout.read_pid(name)
    if pid is not None:
        await end_leftover(
            name,
            pid,
            lambda: _is_ours(pid, layout.data_dir),
            (signal.SIGTERM, GRACE),
            (signal.SIGKILL, None),
        )
    layout.forget_pid(name)


def _is_ours(pid: int, data_dir: Path) -> bool:
    """Whether `pid` is a living child of an earlier `up` on this data directory. Only Linux can tell."""
    try:
        environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return False
    return b"REPRISE_UP_DATA_DIR=" + os.fsencode(data_dir) in environment
