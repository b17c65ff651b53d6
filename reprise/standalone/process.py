"""Start a child process that can't outlive us, wait for it, and end it step by step."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import IO

import structlog

from reprise.standalone.account import Account

log = structlog.get_logger(__name__)

_LAUNCHER = Path(__file__).with_name("launch.py")
_POLL_S = 0.05
_REPORT_EVERY_S = 5.0

Step = tuple[signal.Signals, timedelta | None]
"""A signal, and how long to wait after it before the next step; None waits for ever."""


@dataclass(frozen=True, slots=True)
class Child:
    """A running process of ours, in a session of its own so that Ctrl-C reaches only its supervisor."""

    name: str
    popen: subprocess.Popen[bytes]

    @property
    def pid(self) -> int:
        return self.popen.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative is the number of the signal that ended it."""
        return self.popen.poll()

    async def wait(self) -> int:
        """Wait for its end, and return the exit code. Any number of tasks may wait."""
        if self.exit_code is None:
            await _ended(self.popen)
        return self.popen.wait()

    async def finish(self) -> int:
        """Wait for the end of a short-lived child, which is ended too if the waiting is cancelled."""
        try:
            return await self.wait()
        except asyncio.CancelledError:
            await self.stop((signal.SIGTERM, timedelta(seconds=5)), (signal.SIGKILL, None))
            raise

    async def stop(self, *steps: Step, hurry: asyncio.Event | None = None) -> int:
        """Send the signals one after the other until it ends; `hurry` skips to the last one."""
        hurried = asyncio.ensure_future((hurry or asyncio.Event()).wait())
        ended = asyncio.ensure_future(self.wait())
        try:
            for number, (sig, patience) in enumerate(steps, start=1):
                last = number == len(steps)
                if hurried.done() and not last:
                    continue
                if self.exit_code is None:
                    self.popen.send_signal(sig)
                await asyncio.wait(
                    {ended} if last else {ended, hurried},
                    timeout=patience.total_seconds() if patience else None,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                if ended.done():
                    break
            return await ended
        finally:
            hurried.cancel()
            ended.cancel()


def spawn(
    name: str,
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    account: Account | None = None,
    cwd: Path | None = None,
    death_signal: signal.Signals = signal.SIGTERM,
    stdin: bytes | None = None,
    output: IO[bytes] | None = None,
    keep_fds: Sequence[int] = (),
) -> Child:
    """Start `argv` as `account`. Call it from the main thread.

    Linux sends `death_signal` when the starting *thread* ends (prctl(2)); elsewhere the child must be found
    again by its pid file. `output` takes stdout and stderr; without it they are inherited.
    """
    spec = {
        "argv": [str(argument) for argument in argv],
        "parent": os.getpid(),
        "death_signal": int(death_signal),
        "uid": account.uid if account else None,
        "gid": account.gid if account else None,
    }
    popen = subprocess.Popen(  # noqa: S603 - argv is ours
        # -I -S: nothing of the user's environment may change what runs before the user is changed
        [sys.executable, "-I", "-S", str(_LAUNCHER), json.dumps(spec)],
        stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT if output else None,
        env=dict(env),
        cwd=cwd,
        pass_fds=keep_fds,
        start_new_session=True,
    )
    if stdin is not None and popen.stdin:
        popen.stdin.write(stdin)
        popen.stdin.close()
    return Child(name, popen)


def runs_with(pid: int, argument: str) -> bool:
    """Whether `pid` is a living process with this argument: the proof that a pid file isn't stale.

    Arguments are what everybody may see of another user's process; even root in a container may not see its folder.
    """
    if sys.platform != "linux":
        listing = subprocess.run(  # noqa: S603
            ["/bin/ps", "-p", str(pid), "-o", "command="], capture_output=True, text=True, check=False
        )
        return argument in listing.stdout
    try:
        # a zombie has no arguments any more, so it counts as gone
        return os.fsencode(argument) in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError):
        return False


async def end_leftover(name: str, pid: int, alive: Callable[[], bool], *steps: Step) -> None:
    """End a process that isn't our child, with these signals, until it's no longer `alive`."""
    if not alive():
        return
    log.warning("standalone.leftover_stopping", name=name, pid=pid)
    for sig, patience in steps:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, sig)
        began = reported = time.monotonic()
        while patience is None or time.monotonic() - began < patience.total_seconds():
            if not alive():
                return
            if time.monotonic() - reported > _REPORT_EVERY_S:
                reported = time.monotonic()
                log.info("standalone.leftover_stopping", name=name, pid=pid, waited_s=round(reported - began))
            await asyncio.sleep(_POLL_S)


async def _ended(popen: subprocess.Popen[bytes]) -> None:
    if not hasattr(os, "pidfd_open"):
        while popen.poll() is None:  # noqa: ASYNC110 - macOS has nothing to wait on
            await asyncio.sleep(_POLL_S)
        return
    try:
        fd = os.pidfd_open(popen.pid)
    except ProcessLookupError:
        return
    loop = asyncio.get_running_loop()
    readable = loop.create_future()

    def ready() -> None:
        loop.remove_reader(fd)
        if not readable.done():
            readable.set_result(None)

    loop.add_reader(fd, ready)
    try:
        await readable
    finally:
        loop.remove_reader(fd)
        os.close(fd)
