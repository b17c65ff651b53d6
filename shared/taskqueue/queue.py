"""Run handlers when wake-ups come, for as long as the process lives, whatever becomes of Redis.

An arq worker raises and ends on any Redis error; here it is begun again, and until Redis is back the handlers
are woken by the clock. An arq job does no work: it wakes the handler's own task and ends. So no handler is
cancelled because Redis failed, and a killed worker leaves nothing in Redis that others would wait for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

import structlog
from arq.connections import ArqRedis
from arq.worker import Worker, func

from shared.redis import REDIS_FAULTS, RedisLink
from shared.taskqueue.words import Handler, Kind, arq_client, decode_job, encode_job, mark_name, queue_name
from shared.telemetry.metrics import QUEUE_CONNECTED

_PING_LIMIT_S = 2.0
# Between two looks at a queue a listener ends by itself; within one it is cancelled after this time.
_END_LIMIT_S = 0.5
_BACK_OFF_S = (0.1, 0.25, 0.5, 1.0, 2.0)

log = structlog.get_logger()


async def run_queue(
    link: RedisLink,
    handlers: Mapping[Kind, Handler],
    *,
    stopping: asyncio.Event | None = None,
    poll_delay: timedelta = timedelta(seconds=0.1),
    without_redis_every: timedelta = timedelta(seconds=1),
) -> None:
    """Wake the handlers until cancelled, or until `stopping` is set: then no wake-up is taken any more, and
    it returns when the handlers that are running have ended.

    Of each kind one handler runs at a time, and meanwhile this process leaves further wake-ups of that kind
    to others; a handler with much to do should therefore offer a wake-up and go on. All handlers are woken at
    the start and whenever Redis comes back, too. What a handler raises is logged, and the next wake-up calls
    it again. `without_redis_every` is how often they are woken while Redis is away.
    """
    runners = [_Runner(kind, handler) for kind, handler in handlers.items()]
    async with asyncio.TaskGroup() as group:
        running = [group.create_task(runner.run(), name=f"handler {runner.kind}") for runner in runners]
        listener = group.create_task(_listen(link, runners, poll_delay, without_redis_every), name="queue")
        if stopping is None:
            return
        await stopping.wait()
        listener.cancel()
        for runner in runners:
            runner.stop()
        await asyncio.gather(*running)


class _Runner:
    """Calls one handler whenever it was woken, one call at a time."""

    def __init__(self, kind: Kind, handler: Handler) -> None:
        self.kind = kind
        self.busy = False
        self._handler = handler
        self._woken = asyncio.Event()
        self._stopped = False

    def wake(self) -> None:
        self._woken.set()

    def stop(self) -> None:
        self._stopped = True
        self._woken.set()

    async def run(self) -> None:
        while True:
            await self._woken.wait()
            if self._stopped:
                return
            self._woken.clear()
            self.busy = True
            try:
                await self._handler()
            except Exception:
                log.exception("wake_up.handler_failed", kind=self.kind)
            finally:
                self.busy = False


class _Ended(Exception):  # noqa: N818 - an outcome
    """The listener was told to end."""


class _Listener(Worker):
    """An arq worker of one queue that takes nothing while its handler is busy, so that others can."""

    def __init__(self, runner: _Runner, redis: ArqRedis, poll_delay: timedelta) -> None:
        self._runner = runner
        self.ending = False

        async def wake(ctx: dict[Any, Any]) -> None:
            # In this order; see offer.py. If it fails the mark expires by itself.
            with suppress(*REDIS_FAULTS):
                await redis.delete(mark_name(runner.kind))
            runner.wake()

        super().__init__(
            functions=[func(wake, name=runner.kind, keep_result=0, timeout=5)],
            queue_name=queue_name(runner.kind),
            redis_pool=redis,
            handle_signals=False,
            max_jobs=1,
            keep_result=0,
            poll_delay=poll_delay.total_seconds(),
            job_serializer=encode_job,
            job_deserializer=decode_job,
        )

    async def listen(self) -> None:
        """Look at the queue until told to end; raises what Redis failed with."""
        with suppress(_Ended):
            await self.main()

    async def _poll_iteration(self) -> None:
        if self.ending:
            raise _Ended
        self.allow_pick_jobs = not self._runner.busy
        await super()._poll_iteration()

    async def give_up_jobs(self) -> None:
        tasks = list(self.tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _listen(
    link: RedisLink, runners: Sequence[_Runner], poll_delay: timedelta, without_redis_every: timedelta
) -> None:
    ticker = asyncio.create_task(_tick(runners, without_redis_every), name="wake by the clock")
    failures = 0
    try:
        while link.pool is not None:
            try:
                redis = arq_client(link.pool)
                async with asyncio.timeout(_PING_LIMIT_S):
                    await redis.ping()
                if (this := asyncio.current_task()) and this.cancelling():
                    raise asyncio.CancelledError  # swallowed there, as below: nobody would cancel us again
                failures = 0
                link.worked()
                QUEUE_CONNECTED.set(1)
                ticker.cancel()
                for runner in runners:
                    runner.wake()
                await _poll(runners, redis, poll_delay)
            except REDIS_FAULTS as error:
                link.failed("queue", error)
            QUEUE_CONNECTED.set(0)
            if ticker.done():
                ticker = asyncio.create_task(_tick(runners, without_redis_every), name="wake by the clock")
            await asyncio.sleep(_BACK_OFF_S[min(failures, len(_BACK_OFF_S) - 1)])
            failures += 1
        await ticker
    finally:
        QUEUE_CONNECTED.set(0)
        ticker.cancel()


async def _poll(runners: Sequence[_Runner], redis: ArqRedis, poll_delay: timedelta) -> None:
    """Serve all queues until one fails; raises what it failed with."""
    listeners = [_Listener(runner, redis, poll_delay) for runner in runners]
    tasks = [asyncio.create_task(listener.listen(), name=listener.queue_name) for listener in listeners]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for listener in listeners:
            listener.ending = True
        late: set[asyncio.Task[None]] = (await asyncio.wait(tasks, timeout=_END_LIMIT_S))[1]
        while late:
            # Again and again: a cancellation that meets a call to Redis at its end is swallowed now and then.
            for task in late:
                task.cancel()
            late = (await asyncio.wait(late, timeout=_END_LIMIT_S))[1]
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(listener.give_up_jobs() for listener in listeners))
    for task in tasks:
        task.result()


async def _tick(runners: Sequence[_Runner], every: timedelta) -> None:
    while True:
        for runner in runners:
            runner.wake()
        await asyncio.sleep(every.total_seconds())
