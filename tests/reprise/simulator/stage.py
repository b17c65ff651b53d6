"""A receiver that keeps what it is sent, and a caller that knows the key."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

Check = Callable[[str, str, Any], None]
FIRST = "00000000-0000-4000-8000-000000000501"
SECOND = "00000000-0000-4000-8000-000000000502"
THIRD = "00000000-0000-4000-8000-000000000503"


@dataclass
class Received:
    method: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.body)


@dataclass
class Receiver:
    url: str = ""
    status: int = 200
    received: list[Received] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def types(self) -> list[str]:
        return [one.json.get("eventType") or one.json["type"] for one in self.received]

    def bodies(self, event_type: str) -> list[dict[str, Any]]:
        return [one.json for one in self.received if event_type in (one.json.get("eventType"), one.json.get("type"))]

    async def take(self, request: web.Request) -> web.Response:
        self.received.append(Received(request.method, dict(request.headers), await request.read()))
        self.arrived.set()
        return web.Response(status=self.status, headers={"Location": "/elsewhere"})


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", receiver.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/webhooks"
    try:
        yield receiver
    finally:
        await runner.cleanup()


class Caller:
    """Calls one simulator with its key; answers are (status, decoded body or None)."""

    def __init__(self, session: aiohttp.ClientSession, base: str, key: str, check: Check | None = None) -> None:
        self._session = session
        self._check = check
        self.base = base
        self.key = key

    async def __call__(
        self, method: str, path: str, body: Any = None, /, *, key: str | None = None, **query: Any
    ) -> tuple[int, Any]:
        params = [
            (name, str(value).lower() if isinstance(value, bool) else str(value))
            for name, values in query.items()
            for value in (values if isinstance(values, list) else [values])
        ]
        async with self._session.request(
            method,
            self.base + path,
            params=params,
            json=body,
            headers={"X-Api-Key": self.key if key is None else key},
        ) as answer:
            raw = await answer.read()
            found = json.loads(raw) if raw and "json" in answer.content_type else raw.decode()
            if self._check is not None and answer.status < 300 and not path.startswith("/_"):
                self._check(method, path, found)
            return answer.status, found

    async def get(self, path: str, /, **query: Any) -> Any:
        status, body = await self("GET", path, **query)
        assert status == 200, body
        return body


@asynccontextmanager
async def calling(base: str, key: str, check: Check | None = None) -> AsyncIterator[Caller]:
    async with aiohttp.ClientSession() as session:
        yield Caller(session, base, key, check)


async def add_album(call: Caller, mbid: str, *, search: bool = False) -> dict[str, Any]:
    """Look an album up and add it, as a careful client does."""
    (found,) = await call.get("/api/v1/album/lookup", term=f"lidarr:{mbid}")
    found["artist"] |= {"qualityProfileId": 1, "metadataProfileId": 1, "rootFolderPath": "/music", "monitored": True}
    status, album = await call(
        "POST", "/api/v1/album", found | {"monitored": True, "addOptions": {"searchForNewAlbum": search}}
    )
    assert status == 201, album
    return album


async def search_album(call: Caller, *album_ids: int) -> dict[str, Any]:
    status, command = await call("POST", "/api/v1/command", {"name": "AlbumSearch", "albumIds": list(album_ids)})
    assert status == 201, command
    return command
