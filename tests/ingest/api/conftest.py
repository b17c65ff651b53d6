"""A served API on a real Postgres, and a client that checks every answer against the contract."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import aiohttp
import msgspec
import pytest
from jsonschema import Draft202012Validator, FormatChecker
from yarl import URL

from ingest.api import SERVICES, Services, add_api
from ingest.api.openapi import document
from ingest.app import build_app, open_parts
from shared.config import Config
from shared.eventlog import store as eventlog
from shared.eventlog.event import Delivery
from shared.eventlog.identity import uuid7


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    raw: bytes

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.raw)


class Api:
    """Speaks HTTP with the token; an answer that the contract doesn't know fails the test."""

    def __init__(self, http: aiohttp.ClientSession, token: str, services: Services) -> None:
        self.http = http
        self.services = services
        self.contract = document()
        self._token = token
        self._paths = [
            (re.compile("^" + re.sub(r"{\w+}", "[^/]+", path) + "$"), path) for path in self.contract["paths"]
        ]
        self._paths.sort(key=lambda pair: "{" in pair[1])

    async def __call__(self, method: str, path: str | URL, **kwargs: Any) -> Answer:
        headers = {"Authorization": f"Bearer {self._token}", **kwargs.pop("headers", {})}
        async with self.http.request(method, path, headers=headers, **kwargs) as response:
            answer = Answer(response.status, response.headers, await response.read())
        self._check(method, path, answer)
        return answer

    async def get(self, path: str, **params: Any) -> Any:
        """The JSON of a GET that succeeds."""
        answer = await self("GET", path, params=params)
        assert answer.status == 200, answer.raw
        return answer.json

    async def post(self, path: str, body: Any = None, *, status: int, **kwargs: Any) -> Any:
        """The JSON of a POST that ends with this status."""
        answer = await self("POST", path, **({} if body is None else {"json": body}), **kwargs)
        assert answer.status == status, answer.raw
        return answer.json

    async def pages(self, path: str, **params: Any) -> list[Any]:
        """Every item of a list, page by page."""
        items: list[Any] = []
        while True:
            page = await self.get(path, **params)
            items += page["items"]
            if page["next"] is None:
                return items
            params["cursor"] = page["next"]

    def _check(self, method: str, path: str | URL, answer: Answer) -> None:
        bare = str(path).partition("?")[0]
        template = next(template for pattern, template in self._paths if pattern.match(bare))
        responses = self.contract["paths"][template][method.lower()]["responses"]
        assert str(answer.status) in responses, f"{method} {template} answered {answer.status}: {answer.raw!r}"
        content = responses[str(answer.status)]["content"]
        media = answer.headers["Content-Type"].partition(";")[0]
        assert media in content
        schema = {**content[media]["schema"], "components": self.contract["components"]}
        if content[media]["schema"]:
            Draft202012Validator(schema, format_checker=FormatChecker()).validate(answer.json)


@pytest.fixture
async def api(config: Config) -> AsyncIterator[Api]:
    """The API of one process, as `reprise ingest` serves it."""
    async with open_parts(config) as parts:
        app = build_app(parts, add_api)
        runner = aiohttp.web.AppRunner(app)
        await runner.setup()
        site = aiohttp.web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        base = f"http://127.0.0.1:{runner.addresses[0][1]}"
        assert config.admin_token
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(base, connector=connector) as http:
            yield Api(http, config.admin_token.reveal(), app[SERVICES])
        await runner.cleanup()


@pytest.fixture
def log_event(pool: Any) -> Any:
    """Appends an event as the receiver would; answers its id."""

    async def append(body: bytes = b"{}", *, source: str = "lidarr", type: str = "Test", **fields: Any) -> UUID:
        fields.setdefault("received_at", datetime.now(UTC))
        delivery = Delivery(id=uuid7(), source=source, type=type, body=body, **fields)
        async with pool.acquire() as connection:
            await eventlog.append(connection, [delivery])
        return delivery.id

    return append


@pytest.fixture
def album() -> dict[str, str]:
    """An album to ask for."""
    return {
        "album_mbid": "5b11f4ce-a62d-471e-81fc-a69a8278c7da",
        "artist_name": "Sigur Rós",
        "album_title": "Ágætis byrjun",
    }
