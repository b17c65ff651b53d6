"""One table of routes: what serves a request is also what describes it in the contract."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from uuid import UUID

import msgspec
from aiohttp import web

from ingest.api.reading import Either, uuid_of
from ingest.api.services import Services

Q = TypeVar("Q")
B = TypeVar("B")

PREFIX = "/api/v1"
HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Nothing(msgspec.Struct, forbid_unknown_fields=True):
    """No parameters, or no body."""


@dataclass(frozen=True, slots=True)
class Call(Generic[Q, B]):
    """One request, read and checked: its query and its body are what the route says they are."""

    services: Services
    request: web.Request
    query: Q
    body: B

    @property
    def id(self) -> UUID:
        """The {id} in the path. Raises InvalidInput."""
        return uuid_of(self.request.match_info["id"])


Handler = Callable[[Call[Any, Any]], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One operation. answers gives the type of the answer by status; bytes means a body as it is stored."""

    method: str
    path: str
    handler: Handler
    summary: str
    answers: Mapping[int, Any]
    query: type[msgspec.Struct] = Nothing
    body: type[msgspec.Struct] | Either | None = None
    body_required: bool = True
    refusals: tuple[int, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    etag: bool = False

    @property
    def tag(self) -> str:
        """The room of the API that it belongs to."""
        return self.path.split("/")[1]

    @property
    def name(self) -> str:
        """Unique among all routes, for generated clients."""
        words = [word.strip("{}") for word in self.path.split("/") if word]
        return "_".join([self.method.lower(), *words])


def answer(value: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """A value of ours as JSON."""
    return web.Response(
        status=status, body=msgspec.json.encode(value), content_type="application/json", headers={**(headers or {})}
    )
