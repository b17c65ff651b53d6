"""Keep deliveries on this machine's disk while Postgres can't, and hand them back in order."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

import structlog

from ingest.spool.journal import Content, Journal, read
from ingest.spool.segment import Segment
from ingest.spool.trouble import trouble
from shared.errors import Unavailable
from shared.eventlog.event import Delivery
from shared.telemetry.metrics import SPOOL_REFUSED

T = TypeVar("T")

_log = structlog.get_logger("ingest.spool")

SEGMENT_BYTES = 2 * 1024 * 1024
LARGEST_GROUP = 512
LARGEST_GROUP_BYTES = 2 * 1024 * 1024
# A disk that takes longer is as good as none: the sender gets its answer.
_WRITE_LIMIT_S = 10.0
# How long a failure counts when nobody has tried again since.
_TROUBLE_LASTS_S = 20.0

_Waiting = tuple[Delivery, "asyncio.Future[None]"]


class Spool:
    """The journal of this process. All files are touched in one thread, in the order of the calls."""

    def __init__(self, root: Path, *, segment_bytes: int = SEGMENT_BYTES) -> None:
        self._root = root
        self._journal = Journal(root, segment_bytes)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="spool")
        self._waiting: list[_Waiting] = []
        self._committing: asyncio.Task[None] | None = None
        self._trouble: tuple[float, Unavailable] | None = None

    @property
    def empty(self) -> bool:
        """Whether nothing is kept here, nor about to be."""
        return self._journal.empty and not self._waiting and self._committing is None

    @property
    def size_bytes(self) -> int:
        return self._journal.size_bytes

    def holds_at_most(self, deliveries: int) -> bool:
        """Whether no more than so many wait here; not if that isn't known."""
        return self._journal.holds_at_most(deliveries)

    @property
    def oldest_at(self) -> datetime | None:
        """When the oldest segment was begun."""
        return self._journal.oldest_at

    @property
    def trouble(self) -> Unavailable | None:
        """Why the last write failed, if that was just now and none has worked since."""
        if self._trouble is None or time.monotonic() - self._trouble[0] > _TROUBLE_LASTS_S:
            return None
        return self._trouble[1]

    async def open(self) -> None:
        """Take a folder of our own and adopt what dead processes left. A disk that fails is reported, not raised."""
        try:
            await self.adopt()
        except Unavailable as error:
            _log.error("spool.unusable", folder=str(self._root), reason=error.message)

    async def adopt(self) -> bool:
        """Take over what processes that died meanwhile have left; whether there was anything."""
        try:
            return await self._do(self._journal.adopt)
        except Unavailable as error:
            self._trouble = (time.monotonic(), error)
            raise

    async def write(self, delivery: Delivery) -> None:
        """Return once the delivery is durable here. Raises SpoolFull, or Unavailable when the disk fails."""
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((delivery, answer))
        if self._committing is None:
            self._committing = asyncio.create_task(self._commit_all(), name="spool")
        try:
            async with asyncio.timeout(_WRITE_LIMIT_S):
                await answer
        except TimeoutError as error:
            raise Unavailable(f"the disk of the spool takes longer than {_WRITE_LIMIT_S:.0f} s") from error

    async def written(self) -> None:
        """Return once nothing is being written any more."""
        while self._committing is not None:
            await asyncio.shield(self._committing)

    async def oldest(self) -> Segment | None:
        """The segment to drain next; the one being written is finished for it. None when there is nothing."""
        return await self._do(self._journal.oldest)

    async def read(self, segment: Segment) -> Content:
        """What is kept in a segment. Damage is reported here, and must be passed on to remove."""
        return await self._do(partial(read, segment))

    async def remove(self, segment: Segment, *, damaged: bool) -> None:
        """Forget a segment whose deliveries are committed; a damaged one is set aside for a person."""
        await self._do(partial(self._journal.forget, segment, damaged=damaged))

    async def set_aside(self, delivery: Delivery, reason: str) -> None:
        """Keep a delivery that Postgres won't have in any form, so that it doesn't hold up the others."""
        path = await self._do(partial(self._journal.set_aside, delivery))
        _log.error("spool.delivery_set_aside", event_id=str(delivery.id), kept_in=str(path), reason=reason)

    async def close(self) -> None:
        """Finish what is being written. Whatever is kept stays for the next process."""
        await self.written()
        try:
            await self._do(self._journal.leave)
        except Unavailable as error:
            _log.warning("spool.not_closed", reason=error.message)
        self._thread.shutdown(wait=False)

    async def _do(self, work: Callable[[], T]) -> T:
        """Run work on the files in their thread. Raises SpoolFull or Unavailable for what the disk says."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except OSError as error:
            raise trouble(error) from error

    async def _commit_all(self) -> None:
        """One fsync for whatever waits; while it is under way, the next group gathers."""
        try:
            while self._waiting:
                group = self._take()
                deliveries = [delivery for delivery, _ in group]
                try:
                    await self._do(partial(self._journal.commit, deliveries))
                except Unavailable as error:
                    self._failed(group, error)
                else:
                    self._trouble = None
                    for _, answer in group:
                        if not answer.done():
                            answer.set_result(None)
        finally:
            self._committing = None

    def _take(self) -> list[_Waiting]:
        size, count = 0, 0
        for delivery, _ in self._waiting[:LARGEST_GROUP]:
            size += len(delivery.body)
            if count and size > LARGEST_GROUP_BYTES:
                break
            count += 1
        group, self._waiting = self._waiting[:count], self._waiting[count:]
        return group

    def _failed(self, group: list[_Waiting], error: Unavailable) -> None:
        if self.trouble is None:
            _log.error("spool.refuses", reason=error.message, folder=str(self._root))
        self._trouble = (time.monotonic(), error)
        SPOOL_REFUSED.inc(len(group))
        for _, answer in group:
            if not answer.done():
                answer.set_exception(error)
