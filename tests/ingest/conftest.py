"""A running receiver for tests, and what is needed to talk to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import aiohttp
import pytest

from ingest.serve import listening
from shared.config import Config, Secret
from tests.harness.waiting import until
from tests.ingest.line import Line, line_to

PAYLOADS = Path(__file__).parents[1] / "payloads"


class Hooks:
    """Sends webhooks to a running receiver."""

    def __init__(self, http: aiohttp.ClientSession, port: int, secret: str) -> None:
        self.http = http
        self.port = port
        self.secret = secret

    async def ask(self, method: str, path: str, **options: Any) -> tuple[int, Any]:
        """Status and JSON of the answer. The secret is shown unless headers are given."""
        options.setdefault("headers", {"X-Webhook-Secret": self.secret})
        async with self.http.request(method, path, allow_redirects=False, **options) as answer:
            return answer.status, await answer.json(content_type=None)

    async def post(self, source: str, body: bytes) -> dict[str, Any]:
        """The answer to a delivery that must be acknowledged."""
        status, answer = await self.ask("POST", f"/webhooks/{source}", data=body)
        assert status == 200, answer
        assert isinstance(answer, dict)
        return answer

    async def ready(self) -> Mapping[str, str]:
        status, lines = await self.ask("GET", "/readyz", headers={})
        assert status == 200, lines
        assert isinstance(lines, dict)
        return lines

    async def settled(self, status: str) -> None:
        """Wait until /readyz says status."""

        async def says() -> bool:
            _, lines = await self.ask("GET", "/readyz", headers={})
            return bool(lines["status"] == status)

        await until(says, what=f"/readyz says {status}")


Receiver = Callable[[Config], AbstractAsyncContextManager[Hooks]]


@asynccontextmanager
async def receiving(config: Config) -> AsyncIterator[Hooks]:
    """A receiver, listening; it may not have found its Postgres yet."""
    async with listening(config) as port, aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http:
        assert config.webhook_secret is not None
        yield Hooks(http, port, config.webhook_secret.reveal())


@pytest.fixture
async def hooks(config: Config) -> AsyncIterator[Hooks]:
    """A receiver that has its Postgres."""
    async with receiving(config) as found:
        await found.settled("ready")
        yield found


@pytest.fixture
async def line(database: str) -> AsyncIterator[Line]:
    """A line to the test's database that can be cut and jammed."""
    async with line_to(database) as found:
        yield found


@pytest.fixture
def lined(config: Config, line: Line) -> Config:
    """The test's config, with the database at the end of the line."""
    return replace(config, database_url=Secret(line.dsn))


async def events(pool: Any) -> dict[UUID, Any]:
    """All events of the log by id, in the order of the log."""
    rows = await pool.fetch("SELECT * FROM events ORDER BY id")
    return {row["id"]: row for row in rows}


def payloads(source: str) -> dict[str, bytes]:
    """The sample bodies of a source by name."""
    return {path.stem: path.read_bytes() for path in sorted((PAYLOADS / source).glob("*.json"))}
