"""Run a program of Postgres: its output as it comes, its complaints when it fails, and never left behind."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

from reprise.libpq import Target

_CHUNK = 1 << 18
_LONGEST_COMPLAINT = 2000


class ProgramFailed(Exception):  # noqa: N818 - an outcome, turned into one of problems.py by whoever ran it
    """It ended with another code than 0; the message is what it said last."""


@asynccontextmanager
async def program(arguments: Sequence[str], target: Target | None = None) -> AsyncIterator[Running]:
    """Start it. Leaving the block normally waits for its end, and raises ProgramFailed; otherwise it is killed."""
    process = await asyncio.create_subprocess_exec(
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "LC_ALL": "C", **(target.environment if target else {})},
        start_new_session=True,  # Ctrl-C reaches us alone, and we end it
    )
    assert process.stderr is not None
    said = asyncio.create_task(process.stderr.read())
    try:
        running = Running(process, said)
        yield running
        await running.end()
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        said.cancel()


class Running:
    """A program at work."""

    def __init__(self, process: asyncio.subprocess.Process, said: asyncio.Task[bytes]) -> None:
        self._process = process
        self._said = said

    async def output(self) -> AsyncIterator[bytes]:
        """All it writes."""
        assert self._process.stdout is not None
        while chunk := await self._process.stdout.read(_CHUNK):
            yield chunk

    async def feed(self, chunk: bytes) -> bool:
        """Hand it some input; False when it takes no more, which is its own business (end() says why)."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(chunk)
            await self._process.stdin.drain()
        except (BrokenPipeError, ConnectionResetError):
            return False
        return True

    async def no_more(self) -> None:
        """Tell it that this was all."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        with suppress(BrokenPipeError, ConnectionResetError):
            await self._process.stdin.wait_closed()

    async def end(self) -> None:
        """Wait for its end. Raises ProgramFailed."""
        await self.no_more()
        code, said = await self._process.wait(), await self._said
        if code != 0:
            words = said.decode(errors="replace").strip()[:_LONGEST_COMPLAINT]
            raise ProgramFailed(words or f"exit code {code}")
