"""The cache answers what was put into it, or nothing: whatever becomes of Redis, and whatever lies in it."""

from __future__ import annotations

import os
import signal
import zlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from redis.asyncio import Redis

from reprise.standalone.valkey import Valkey
from shared import cache as rules
from shared.cache import LARGEST_BYTES, LONGEST, Cache
from shared.redis import RedisLink
from shared.telemetry.metrics import CACHE_REQUESTS, REDIS_ERRORS
from tests.harness.servers import temporary_layout
from tests.harness.waiting import until

LONG = timedelta(minutes=5)
NAME = "Sigur Rós Ágætis byrjun"


class Found(msgspec.Struct, frozen=True):
    """As a search finds it."""

    filename: str
    size: int
    locked: bool = False


class Session(msgspec.Struct, frozen=True):
    """As an effect keeps it."""

    text: str
    at: datetime
    files: tuple[Found, ...] = ()


SESSION = Session(NAME, datetime(2026, 1, 31, 18, tzinfo=UTC), (Found("@@a\\01 Intro.flac", 2**40),))


class Counted:
    """What the metric has counted since the last look."""

    def __init__(self) -> None:
        self._before = self._all()

    def __call__(self) -> dict[str, int]:
        now = self._all()
        grown = {result: now[result] - self._before[result] for result in now if now[result] > self._before[result]}
        self._before = now
        return grown

    @staticmethod
    def _all() -> dict[str, int]:
        results = CACHE_REQUESTS.labels["result"]
        return {result: int(CACHE_REQUESTS.value(cache="soulseek", result=result)) for result in results}


@pytest.fixture
def counted() -> Counted:
    return Counted()


@pytest.fixture
async def link(redis_url: str) -> AsyncIterator[RedisLink]:
    made = RedisLink(redis_url)
    yield made
    await made.close()


@pytest.fixture
def cache(link: RedisLink) -> Cache:
    return Cache(link)


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(redis_url) as client:
        yield client


async def _only_key(redis: Redis) -> str:
    (key,) = await redis.keys()
    return str(key.decode())


async def test_what_was_put_is_found_by_every_process(cache: Cache, redis_url: str, counted: Counted) -> None:
    assert await cache.get(NAME, Session) is None
    await cache.put(NAME, SESSION, LONG)
    other = RedisLink(redis_url)
    assert await Cache(other).get(NAME, Session) == SESSION
    await other.close()
    assert await cache.get(NAME + "!", Session) is None
    assert counted() == {"miss": 2, "kept": 1, "hit": 1}


async def test_the_newest_value_holds(cache: Cache) -> None:
    newer = msgspec.structs.replace(SESSION, files=())
    await cache.put(NAME, SESSION, LONG)
    await cache.put(NAME, newer, LONG)
    assert await cache.get(NAME, Session) == newer


@pytest.mark.parametrize(
    ("ttl", "lasting"), [(LONG, LONG), (timedelta(days=1), LONGEST)], ids=["as asked", "at most so long"]
)
async def test_it_lasts_as_long_as_asked(cache: Cache, redis: Redis, ttl: timedelta, lasting: timedelta) -> None:
    await cache.put(NAME, SESSION, ttl)
    key = await _only_key(redis)
    assert key.startswith("soulseek:")
    left = timedelta(milliseconds=await redis.pttl(key))
    assert lasting - timedelta(seconds=30) < left <= lasting


async def test_what_has_expired_is_a_miss(cache: Cache, redis: Redis, counted: Counted) -> None:
    await cache.put(NAME, SESSION, LONG)
    await redis.pexpire(await _only_key(redis), 1)
    await until(lambda: _is_gone(redis))
    assert await cache.get(NAME, Session) is None
    await cache.put(NAME, SESSION, -LONG)
    await until(lambda: _is_gone(redis))
    assert counted() == {"kept": 2, "miss": 1}


async def _is_gone(redis: Redis) -> bool:
    return await redis.dbsize() == 0


async def test_a_wiped_redis_is_a_miss(cache: Cache, redis: Redis) -> None:
    await cache.put(NAME, SESSION, LONG)
    await redis.flushall()
    assert await cache.get(NAME, Session) is None
    await cache.put(NAME, SESSION, LONG)
    assert await cache.get(NAME, Session) == SESSION


async def test_without_redis_everything_is_a_miss(counted: Counted) -> None:
    for url in (None, "redis://127.0.0.1:1"):
        link = RedisLink(url)
        await Cache(link).put(NAME, SESSION, LONG)
        assert await Cache(link).get(NAME, Session) is None
        await link.close()
    assert counted() == {"error": 4}


async def test_a_redis_that_stops_hangs_and_comes_back(counted: Counted) -> None:
    with temporary_layout() as layout:
        valkey = Valkey(layout)
        await valkey.start()
        link = RedisLink(valkey.url)
        cache = Cache(link)
        try:
            await cache.put(NAME, SESSION, LONG)
            assert valkey.pid is not None
            os.kill(valkey.pid, signal.SIGSTOP)
            assert await cache.get(NAME, Session) is None
            await cache.put(NAME, SESSION, LONG)
            os.kill(valkey.pid, signal.SIGCONT)
            await until(lambda: cache.get(NAME, Session))
            await valkey.stop()
            assert await cache.get(NAME, Session) is None
            await cache.put(NAME, SESSION, LONG)
            assert counted()["error"] >= 4
            await valkey.start()
            await until(lambda: _kept(cache))
        finally:
            await link.close()
            await valkey.stop()


