"""Group commit: deliveries that wait together go into the log in one INSERT."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace

import asyncpg
import structlog

from ingest.outage import is_own_fault, is_trouble, worth_a_new_connection
from shared.errors import Unavailable
from shared.eventlog.event import Appended, Delivery
from shared.eventlog.store import append
from shared.postgres.pool import Connection, Pool
from shared.telemetry.metrics import APPEND_BATCH_SIZE

_log = structlog.get_logger("ingest.appender")

LANES = 2
# A second INSERT beside the one under way pays only with this many in it; few at once cost more than they save.
SECOND_LANE_FROM = 64
LARGEST_GROUP = 256
LARGEST_GROUP_BYTES = 4 * 1024 * 1024
PATIENCE_S = 2.0
# Who waits behind an INSERT that takes this long waits no more; the INSERT itself has its whole patience.
STALLED_S = 0.3

_Waiting = tuple[Delivery, "asyncio.Future[Appended]"]


class Rejected(Exception):  # noqa: N818 - an outcome
    """Postgres is well, and won't have this delivery even without its identity."""


class Lane:
    """One connection that appends groups, one after the other. It keeps its connection until that fails."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._connection: Connection | None = None

    async def append(self, group: Sequence[Delivery], *, patience_s: float) -> list[Appended | Rejected]:
        """Append all in one statement, or singly where one of them spoils it.

        Raises Unavailable when Postgres doesn't take them within patience_s. The group may be in the log all the same
        (its answer was lost, or comes later); appending it again is harmless.
        """
        try:
            async with asyncio.timeout(patience_s):
                return await self._divide(group)
        except TimeoutError as error:
            self.close()
            raise Unavailable(f"Postgres gave no answer within {patience_s:g} s") from error
        except asyncio.CancelledError:
            self.close()
            raise
        except Exception as error:
            self.close()
            if not is_trouble(error):
                _log.exception("append.failed")
            raise Unavailable(f"Postgres: {error or type(error).__name__}") from error

    def close(self) -> None:
        """Drop the connection at once, whatever it is doing; asking a hung server to let go would hang as well."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(asyncpg.InterfaceError):  # lost already, and so given back to the pool by itself
                connection.terminate()

    async def _divide(self, group: Sequence[Delivery]) -> list[Appended | Rejected]:
        try:
            return list(await self._insert(group))
        except Exception as error:
            if not is_own_fault(error):
                raise
            if len(group) > 1:
                middle = len(group) // 2
                return [*await self._divide(group[:middle]), *await self._divide(group[middle:])]
            return [await self._plain(group[0], error)]

    async def _plain(self, delivery: Delivery, error: Exception) -> Appended | Rejected:
        """The last way to keep a delivery whose identity Postgres won't have: the bytes alone."""
        _log.error("delivery.identity_refused", event_id=str(delivery.id), source=delivery.source, error=str(error))
        stripped = replace(delivery, type="unreadable", dedupe_key=None, correlation_id=None)
        try:
            return (await self._insert([stripped]))[0]
        except Exception as again:
            if not is_own_fault(again):
                raise
            return Rejected(str(again))

    async def _insert(self, group: Sequence[Delivery]) -> list[Appended]:
        try:
            return await append(await self._connected(), group)
        except Exception as error:
            if not worth_a_new_connection(error):
                raise
        # The connection is gone, or lost a deadlock: Postgres itself may be well (a restart, a terminated backend).
        self.close()
        return await append(await self._connected(), group)

    async def _connected(self) -> Connection:
        if self._connection is None:
            # Others of the pool may have gone the same way.
            await self._pool.expire_connections()
            self._connection = await self._pool.acquire()
        return self._connection


class Appender:
    """Gathers what waits while an INSERT is under way. Nothing is delayed: alone, a delivery goes at once."""

    def __init__(
        self,
        pool: Pool,
        *,
        on_appended: Callable[[], None] = lambda: None,
        patience_s: Callable[[], float] = lambda: PATIENCE_S,
        lanes: int = LANES,
    ) -> None:
        self._lanes = lanes
        self._idle = [Lane(pool) for _ in range(lanes)]
        self._on_appended = on_appended
        self._patience_s = patience_s
        self._waiting: deque[_Waiting] = deque()
        self._running: set[asyncio.Task[None]] = set()
        self._starting = False

    async def append(self, delivery: Delivery) -> Appended:
        """Return once the delivery is committed. Raises Unavailable when Postgres doesn't take it in time."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Appended] = loop.create_future()
        self._waiting.append((delivery, answer))
        if not self._starting and self._may_start():
            # After what is ready now: requests that arrived together make one group.
            self._starting = True
            loop.call_soon(self._start)
        return await answer

    async def close(self) -> None:
        """Finish what is under way, then let the connections go."""
        while self._running or self._waiting:
            # Nothing running yet means that a start is on its way in this very turn of the loop.
            await (asyncio.wait(self._running) if self._running else asyncio.sleep(0))
        for lane in self._idle:
            lane.close()

    def _may_start(self) -> bool:
        if not self._idle or not self._waiting:
            return False
        # By the idle lanes: a task that has left its loop may not be gone from _running yet, and takes no more.
        return len(self._idle) == self._lanes or len(self._waiting) >= SECOND_LANE_FROM

    def _start(self) -> None:
        self._starting = False
        if self._may_start():
            lane = self._idle.pop()
            task = asyncio.create_task(self._run(lane), name="append")
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _run(self, lane: Lane) -> None:
        try:
            while self._waiting:
                await self._append(lane, self._take())
        finally:
            self._idle.append(lane)

    async def _append(self, lane: Lane, group: list[_Waiting]) -> None:
        APPEND_BATCH_SIZE.observe(len(group))
        stalled = asyncio.get_running_loop().call_later(STALLED_S, self._stalled)
        try:
            answers = await lane.append([delivery for delivery, _ in group], patience_s=self._patience_s())
        except BaseException as error:
            reason = error if isinstance(error, Unavailable) else Unavailable("appending was given up")
            _fail(group, reason)
            # Whoever waits behind this group would find out the same, only later.
            self._fail_waiting(reason)
            if reason is not error:
                raise
            return
        finally:
            stalled.cancel()
        for (_, waiter), answer in zip(group, answers, strict=True):
            if waiter.done():
                continue
            if isinstance(answer, Rejected):
                waiter.set_exception(Unavailable(f"Postgres refuses this delivery: {answer}"))
            else:
                waiter.set_result(answer)
        self._on_appended()

    def _stalled(self) -> None:
        self._fail_waiting(Unavailable("Postgres is slow"))

    def _fail_waiting(self, reason: BaseException) -> None:
        waiting, self._waiting = self._waiting, deque()
        _fail(waiting, reason)

    def _take(self) -> list[_Waiting]:
        """The next group: the oldest first, up to the limits, and at least one."""
        group = [self._waiting.popleft()]
        size = len(group[0][0].body)
        while self._waiting and len(group) < LARGEST_GROUP:
            size += len(self._waiting[0][0].body)
            if size > LARGEST_GROUP_BYTES:
                break
            group.append(self._waiting.popleft())
        return group


def _fail(waiting: Iterable[_Waiting], reason: BaseException) -> None:
    for _, answer in waiting:
        if not answer.done():
            answer.set_exception(reason)
