"""Fixtures for every test: real servers once per session, a fresh database and an empty Redis per test.

With pytest-xdist each worker process has servers of its own. Nothing outlives the session, even when killed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvloop
from redis.asyncio import Redis

from reprise.standalone.layout import Layout
from reprise.standalone.valkey import Valkey
from shared.config import Config, Secret
from shared.postgres.pool import create_pool
from tests.harness.processes import Processes
from tests.harness.servers import PostgresServer, run_postgres, run_valkey, temporary_layout


@pytest.fixture(scope="session")
def servers_layout() -> Iterator[Layout]:
    """The data directory of the session's servers."""
    with temporary_layout() as layout:
        yield layout


@pytest.fixture(scope="session")
def postgres_server(servers_layout: Layout) -> Iterator[PostgresServer]:
    """A real Postgres, without fsync."""
    with run_postgres(servers_layout) as server:
        yield server


@pytest.fixture(scope="session")
def valkey_server(servers_layout: Layout) -> Iterator[Valkey]:
    """A real Valkey."""
    with run_valkey(servers_layout) as server:
        yield server


@pytest.fixture
async def database(postgres_server: PostgresServer) -> AsyncIterator[str]:
    """The DSN of a migrated database of the test's own."""
    async with postgres_server.new_database() as dsn:
        yield dsn


@pytest.fixture
async def empty_database(postgres_server: PostgresServer) -> AsyncIterator[str]:
    """The DSN of a database of the test's own, without any schema."""
    async with postgres_server.new_database(migrated=False) as dsn:
        yield dsn


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Any]:
    """An asyncpg pool on `database`, made as the processes make theirs."""
    async with await create_pool(database, application_name="reprise test") as made:
        yield made


@pytest.fixture
async def redis_url(valkey_server: Valkey) -> str:
    """The URL of an empty Valkey."""
    async with Redis.from_url(valkey_server.url) as client:
        await client.flushall()
    return valkey_server.url


@pytest.fixture
def config(database: str, redis_url: str, tmp_path: Path) -> Config:
    """What a process of this test is configured with; ports are 0, any free one."""
    return Config(
        database_url=Secret(database),
        redis_url=Secret(redis_url),
        host="127.0.0.1",
        port=0,
        metrics_port=0,
        data_dir=tmp_path / "data",
        admin_token=Secret("admin-token-of-the-tests"),
        webhook_secret=Secret("webhook-secret-of-the-tests"),
        secret_key=Secret("secret-key-of-the-tests-0123456789abcdef"),
        log_format="json",
    )


@pytest.fixture
async def processes(config: Config, tmp_path: Path) -> AsyncIterator[Processes]:
    """Starts real `python -m reprise` processes, and ends them after the test."""
    folder = tmp_path / "processes"
    folder.mkdir()
    found = Processes(config, folder)
    try:
        yield found
    finally:
        await found.end_all()


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Every test runs on the loop that the processes run on, too."""
    return {"uvloop": uvloop.new_event_loop}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin the long ones first, each by itself: begun last, one of them would let the other processes wait for it."""
    long = [item for item in items if item.get_closest_marker("long")]
    rest = [item for item in items if not item.get_closest_marker("long")]
    begun = [one for pair in zip(long, rest, strict=False) for one in pair]
    items[:] = begun + rest[len(long) :] if len(rest) > len(long) else items
