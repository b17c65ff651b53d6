"""Bring what is spooled into Postgres, in order, and forget it only once it is committed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from ingest.appender import Lane, Rejected
from ingest.spool import Spool
from shared.eventlog.event import Delivery
from shared.telemetry.metrics import SPOOL_DRAINED

_CHUNK = 500
_CHUNK_BYTES = 2 * 1024 * 1024
# Nobody waits for these, so a busy server gets its time.
_PATIENCE_S = 15.0
_PROBE_PATIENCE_S = 5.0


class Drain:
    """Reads the spool's segments and appends them over a connection of its own."""

    def __init__(self, spool: Spool, lane: Lane, *, on_appended: Callable[[], None] = lambda: None) -> None:
        self._spool = spool
        self._lane = lane
        self._on_appended = on_appended

    async def probe(self) -> None:
        """Append nothing: that needs a connection, the tables, and a server that takes writes.

        Raises Unavailable when one of them is missing.
        """
        await self._lane.append([], patience_s=_PROBE_PATIENCE_S)

    async def one_segment(self) -> int:
        """Drain the oldest segment, if there is one; how many deliveries it held.

        Raises Unavailable when Postgres goes away meanwhile. Then it's drained again from its beginning: the ids make
        that harmless.
        """
        segment = await self._spool.oldest()
        if segment is None:
            return 0
        deliveries, damaged = await self._spool.read(segment)
        for chunk in _chunks(deliveries):
            answers = await self._lane.append(chunk, patience_s=_PATIENCE_S)
            for delivery, answer in zip(chunk, answers, strict=True):
                if isinstance(answer, Rejected):
                    await self._spool.set_aside(delivery, str(answer))
            SPOOL_DRAINED.inc(len(chunk))
            self._on_appended()
        await self._spool.remove(segment, damaged=damaged)
        return len(deliveries)

    def close(self) -> None:
        self._lane.close()


def _chunks(deliveries: Sequence[Delivery]) -> Iterator[Sequence[Delivery]]:
    start = size = 0
    for at, delivery in enumerate(deliveries):
        size += len(delivery.body)
        if at > start and (at - start >= _CHUNK or size > _CHUNK_BYTES):
            yield deliveries[start:at]
            start, size = at, len(delivery.body)
    if deliveries:
        yield deliveries[start:]
