"""What a search on Soulseek found, kept in Redis for a while: it saves work, and nothing depends on it.

Whatever is wrong (Redis away, full or wiped; a value that another release or another program wrote) is a miss, and
the work is done again. A value is believed only if it is of this format, of the very type that is asked for, and
says itself that it belongs to the name it was found under.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import lru_cache
from hashlib import blake2b
from typing import Final, TypeVar

import msgspec
import structlog
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from shared.errors import Unavailable
from shared.redis import RedisLink
from shared.telemetry.metrics import CACHE_REQUESTS, REDIS_ERRORS

T = TypeVar("T", bound=msgspec.Struct)
R = TypeVar("R")

# 34 searches in 220 s are 279 in LONGEST: all of them at their largest are 36 MB, and Redis stays under its 50.
LARGEST_BYTES: Final = 128 * 1024
LONGEST: Final = timedelta(minutes=30)
# Before compression, so that packing takes little memory, and a few bytes in Redis can't take much.
_LARGEST_PLAIN_BYTES: Final = 8 * 1024 * 1024
# The first byte of every value; counted up whenever what follows it is laid out otherwise.
_FORMAT: Final = 1

log = structlog.get_logger()


class _Entry(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What is compressed: whose value it is, the shape of its type, and the value itself."""

    name: str
    shape: str
    value: msgspec.Raw


class _TooLarge(Exception):  # noqa: N818 - an outcome
    """It would take more room than one value may."""


# What garbage can raise while it's read, and odd text or numbers of a peer's while they are packed.
_UNREADABLE = (zlib.error, msgspec.DecodeError, UnicodeDecodeError, _TooLarge)
_UNPACKABLE = (UnicodeEncodeError, OverflowError)


class Cache:
    """Keeps Structs under names, as `soulseek:*`. One per process, on the link that the process shares."""

    def __init__(self, link: RedisLink) -> None:
        self._link = link

    async def get(self, name: str, kind: type[T]) -> T | None:
        """What was put under this name as this type; None when there is nothing, whatever the cause."""
        found, result = None, "error"
        try:
            packed = await self._ask(lambda redis: redis.get(_key(name)))
            # In a thread, because zlib lets go of the interpreter, and a large value takes milliseconds.
            found = await asyncio.to_thread(_unpack, packed, name, kind) if packed else None
            result = "hit" if found is not None else "miss"
        except Unavailable as error:
            log.debug("cache.not_read", error=error.message)
        except _UNREADABLE as error:
            log.warning("cache.unreadable", key=_key(name), error=f"{type(error).__name__}: {error}")
        CACHE_REQUESTS.inc(cache="soulseek", result=result)
        return found

    async def put(self, name: str, value: msgspec.Struct, ttl: timedelta) -> None:
        """Keep a value for so long, LONGEST at most. What is larger than LARGEST_BYTES when packed isn't kept."""
        lasting_ms = max(1, round(min(ttl, LONGEST).total_seconds() * 1000))
        result = "error"
        try:
            packed = await asyncio.to_thread(_pack, name, value)
            await self._ask(lambda redis: redis.set(_key(name), packed, px=lasting_ms))
            result = "kept"
        except Unavailable as error:
            log.debug("cache.not_written", error=error.message)
        except _UNPACKABLE as error:
            log.warning("cache.unpackable", key=_key(name), error=f"{type(error).__name__}: {error}")
        except _TooLarge:
            result = "too_large"
        CACHE_REQUESTS.inc(cache="soulseek", result=result)

    async def _ask(self, work: Callable[[Redis], Awaitable[R]]) -> R:
        """Raises Unavailable."""

        async def answered(redis: Redis) -> R | ResponseError:
            try:
                return await work(redis)
            except ResponseError as error:
                return error

        answer = await self._link.call("cache", answered)
        if isinstance(answer, ResponseError):
            # Redis answers, and refuses this alone (it's full, or the key is of another type): not away, for locks.
            REDIS_ERRORS.inc(use="cache")
            log.warning("cache.refused", error=str(answer))
            raise Unavailable("Redis refuses it") from answer
        return answer


def _key(name: str) -> str:
    """Of one length, however long the name (it may be a text that somebody searched for)."""
    return f"soulseek:{blake2b(name.encode('utf-8', 'surrogatepass'), digest_size=16).hexdigest()}"


@lru_cache(maxsize=64)
def _shape(kind: type[msgspec.Struct]) -> str:
    """Another one for every change of a type: a release must not read what it would understand otherwise."""
    return blake2b(msgspec.json.encode(msgspec.json.schema(kind)), digest_size=16).hexdigest()


def _pack(name: str, value: msgspec.Struct) -> bytes:
    """Raises _TooLarge, and what _UNPACKABLE names."""
    inner = msgspec.Raw(msgspec.msgpack.encode(value))
    plain = msgspec.msgpack.encode(_Entry(name, _shape(type(value)), inner))
    if len(plain) > _LARGEST_PLAIN_BYTES:
        raise _TooLarge
    packed = bytes([_FORMAT]) + zlib.compress(plain)
    if len(packed) > LARGEST_BYTES:
        raise _TooLarge
    return packed


def _unpack(packed: bytes, name: str, kind: type[T]) -> T | None:
    """The value; None if it's another format's, name's or type's. Raises what _UNREADABLE names."""
    if packed[0] != _FORMAT:
        return None
    inflating = zlib.decompressobj()
    plain = inflating.decompress(packed[1:], _LARGEST_PLAIN_BYTES)
    if not inflating.eof:
        raise _TooLarge("cut off, or longer than a value may be")
    entry = msgspec.msgpack.decode(plain, type=_Entry)
    if (entry.name, entry.shape) != (name, _shape(kind)):
        return None
    return msgspec.msgpack.decode(entry.value, type=kind)
