"""What both sides of the queue must agree on: kinds, key names and the form of a job."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Literal

import msgspec
from arq.connections import ArqRedis
from redis.asyncio import ConnectionPool

Kind = Literal["drain", "execute"]
Handler = Callable[[], Awaitable[None]]

# arq scores a job by the offerer's clock and a worker compares with its own; the past is due on all clocks.
DUE_AT_ONCE = datetime(2000, 1, 1, tzinfo=UTC)
JOB_LIFETIME = timedelta(hours=1)

# How long a wake-up that was lost between the mark and the queue can keep others from being sent.
MARK_LIFETIME = timedelta(seconds=5)
# With no worker alive nothing takes wake-ups out of the queue; more of them would say nothing more.
LONGEST_QUEUE = 32


def queue_name(kind: Kind) -> str:
    return f"arq:queue:{kind}"


def mark_name(kind: Kind) -> str:
    """The key that says a wake-up of this kind is on its way and nobody has begun to work on it."""
    return f"arq:offered:{kind}"


# arq encodes results too, exceptions among them, even where it doesn't keep them.
encode_job = msgspec.msgpack.Encoder(enc_hook=repr).encode
decode_job = msgspec.msgpack.Decoder().decode


def arq_client(pool: ConnectionPool) -> ArqRedis:
    """An arq client on our own pool; jobs are msgpack, since arq's pickle would run whatever Redis holds."""
    return ArqRedis(pool_or_conn=pool, job_serializer=encode_job, job_deserializer=decode_job)
