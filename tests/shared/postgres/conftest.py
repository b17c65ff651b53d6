"""Every major of PostgreSQL that is here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.harness.majors import installed, run_major
from tests.harness.servers import PostgresServer


@pytest.fixture(scope="session", params=["ours", *installed()])
def any_server(request: pytest.FixtureRequest) -> Iterator[PostgresServer]:
    """Each major of PostgreSQL that is here: our own, and Debian's."""
    if request.param == "ours":
        yield request.getfixturevalue("postgres_server")
    else:
        with run_major(request.param) as server:
            yield server


@pytest.fixture
async def any_database(any_server: PostgresServer) -> AsyncIterator[str]:
    """An empty database on each server."""
    async with any_server.new_database(migrated=False) as dsn:
        yield dsn
