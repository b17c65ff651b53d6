"""One holder at a time, kept alive, given back only by its holder; in Postgres when Redis is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from redis.asyncio import Redis

from reprise.standalone.valkey import Valkey
from shared.errors import Unavailable
from shared.locks import Locks
from shared.postgres.pool import create_pool
from shared.redis import RedisLink
from shared.telemetry.metrics import LOCK_CONTENTION, LOCKS
from tests.harness.servers import temporary_layout
from tests.harness.waiting import until
from tests.ingest.line import line_to

LONG = timedelta(seconds=30)
SHORT = timedelta(seconds=0.6)
ABSENT = "redis://127.0.0.1:1"


@pytest.fixture(params=["redis", "postgres"])
async def locks(request: pytest.FixtureRequest, redis_url: str, pool: Any) -> AsyncIterator[Locks]:
    link = RedisLink(redis_url if request.param == "redis" else ABSENT)
    yield Locks(link, pool)
    await link.close()


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(redis_url) as client:
        yield client


async def rows(pool: Any) -> int:
    count: int = await pool.fetchval("SELECT count(*) FROM locks")
    return count


async def test_one_holder_at_a_time(locks: Locks) -> None:
    contended = LOCK_CONTENTION.value()
    async with locks.hold("album:1", LONG) as mine:
        assert mine is not None
        assert mine.held
        async with locks.hold("album:1", LONG) as theirs, locks.hold("album:2", LONG) as other:
            assert theirs is None
            assert other is not None
    async with locks.hold("album:1", LONG) as again:
        assert again is not None
        assert again.token != mine.token
    assert LOCK_CONTENTION.value() == contended + 1


async def test_many_at_once_get_it_once(locks: Locks) -> None:
    inside, most = 0, 0
    holders = 0
    gate = asyncio.Event()

    async def contend() -> None:
        nonlocal inside, most, holders
        async with locks.hold("album:1", LONG) as lock:
            if lock is None:
                return
            holders += 1
            inside += 1
            most = max(most, inside)
            await gate.wait()
            inside -= 1

    tasks = [asyncio.create_task(contend()) for _ in range(30)]
    await until(lambda: sum(task.done() for task in tasks) == 29)
    gate.set()
    await asyncio.gather(*tasks)
    assert (holders, most) == (1, 1)


async def test_it_is_given_back_when_the_block_raises_or_is_cancelled(locks: Locks) -> None:
    with pytest.raises(RuntimeError):
        async with locks.hold("a", LONG):
            raise RuntimeError

    entered = asyncio.Event()

    async def holds() -> None:
        async with locks.hold("a", LONG) as lock:
            assert lock is not None
            entered.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(holds())
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with locks.hold("a", LONG) as lock:
        assert lock is not None


async def test_it_is_renewed_for_as_long_as_it_is_held(locks: Locks) -> None:
    async with locks.hold("a", SHORT) as mine:
        assert mine is not None
        first = mine.until
        await until(lambda: mine.until > first + 2 * SHORT.total_seconds())
        async with locks.hold("a", SHORT) as theirs:
            assert theirs is None
        assert mine.held


async def test_a_lock_whose_holder_died_expires(redis_url: str, pool: Any) -> None:
    for url in (redis_url, ABSENT):
        link = RedisLink(url)
        locks = Locks(link, pool)
        assert await locks._take("dead", SHORT) is not None  # nobody renews it or gives it back
        async with locks.hold("dead", LONG) as early:
            assert early is None

        async def free(locks: Locks = locks) -> bool:
            async with locks.hold("dead", LONG) as lock:
                return lock is not None

        await until(free)
        await link.close()


async def test_a_lock_that_somebody_took_is_lost_and_not_given_back(redis_url: str, redis: Redis, pool: Any) -> None:
    link = RedisLink(redis_url)
    async with Locks(link, pool).hold("a", SHORT) as mine:
        assert mine is not None
        await redis.set("lock:a", "somebody else")
        async with asyncio.timeout(10):
            await mine.lost.wait()
        assert not mine.held
    assert await redis.get("lock:a") == b"somebody else"
    await link.close()


async def test_a_row_that_somebody_took_is_lost_and_not_given_back(pool: Any) -> None:
    async with Locks(RedisLink(None), pool).hold("a", SHORT) as mine:
        assert mine is not None
        await pool.execute("UPDATE locks SET token = gen_random_uuid()")
        async with asyncio.timeout(10):
            await mine.lost.wait()
    assert await rows(pool) == 1


async def test_a_wiped_redis_gives_it_back_to_its_holder(redis_url: str, redis: Redis, pool: Any) -> None:
    link = RedisLink(redis_url)
    async with Locks(link, pool).hold("a", SHORT) as mine:
        assert mine is not None
        await redis.flushall()
        await until(lambda: redis.get("lock:a"))
        assert mine.held
    assert await redis.get("lock:a") is None
    await link.close()


async def test_it_moves_to_postgres_when_redis_goes(pool: Any) -> None:
    with temporary_layout() as layout:
        valkey = Valkey(layout)
        await valkey.start()
        link = RedisLink(valkey.url)
        locks = Locks(link, pool)
        async with locks.hold("a", timedelta(seconds=1)) as mine:
            assert mine is not None
            assert mine.backend == "redis"
            await valkey.stop()
            await until(lambda: mine.backend == "postgres")
            async with locks.hold("a", LONG) as theirs:
                assert theirs is None
            assert mine.held
        assert await rows(pool) == 0
        await link.close()


async def test_what_redis_was_too_slow_to_take_back_is_given_back_when_it_answers(
    redis_url: str, redis: Redis, pool: Any
) -> None:
    """Otherwise one slow moment would keep an album waiting until the token expires."""
    link = RedisLink(redis_url)
    locks = Locks(link, pool)
    async with locks.hold("a", LONG) as mine:
        assert mine is not None
        await redis.execute_command("CLIENT PAUSE 600 ALL")

    async def free() -> bool:
        return await redis.get("lock:a") is None

    await until(free, what="the token to be gone")
    async with locks.hold("a", LONG) as again:
        assert again is not None
    await link.close()


async def test_what_is_owed_is_forgotten_once_it_has_expired(pool: Any) -> None:
    link = RedisLink(ABSENT)
    locks = Locks(link, pool)
    async with locks.hold("a", SHORT):
        pass
    assert locks._returning is not None
    async with asyncio.timeout(10):
        await locks._returning
    assert not locks._owed
    await link.close()


async def test_rows_of_the_dead_are_forgotten(pool: Any) -> None:
    await pool.execute(
        "INSERT INTO locks VALUES ('long ago', gen_random_uuid(), now() - interval '2 hours'),"
        " ('just now', gen_random_uuid(), now() - interval '1 minute')"
    )
    async with Locks(RedisLink(None), pool).hold("a", LONG):
        names = {row["name"] for row in await pool.fetch("SELECT name FROM locks")}
    assert names == {"just now", "a"}


async def test_with_neither_it_is_an_error_and_not_contention(pool: Any) -> None:
    contended = LOCK_CONTENTION.value()
    failed = LOCKS.value(backend="postgres", result="unavailable")
    await pool.execute("ALTER TABLE locks RENAME TO elsewhere")
    with pytest.raises(Unavailable):
        async with Locks(RedisLink(ABSENT), pool).hold("a", LONG):
            raise AssertionError("there is no lock")
    assert LOCK_CONTENTION.value() == contended
    assert LOCKS.value(backend="postgres", result="unavailable") == failed + 1


async def test_a_postgres_that_says_nothing_is_an_error_too_and_soon(database: str) -> None:
    async with line_to(database) as line, await create_pool(line.dsn, min_size=1, max_size=3) as pool:
        locks = Locks(RedisLink(None), pool)
        async with locks.hold("warm", SHORT):
            pass
        line.jam()
        # Longer than a lock may take, and much shorter than the pool's own patience of a minute.
        async with asyncio.timeout(20):
            with pytest.raises(Unavailable):
                async with locks.hold("a", LONG):
                    raise AssertionError("there is no lock")
        await line.admit()
