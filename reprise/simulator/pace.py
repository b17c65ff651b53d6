"""When the next step of a simulated story happens: at once, every few seconds, or only when told."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import structlog

Step = Callable[[], Awaitable[None]]

log = structlog.get_logger(__name__)


class Pace:
    """Runs scheduled steps as background tasks, and knows when none is under way.

    A step that raises is logged, and raised again by `quiet()`.
    """

    def __init__(self, *, on_idle: Callable[[], None] | None = None) -> None:
        self.seconds: float | None = 0.0
        self._on_idle = on_idle
        self._waiting: deque[Step] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._faults: list[BaseException] = []
        self._closing = False

    @property
    def manual(self) -> bool:
        return self.seconds is None

    @property
    def waiting(self) -> int:
        """Steps that wait for `advance`."""
        return len(self._waiting)

    def schedule(self, step: Step) -> None:
        """Let `step` happen after one interval; with a manual pace, when `advance` comes to it."""
        if self.seconds is None:
            self._waiting.append(step)
        else:
            self.spawn(self._after(self.seconds, step))

    def advance(self, count: int) -> None:
        """Run the next `count` waiting steps one after the other, those that they cause included."""
        self.spawn(self._advance(count))

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    async def quiet(self) -> None:
        """Return when nothing is under way; steps that wait for `advance` don't count."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))
        if self._faults:
            faults, self._faults = self._faults, []
            raise faults[0]

    def forget(self) -> None:
        """Drop every step, those under way included."""
        self._waiting.clear()
        for task in self._tasks:
            task.cancel()

    async def close(self) -> None:
        self._closing = True
        self.forget()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._closing = False

    async def _after(self, delay_s: float, step: Step) -> None:
        await asyncio.sleep(delay_s)
        await step()

    async def _advance(self, count: int) -> None:
        for _ in range(count):
            if not self._waiting:
                return
            await self._waiting.popleft()()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (fault := task.exception()) is not None:
            log.error("simulator.step_failed", exc_info=fault)
            self._faults.append(fault)
        if not self._tasks and not self._closing and self._on_idle is not None:
            self._on_idle()