async def _kept(cache: Cache) -> bool:
    await cache.put(NAME, SESSION, LONG)
    return await cache.get(NAME, Session) == SESSION


def _entry(name: str = NAME, shape: str | None = None, value: object = SESSION) -> bytes:
    shape = rules._shape(Session) if shape is None else shape
    return msgspec.msgpack.encode([name, shape, value])


async def test_a_value_as_this_test_builds_it_is_read(cache: Cache, redis: Redis) -> None:
    """So that the misses below have no other cause than the one they name."""
    await redis.set(rules._key(NAME), b"\x01" + zlib.compress(_entry()))
    assert await cache.get(NAME, Session) == SESSION


@pytest.mark.parametrize(
    "held",
    [
        b"\x02" + zlib.compress(_entry()),
        b"\x01" + zlib.compress(_entry(name="another")),
        b"\x01" + zlib.compress(_entry(shape="of another release")),
        b"",
    ],
    ids=["another format", "another name", "another shape", "empty"],
)
async def test_what_another_wrote_is_a_miss(cache: Cache, redis: Redis, counted: Counted, held: bytes) -> None:
    await redis.set(rules._key(NAME), held)
    assert await cache.get(NAME, Session) is None
    assert counted() == {"miss": 1}
    await cache.put(NAME, SESSION, LONG)
    assert await cache.get(NAME, Session) == SESSION


@pytest.mark.parametrize(
    "held",
    [
        b"hello",
        b"\x01",
        b"\x01hello",
        b"\x01" + zlib.compress(_entry())[:-3],
        b"\x01" + zlib.compress(b"\xff\xff"),
        b"\x01" + zlib.compress(msgspec.msgpack.encode(["a", "b"])),
        b"\x01" + zlib.compress(b"\x93\xa1\xff\xa0\xc0"),
        b"\x01" + zlib.compress(_entry(value={"text": 1})),
        b"\x01" + zlib.compress(bytes(64 * 1024 * 1024)),
    ],
    ids=["words", "nothing", "no zlib", "cut off", "no msgpack", "no entry", "no UTF-8", "no session", "a bomb"],
)
async def test_garbage_is_a_miss(cache: Cache, redis: Redis, counted: Counted, held: bytes) -> None:
    await redis.set(rules._key(NAME), held)
    assert await cache.get(NAME, Session) is None
    assert counted() == ({"error": 1} if held[:1] == b"\x01" else {"miss": 1})
    await cache.put(NAME, SESSION, LONG)
    assert await cache.get(NAME, Session) == SESSION


async def test_a_flipped_bit_is_never_another_answer(cache: Cache, redis: Redis) -> None:
    await cache.put(NAME, SESSION, LONG)
    key = await _only_key(redis)
    sound = await redis.get(key)
    for place in range(len(sound)):
        await redis.set(key, sound[:place] + bytes([sound[place] ^ 1 << place % 8]) + sound[place + 1 :])
        assert await cache.get(NAME, Session) in (None, SESSION)


async def test_a_type_that_changed_is_a_miss(cache: Cache) -> None:
    class Richer(msgspec.Struct, frozen=True):
        text: str
        at: datetime
        files: tuple[Found, ...] = ()
        complete: bool = True

    Richer.__name__ = Session.__name__
    await cache.put(NAME, SESSION, LONG)
    assert await cache.get(NAME, Richer) is None
    assert await cache.get(NAME, Session) == SESSION


async def test_a_key_of_another_kind_is_refused_and_redis_not_away(
    cache: Cache, link: RedisLink, redis: Redis, counted: Counted
) -> None:
    errors = REDIS_ERRORS.value(use="cache")
    await redis.rpush(rules._key(NAME), "a list")
    assert await cache.get(NAME, Session) is None
    assert counted() == {"error": 1}
    assert REDIS_ERRORS.value(use="cache") == errors + 1
    assert not link.away
    await cache.put(NAME, SESSION, LONG)
    assert await cache.get(NAME, Session) == SESSION


async def test_what_is_too_large_is_not_kept(cache: Cache, redis: Redis, counted: Counted) -> None:
    random = os.urandom(LARGEST_BYTES // 2).hex() + os.urandom(LARGEST_BYTES // 2).hex()
    for text in (random, " " * 9_000_000):
        await cache.put(NAME, Session(text, SESSION.at), LONG)
        assert await _is_gone(redis)
    assert counted() == {"too_large": 2}
    repeated = Session(" ".join(["a long and often repeated path"] * 30_000), SESSION.at)
    await cache.put(NAME, repeated, LONG)
    assert await cache.get(NAME, Session) == repeated
    assert await redis.strlen(await _only_key(redis)) <= LARGEST_BYTES


async def test_what_cannot_be_packed_is_not_kept(cache: Cache, redis: Redis, counted: Counted) -> None:
    await cache.put(NAME, Session("\ud800", SESSION.at), LONG)
    await cache.put("\ud800", SESSION, LONG)
    await cache.put(NAME, Session("", SESSION.at, (Found("a", 2**70),)), LONG)
    assert await cache.get("\ud800", Session) is None
    assert await _is_gone(redis)
    assert counted() == {"error": 3, "miss": 1}
