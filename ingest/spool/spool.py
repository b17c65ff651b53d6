"""Keep deliveries on this machine's disk while Postgres can't, and hand them back in order."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec
import structlog

from ingest.spool.place import Place
from ingest.spool.record import Damage, encode, scan
from ingest.spool.segment import Segment, Writing
from ingest.spool.trouble import SpoolFull, trouble
from shared.errors import Unavailable
from shared.eventlog.event import Delivery
from shared.telemetry.metrics import SPOOL_DAMAGED_BYTES, SPOOL_REFUSED

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


class Content(NamedTuple):
    """What a segment holds, in the order in which it came; damaged says that something between couldn't be read."""

    deliveries: list[Delivery]
    damaged: bool


class Spool:
    """The journal of this process. All files are touched in one thread, in the order of the calls."""

    def __init__(self, root: Path, *, segment_bytes: int = SEGMENT_BYTES) -> None:
        self._root = root
        self._segment_bytes = segment_bytes
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="spool")
        self._place: Place | None = None
        self._writing: Writing | None = None
        self._segments: list[Segment] = []
        self._waiting: list[_Waiting] = []
        self._committing: asyncio.Task[None] | None = None
        self._trouble: tuple[float, Unavailable] | None = None

    @property
    def empty(self) -> bool:
        """Whether nothing is kept here, nor about to be."""
        return not (self._segments or self._writing or self._waiting or self._committing)

    @property
    def size_bytes(self) -> int:
        return sum(s.size_bytes for s in self._segments) + (self._writing.size_bytes if self._writing else 0)

    @property
    def oldest_at(self) -> datetime | None:
        """When the oldest segment was begun."""
        if self._segments:
            return self._segments[0].created_at
        return datetime.fromtimestamp(self._writing.created_us / 1e6, UTC) if self._writing else None

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
            found = await self._do(lambda: self._home().adopt())
        except Unavailable as error:
            self._trouble = (time.monotonic(), error)
            raise
        self._segments = sorted([*self._segments, *found])
        return bool(found)

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
        if not self._segments and self._writing is not None:
            await self._do(self._finish)
        return self._segments[0] if self._segments else None

    async def read(self, segment: Segment) -> Content:
        """What is kept in a segment. Damage is reported here, and must be passed on to remove."""
        return await self._do(lambda: _read(segment))

    async def remove(self, segment: Segment, *, damaged: bool) -> None:
        """Forget a segment whose deliveries are committed; a damaged one is set aside for a person."""
        await self._do(lambda: self._home().set_aside(segment) if damaged else segment.path.unlink(missing_ok=True))
        self._segments.remove(segment)

    async def set_aside(self, delivery: Delivery, reason: str) -> None:
        """Keep a delivery that Postgres won't have in any form, so that it doesn't hold up the others."""
        content = msgspec.json.encode(delivery)
        path = await self._do(lambda: self._home().set_aside_bytes(f"{delivery.id}.json", content))
        _log.error("spool.delivery_set_aside", event_id=str(delivery.id), kept_in=str(path), reason=reason)

    async def close(self) -> None:
        """Finish what is being written. Whatever is kept stays for the next process."""
        await self.written()
        try:
            await self._do(self._leave)
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
                    await self._do(partial(self._commit, deliveries))
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

    # What follows runs in the thread of the files.

    def _home(self) -> Place:
        if self._place is None:
            self._place = Place(self._root)
        return self._place

    def _commit(self, deliveries: list[Delivery]) -> None:
        try:
            self._append(deliveries)
        except OSError as error:
            # Nothing is written behind a failure: what the disk really holds there isn't known.
            self._finish()
            if isinstance(trouble(error), SpoolFull):
                raise
            if isinstance(error, FileNotFoundError):
                self._place = None  # somebody removed our folder
            self._append(deliveries)

    def _append(self, deliveries: list[Delivery]) -> None:
        if self._writing is not None and self._writing.size_bytes >= self._segment_bytes:
            self._finish()
        if self._writing is None:
            self._writing = Writing(self._home().path)
        salt = self._writing.salt
        self._writing.write([encode(delivery, salt) for delivery in deliveries])

    def _finish(self) -> None:
        if self._writing is None:
            return
        segment = self._writing.finish()
        if segment is not None:
            self._segments.append(segment)
        self._writing = None

    def _leave(self) -> None:
        self._finish()
        if self._place is not None:
            self._place.leave()


def _read(segment: Segment) -> Content:
    try:
        data = segment.read()
    except FileNotFoundError:
        _log.error("spool.segment_gone", path=str(segment.path))
        return Content([], damaged=False)
    deliveries: list[Delivery] = []
    damaged = False
    for found in scan(data, segment.salt):
        if not isinstance(found, Damage):
            deliveries.append(found)
            continue
        size = found.end - found.start
        if found.torn:
            # What a killed process hadn't finished writing, and so never acknowledged.
            _log.warning("spool.torn_tail", path=str(segment.path), at=found.start, size_bytes=size)
            continue
        damaged = True
        SPOOL_DAMAGED_BYTES.inc(size)
        _log.error("spool.damaged", path=str(segment.path), at=found.start, size_bytes=size, set_aside=True)
    return Content(deliveries, damaged)
