"""The embedded Valkey: private, small, and never in the way."""

from __future__ import annotations

import os
import signal
import stat

import psutil
import pytest
from arq.connections import RedisSettings, create_pool
from redis.asyncio import Redis
from redis.exceptions import ConnectionError

from reprise.standalone.layout import Layout
from reprise.standalone.valkey import Valkey
from tests.harness.leftovers import mentioning


async def test_a_second_start_keeps_the_keys(layout: Layout) -> None:
    first = Valkey(layout)
    await first.start()
    async with Redis.from_url(first.url) as client:
        await client.set("lock:kept", "1")
    await first.stop()
    assert mentioning(str(layout.data_dir)) == {}
    second = Valkey(layout)
    await second.start()
    try:
        async with Redis.from_url(second.url) as client:
            assert await client.get("lock:kept") == b"1"
    finally:
        await second.stop()


async def test_it_comes_back_after_being_killed(valkey: Valkey) -> None:
    assert valkey.pid is not None
    os.kill(valkey.pid, signal.SIGKILL)
    await valkey.wait()
    await valkey.start()
    async with Redis.from_url(valkey.url) as client:
        assert await client.ping()


async def test_a_journal_that_cannot_be_read_is_put_aside(layout: Layout) -> None:
    server = Valkey(layout)
    await server.start()
    await server.stop()
    manifest = next((layout.valkey / "appendonlydir").glob("*.manifest"))
    manifest.write_text("nonsense\n")
    await server.start()
    try:
        async with Redis.from_url(server.url) as client:
            assert await client.dbsize() == 0
        assert [path for path in layout.data_dir.iterdir() if path.name.startswith("valkey.broken-")]
    finally:
        await server.stop()


async def test_arq_connects_with_the_same_url(valkey: Valkey) -> None:
    pool = await create_pool(RedisSettings.from_dsn(valkey.url))
    try:
        assert await pool.ping()
    finally:
        await pool.aclose()


async def test_it_wants_its_password_and_shows_it_to_nobody(valkey: Valkey, layout: Layout) -> None:
    with pytest.raises(ConnectionError, match="Authentication required"):
        async with Redis.from_url(f"unix://{valkey.socket}") as client:
            await client.ping()
    assert stat.S_IMODE(valkey.socket.stat().st_mode) == 0o700
    assert stat.S_IMODE((layout.secrets / "valkey_password").stat().st_mode) == 0o600
    assert layout.kept_secret("valkey_password") not in " ".join(psutil.Process(valkey.pid).cmdline())


async def test_it_stays_small_and_drops_only_keys_that_expire(valkey: Valkey) -> None:
    async with Redis.from_url(valkey.url, decode_responses=True) as client:
        found = await client.config_get("maxmemory", "maxmemory-policy", "port")
    assert int(found["maxmemory"]) < 50 * 1024 * 1024
    assert found["maxmemory-policy"] == "volatile-lru"
    assert found["port"] == "0"


async def test_a_server_that_outlived_its_supervisor_is_replaced(layout: Layout) -> None:
    orphan, heir = Valkey(layout), Valkey(layout)
    await orphan.start()
    try:
        await heir.start()
        await orphan.wait()
        assert set(mentioning(str(layout.data_dir))) == {heir.pid}
    finally:
        await heir.stop()


async def test_it_works_below_a_folder_that_its_user_cannot_enter(hidden_layout: Layout) -> None:
    server = Valkey(hidden_layout)
    await server.start()
    try:
        async with Redis.from_url(server.url) as client:
            await client.set("lock:kept", "1")
        assert next((hidden_layout.valkey / "appendonlydir").iterdir())
    finally:
        await server.stop()


async def test_it_never_runs_as_root(valkey: Valkey) -> None:
    assert 0 not in psutil.Process(valkey.pid).uids()
