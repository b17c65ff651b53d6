"""Offer wake-ups to whichever worker is free: best effort, coalesced, never in the way of the one who offers.

Coalescing must not lose a wake-up. arq's own way, a fixed job id, would: it drops an id that exists, also
while that job is running and has already looked at the table. Here a mark with a lifetime stands beside it:

    offerer:  SET mark NX PX → if it was free, enqueue a job with its own id; else a job is already coming
    worker:   DEL mark → then look at the table

Work is committed before it's offered. So if the mark was still there, the worker has yet to delete it, and its
look comes after our commit; if it was gone, a new job is sent. Nobody's clock matters. What remains: when an
offerer or a worker dies between its two steps, offers may be hidden for MARK_LIFETIME; the sweep is sooner.
"""

from __future__ import annotations

import asyncio
from functools import partial
from uuid import uuid4

import structlog
from redis.asyncio import Redis

from shared.errors import Unavailable
from shared.redis import RedisLink
from shared.taskqueue.words import (
    DUE_AT_ONCE,
    JOB_LIFETIME,
    LONGEST_QUEUE,
    MARK_LIFETIME,
    Kind,
    arq_client,
    mark_name,
    queue_name,
)
from shared.telemetry.metrics import WAKE_UPS_OFFERED

# Workers poll ten times a second, so sending the same kind more often than this wakes nobody sooner.
_SPACING_S = 0.02

log = structlog.get_logger()


class WakeUps:
    """The offering side; one per process, used from one event loop."""

    def __init__(self, link: RedisLink) -> None:
        self._link = link
        self._arq = arq_client(link.pool) if link.pool is not None else None
        self._sending: dict[Kind, asyncio.Task[None]] = {}
        self._again: set[Kind] = set()
        self._closed = False

    def offer(self, kind: Kind) -> asyncio.Future[None]:
        """Say that there is work of this kind; commit it first. Never raises, never waits.

        The result can be awaited (for at most 0.25 s) by who wants to know that it was tried, or be ignored.
        """
        sending = self._sending.get(kind)
        if sending is None:
            sending = asyncio.get_running_loop().create_task(self._send(kind), name=f"wake-up {kind}")
            self._sending[kind] = sending
        else:
            # The one being sent may be taken before the work that this offer announces was committed.
            self._again.add(kind)
            WAKE_UPS_OFFERED.inc(kind=kind, result="coalesced")
        return asyncio.shield(sending)

    async def close(self) -> None:
        """Wait for offers that are still on their way (at most 0.5 s each kind); later ones aren't sent."""
        for _ in range(2):  # those being sent, then those that came meanwhile
            for kind, sending in list(self._sending.items()):
                await sending
                self._next(kind)
        self._closed = True

    async def _send(self, kind: Kind) -> None:
        result = "failed"
        try:
            if self._link.away or self._closed:
                result = "skipped"
            else:
                sent = await self._link.call("wake_up", partial(self._enqueue, kind))
                result = "offered" if sent else "coalesced"
        except Unavailable:
            pass  # counted and said by the link; the sweep finds the work
        except Exception:
            log.exception("wake_up.not_offered", kind=kind)
        finally:
            WAKE_UPS_OFFERED.inc(kind=kind, result=result)
            asyncio.get_running_loop().call_later(_SPACING_S, self._next, kind)

    def _next(self, kind: Kind) -> None:
        sending = self._sending.get(kind)
        if sending is None or not sending.done():
            return
        del self._sending[kind]
        if kind in self._again:
            self._again.discard(kind)
            self.offer(kind)

    async def _enqueue(self, kind: Kind, client: Redis) -> bool:
        assert self._arq is not None
        async with client.pipeline(transaction=False) as pipe:
            pipe.set(mark_name(kind), b"1", nx=True, px=MARK_LIFETIME)
            pipe.zcard(queue_name(kind))
            free, waiting = await pipe.execute()
        if not free or waiting >= LONGEST_QUEUE:
            return False
        await self._arq.enqueue_job(
            kind,
            _job_id=f"{kind}:{uuid4().hex}",
            _queue_name=queue_name(kind),
            _defer_until=DUE_AT_ONCE,
            _expires=JOB_LIFETIME,
        )
        return True
