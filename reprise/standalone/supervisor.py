"""Keep parts running: start them in stages, restart what dies, stop them in the opposite order."""

from __future__ import annotations

import asyncio
import signal
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

import structlog

from shared.errors import ConfigError

log = structlog.get_logger(__name__)


class Part(Protocol):
    """Something that is started, ends at some time, and can be stopped."""

    @property
    def name(self) -> str: ...
    @property
    def pid(self) -> int | None: ...
    async def start(self) -> None: ...
    async def wait(self) -> int: ...
    async def stop(self, hurry: asyncio.Event | None = None) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class BackOff:
    """How long to wait before a restart: doubled each time, as at first after it ran for `settled`."""

    first: timedelta = timedelta(seconds=0.5)
    longest: timedelta = timedelta(seconds=30)
    settled: timedelta = timedelta(seconds=60)


class Supervisor:
    """Runs parts until it is stopped. Parts of one stage start, and stop, at the same time."""

    def __init__(self, back_off: BackOff = BackOff()) -> None:
        self._back_off = back_off
        self._stages: list[tuple[Part, ...]] = []
        self._front: tuple[Part, ...] = ()
        self._keepers: list[asyncio.Task[None]] = []
        self._given_up: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def start(self, *stage: Part) -> None:
        """Start these parts at once, and keep them running. Raises what the first failing start raised."""
        self._stages.append(stage)  # before starting: whatever comes up must be stopped, too
        await self._begin_all(stage)

    async def start_front(self, *parts: Part) -> None:
        """The same with what takes in what comes from outside: started before the stages, and stopped before them."""
        self._front += parts
        await self._begin_all(parts)

    async def _begin_all(self, parts: tuple[Part, ...]) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for part in parts:
                    group.create_task(self._begin(part))
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None

    async def given_up(self) -> int:
        """Wait until a restart can't help, which may never be; returns the exit code that tells why."""
        return await asyncio.shield(self._given_up)

    async def stop(self, hurry: asyncio.Event | None = None) -> None:
        """Stop everything, the front and then the last stage first. `hurry` may be set at any time."""
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        for stage in (self._front, *reversed(self._stages)):
            outcomes = await asyncio.gather(*(part.stop(hurry) for part in stage), return_exceptions=True)
            for part, outcome in zip(stage, outcomes, strict=True):
                if isinstance(outcome, BaseException):
                    log.error("up.stop_failed", child=part.name, exc_info=outcome)
        self._stages.clear()
        self._front = ()

    async def _begin(self, part: Part) -> None:
        await part.start()
        log.info("up.started", child=part.name, pid=part.pid)
        self._keepers.append(asyncio.create_task(self._keep(part)))

    async def _keep(self, part: Part) -> None:
        delay = self._back_off.first
        while True:
            began = time.monotonic()
            code = await part.wait()
            if code == ConfigError.exit_code:
                log.error("up.child_misconfigured", child=part.name)
                if not self._given_up.done():
                    self._given_up.set_result(code)
                return
            if time.monotonic() - began > self._back_off.settled.total_seconds():
                delay = self._back_off.first
            delay = await self._restart(part, _how(code), delay)

    async def _restart(self, part: Part, reason: str, delay: timedelta) -> timedelta:
        """Start it again, however often it takes; returns the delay to begin with the next time."""
        while True:
            log.error("up.child_ended", child=part.name, reason=reason, restart_in_s=delay.total_seconds())
            await asyncio.sleep(delay.total_seconds())
            delay = min(delay * 2, self._back_off.longest)
            try:
                await part.start()
            except Exception as error:  # noqa: BLE001 - for whatever reason: it's told, and tried again
                reason = f"can't be restarted: {error!r}"
            else:
                log.info("up.restarted", child=part.name, pid=part.pid)
                return delay


def _how(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
