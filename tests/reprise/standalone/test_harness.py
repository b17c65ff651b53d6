"""The shared fixtures themselves: each test has its own database and an empty Redis."""

from __future__ import annotations

from typing import Any

import pytest
from redis.asyncio import Redis

from shared.config import Config, load_config
from tests.harness.processes import environ_of


@pytest.mark.parametrize("turn", [1, 2])
async def test_each_test_has_a_fresh_migrated_database(pool: Any, turn: int) -> None:
    assert await pool.fetchval("SELECT to_regclass('events') IS NOT NULL"), "the schema is there"
    assert await pool.fetchval("SELECT to_regclass('left_by_a_test') IS NULL"), f"turn {turn}"
    await pool.execute("CREATE TABLE left_by_a_test ()")


@pytest.mark.parametrize("turn", [1, 2])
async def test_each_test_has_an_empty_redis(redis_url: str, turn: int) -> None:
    async with Redis.from_url(redis_url) as client:
        assert await client.dbsize() == 0, f"turn {turn}"
        await client.set("lock:left", "by a test")


async def test_tests_connect_as_reprise_does_and_not_as_superuser(pool: Any) -> None:
    assert await pool.fetchval("SELECT current_setting('is_superuser')") == "off"


async def test_the_config_reaches_a_process_unchanged(config: Config) -> None:
    assert load_config(environ_of(config)) == config
