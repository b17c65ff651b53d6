"""The command queue of a simulated Lidarr: three at a time, identical ones only once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import count
from typing import Any

from reprise.simulator.clock import Clock
from reprise.simulator.knobs import Json
from reprise.simulator.pace import Pace

THREADS = 3
# Keys of a command's body that don't make it another command.
ENVELOPE = frozenset({"name", "sendUpdatesToClient", "updateScheduledTask", "suppressMessages", "trigger"})


@dataclass(slots=True, kw_only=True, eq=False)
class Command:
    id: int
    name: str
    body: Json
    trigger: str
    queued_at: datetime
    status: str = "queued"
    result: str = "unknown"
    message: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    exception: str | None = None

    def same(self, name: str, body: Json) -> bool:
        return self.name == name and self.body == body and self.status in ("queued", "started")


Execute = Callable[[Command], Awaitable[None]]


class Commands:
    """Commands by id, and what each name does."""

    def __init__(self, clock: Clock, pace: Pace) -> None:
        self._clock = clock
        self._pace = pace
        self._executors: dict[str, tuple[str, Execute]] = {}
        self.reset()

    def reset(self) -> None:
        self.all: dict[int, Command] = {}
        self._live: dict[int, Command] = {}
        self._ids = count(1)
        self._threads = asyncio.Semaphore(THREADS)

    def teach(self, name: str, execute: Execute) -> None:
        self._executors[name.casefold()] = (name, execute)

    def knows(self, name: Any) -> bool:
        return isinstance(name, str) and name.casefold() in self._executors

    def push(self, name: str, body: Json, *, trigger: str = "manual") -> Command:
        """Queue a command, or return the identical one that waits or runs. Raises KeyError if unknown."""
        proper, execute = self._executors[name.casefold()]
        body = {key: value for key, value in body.items() if key not in ENVELOPE}
        same = next((one for one in self._live.values() if one.same(proper, body)), None)
        if same is not None:
            return same
        command = Command(id=next(self._ids), name=proper, body=body, trigger=trigger, queued_at=self._clock.now())
        self.all[command.id] = self._live[command.id] = command
        self._pace.schedule(partial(self._run, command, execute))
        return command

    def orphan(self) -> None:
        """What a restart does to commands that hadn't ended."""
        for command in self.all.values():
            if command.status in ("queued", "started"):
                command.status = "orphaned"
                command.ended_at = self._clock.now()

    async def _run(self, command: Command, execute: Execute) -> None:
        async with self._threads:
            if command.status == "queued":
                await self._perform(command, execute)
            self._live.pop(command.id, None)

    async def _perform(self, command: Command, execute: Execute) -> None:
        command.status, command.started_at = "started", self._clock.now()
        try:
            await execute(command)
        except LookupError as error:
            # Lidarr leaves the result as it is, and says why in the exception alone.
            command.status, command.message = "failed", "Failed"
            command.exception = f"{type(error).__name__}: {error}"
        else:
            command.status = "completed"
            command.result = "successful" if command.result == "unknown" else command.result
            command.message = command.message or "Completed"
        command.ended_at = self._clock.now()
