"""Ask the API's own handlers, in this process and on the database in use: same filters, same acts, same answers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, cast

import msgspec
from aiohttp import web
from multidict import CIMultiDict, MultiDict

from ingest.api.reading import query_of, read_body
from ingest.api.routes import Call, Nothing
from ingest.api.services import Services
from ingest.api.table import ROUTES
from reprise.cli.database import config_in_use, pooled
from shared.acquisition.fold import Folding
from shared.redis import RedisLink
from shared.settings.feed import SettingsFeed
from shared.sources import interpret
from shared.taskqueue import WakeUps
from shared.telemetry.logging import configure_logging

_ROUTES = {(route.method, route.path): route for route in ROUTES}


@dataclass(frozen=True, slots=True)
class _Request:
    """Of an HTTP request, what the handlers look at."""

    match_info: Mapping[str, str]
    headers: CIMultiDict[str]


@dataclass(frozen=True, slots=True)
class Api:
    """The API without its HTTP."""

    services: Services = field(repr=False)

    async def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, object] | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        **places: object,
    ) -> Answer:
        """Have a route answer. places fill the {} of its path; a query's None isn't given.

        Raises what the handlers raise: InvalidInput, NotFound, Conflict and their kin.
        """
        route = _ROUTES[method, path]
        given = MultiDict({name: str(value) for name, value in (query or {}).items() if value is not None})
        request = _Request({name: str(value) for name, value in places.items()}, CIMultiDict(headers or {}))
        call = Call(
            self.services,
            cast("web.Request", request),
            query_of(given, route.query),
            Nothing() if route.body is None else read_body(msgspec.json.encode(body or {}), route.body),
        )
        answered = cast("web.Response", await route.handler(call))
        content = answered.body
        assert isinstance(content, bytes)
        return Answer(answered.status, content)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a route answered, in the very bytes that HTTP would carry."""

    status: int
    content: bytes

    def read(self) -> Any:
        """The content as plain data."""
        return msgspec.json.decode(self.content)


@asynccontextmanager
async def open_api() -> AsyncIterator[Api]:
    """The API on the database in use. Work that was ordered is offered to the workers, if Redis is there."""
    config = config_in_use()
    # What the fleet would say of its day's work is no answer to a person.
    configure_logging(config if config.log_level == "debug" else replace(config, log_level="error"), "command")
    link = RedisLink(config.redis_url)
    wake_ups = WakeUps(link)
    try:
        async with pooled(config) as pool:
            feed = SettingsFeed(pool)
            await feed.refresh()
            folding = Folding.under(config, interpret=interpret, settings=feed.current)
            yield Api(Services(config=config, pool=pool, wake_ups=wake_ups, folding=folding, settings=feed))
    finally:
        await wake_ups.close()
        await link.close()
