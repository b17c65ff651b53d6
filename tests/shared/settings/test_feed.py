"""Settings as a process sees them: current within a second, the last known while Postgres is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from shared.errors import ConfigError, InvalidInput, NotFound
from shared.postgres.pool import create_pool
from shared.settings import store
from shared.settings.feed import SettingsFeed
from shared.settings.paths import PathMapping
from shared.settings.registry import Settings
from tests.harness.waiting import until


@asynccontextmanager
async def _running(feed: SettingsFeed) -> AsyncIterator[SettingsFeed]:
    task = asyncio.create_task(feed.run())
    try:
        yield feed
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _put(pool: Any, name: str, value: Any) -> int:
    async with pool.acquire() as connection, connection.transaction():
        return await store.put(connection, name, value, by="test")


async def test_a_change_reaches_a_running_process(pool: Any) -> None:
    async with _running(SettingsFeed(pool, {})) as feed:
        version = await _put(pool, "album_max_attempts", 9)
        await until(lambda: feed.current().version == version, within_s=5)
        assert feed.current() == Settings(version=version, album_max_attempts=9)
        assert feed.origin("album_max_attempts") == "set"
        version = await _put(pool, "album_max_attempts", None)
        await until(lambda: feed.current().version == version, within_s=5)
        assert feed.current() == Settings(version=version)


async def test_words_and_lists_arrive_as_what_they_are(pool: Any) -> None:
    await _put(pool, "formats", ["flac", "mp3-320"])
    await _put(pool, "path_mappings", [{"from": "/downloads", "to": "/data"}])
    version = await _put(pool, "fallback", "none")
    feed = SettingsFeed(pool, {})
    await feed.refresh()
    assert feed.current() == Settings(
        version=version,
        formats=("flac", "mp3-320"),
        path_mappings=(PathMapping("/downloads", "/data"),),
        fallback="none",
    )


async def test_a_schema_that_was_restored_without_its_rows(pool: Any) -> None:
    """It's recognised all the same, so everything must go on without the row that a migration once wrote."""
    await pool.execute("TRUNCATE settings_version")
    async with _running(SettingsFeed(pool, {})) as feed:
        assert await _put(pool, "album_max_attempts", 9) == 1
        await until(lambda: feed.current() == Settings(version=1, album_max_attempts=9), within_s=5)
        assert await _put(pool, "album_max_attempts", 8) == 2
        await until(lambda: feed.current() == Settings(version=2, album_max_attempts=8), within_s=5)


async def test_the_environment_stands_in(pool: Any) -> None:
    feed = SettingsFeed(pool, {"REPRISE_SETTING_ALBUM_MAX_ATTEMPTS": " 5 ", "REPRISE_SETTING_OBSERVE_INTERVAL": ""})
    assert feed.current() == Settings(version=0, album_max_attempts=5)
    assert (feed.origin("album_max_attempts"), feed.origin("observe_interval")) == ("environment", "default")
    await _put(pool, "album_max_attempts", 8)
    await feed.refresh()
    assert feed.current().album_max_attempts == 8
    await _put(pool, "album_max_attempts", None)
    await feed.refresh()
    assert feed.current().album_max_attempts == 5


async def test_every_fault_of_the_environment_is_told_at_once(pool: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        SettingsFeed(pool, {"REPRISE_SETTING_ALBUM_MAX_ATTEMPTS": "many", "REPRISE_SETTING_NONSENSE": "1"})
    assert {fault.variable for fault in caught.value.faults} == {
        "REPRISE_SETTING_ALBUM_MAX_ATTEMPTS",
        "REPRISE_SETTING_NONSENSE",
    }


async def test_the_last_known_hold_while_postgres_is_away(database: str, pool: Any) -> None:
    own = await create_pool(database, min_size=0)
    async with _running(SettingsFeed(own, {})) as feed:
        version = await _put(pool, "album_max_attempts", 9)
        await until(lambda: feed.current().version == version, within_s=5)
        own.terminate()
        await until(lambda: feed._away, within_s=5)
        assert feed.current().album_max_attempts == 9


async def test_what_another_release_stored_is_left_alone(pool: Any) -> None:
    for name, value in {"from_the_future": 1, "album_max_attempts": "many"}.items():
        await pool.execute(
            "INSERT INTO settings (name, value, changed_at, changed_by) VALUES ($1, $2, now(), 'test')", name, value
        )
    version = await _put(pool, "observe_interval", 30)
    feed = SettingsFeed(pool, {})
    await feed.refresh()
    assert feed.current() == Settings(version=version, observe_interval=30)


async def test_versions_count_every_change_once(pool: Any) -> None:
    versions = await asyncio.gather(*(_put(pool, "observe_interval", 10 + n) for n in range(20)))
    assert sorted(versions) == list(range(2, 22))
    async with pool.acquire() as connection:
        stored = await store.read(connection)
    assert stored.version == 21
    assert stored.values["observe_interval"] == 10 + versions.index(21)


async def test_only_what_fits_is_stored(pool: Any) -> None:
    with pytest.raises(InvalidInput):
        await _put(pool, "album_max_attempts", 0)
    with pytest.raises(NotFound):
        await _put(pool, "nonsense", 1)
    async with pool.acquire() as connection:
        assert await store.read(connection) == store.Stored(1)
