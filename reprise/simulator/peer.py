"""What every simulated peer has: a server, a key, knobs, a record of its callers, and a sense of being done."""

from __future__ import annotations

import hmac
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from aiohttp import web

from reprise.simulator.clock import Clock, ticks
from reprise.simulator.delivery import Outbox, Sent
from reprise.simulator.failures import Failures, Handler
from reprise.simulator.knobs import Json, KnobError, Knobs
from reprise.simulator.pace import Pace

CALLS_KEPT = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request that reached the peer, and the status it was answered with (0: dropped)."""

    method: str
    path: str
    query: dict[str, list[str]]
    body: Any
    at: datetime
    status: int

    def to_json(self) -> Json:
        return {
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "body": self.body,
            "at": ticks(self.at),
            "status": self.status,
        }


def answer(data: object, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """Answer with JSON."""
    body = msgspec.json.encode(data)
    return web.Response(body=body, status=status, content_type="application/json", charset="utf-8", headers=headers)


class SimulatedPeer(ABC):
    """A peer with all its state in memory, served over real HTTP."""

    open_paths: frozenset[str] = frozenset()

    def __init__(self, *, api_key: str) -> None:
        self.api_key = api_key
        self.knobs = Knobs()
        self.clock = Clock()
        self.outbox = Outbox(self.clock, self.knobs)
        self.pace = Pace(on_idle=self._idle)
        self.failures = Failures(self.error, self.knobs)
        self._calls: deque[Call] = deque(maxlen=CALLS_KEPT)
        self.url = ""
        self.knobs.add("reset", bool, self._reset)
        self.knobs.add("pace", float | str, self._set_pace)
        self.knobs.add("advance", int, self.pace.advance)
        self.knobs.add("release", bool, self._release)
        self.knobs.add("shift_clock", float, self.clock.shift)

    @abstractmethod
    def routes(self) -> list[web.RouteDef]:
        """Every route of the peer's own API."""

    @abstractmethod
    def error(self, status: int) -> web.Response:
        """An error in the peer's own dress."""

    @abstractmethod
    def forget(self) -> None:
        """Return the peer's own state to that of a fresh installation."""

    async def handle(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Run a route's handler; a peer may turn its own refusals into answers here."""
        return await handler(request)

    @property
    def calls(self) -> list[Call]:
        """Calls received since the last reset, oldest first, the control routes left out."""
        return list(self._calls)

    @property
    def sent(self) -> list[Sent]:
        """Webhooks tried since the last reset, lost ones included; the newest 20,000."""
        return list(self.outbox.sent)

    def control(self, **settings: Any) -> Json:
        """Turn knobs; raises KnobError, having changed nothing, where one is unknown or malformed."""
        return self.knobs.turn(settings)

    async def quiet(self) -> None:
        """Return when no step and no webhook is under way; raises what a failed step raised."""
        await self.pace.quiet()

    @asynccontextmanager
    async def serve(self, port: int = 0, *, host: str = "127.0.0.1") -> AsyncIterator[str]:
        """Serve until the context ends, yielding the base URL; state survives from one serving to the next."""
        app = web.Application(middlewares=[self._front_door], client_max_size=64 * 1024 * 1024)
        app.add_routes(
            [
                web.post("/_control", self._on_control),
                web.get("/_calls", self._on_calls),
                web.get("/_sent", self._on_sent),
                *self.routes(),
            ]
        )
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self.outbox.open()
        try:
            await runner.setup()
            site = web.TCPSite(runner, host, port)
            await site.start()
            self.url = f"http://{host}:{runner.addresses[0][1]}"
            yield self.url
        finally:
            await self.pace.close()
            await runner.cleanup()
            await self.outbox.close()

    def keyed(self, request: web.Request) -> bool:
        """Tell whether the caller showed the key, in a header, the query or as a bearer token."""
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
        shown = request.headers.get("X-Api-Key") or request.query.get("apikey") or bearer
        return hmac.compare_digest(shown.encode(), self.api_key.encode())

    @web.middleware
    async def _front_door(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith("/_"):
            return await handler(request)
        at = self.clock.now()
        body = await self._body(request)
        response = await self.failures.stand_in(request) or await self._admit(request, handler)
        query = {name: request.query.getall(name) for name in dict.fromkeys(request.query)}
        status = 0 if self.failures.offline else response.status
        self._calls.append(Call(method=request.method, path=request.path, query=query, body=body, at=at, status=status))
        return response

    async def _admit(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path not in self.open_paths and not self.keyed(request):
            return self.error(401)
        try:
            return await self.handle(request, handler)
        except web.HTTPNotFound:
            return self.error(404)
        except web.HTTPMethodNotAllowed:
            return self.error(405)

    async def _body(self, request: web.Request) -> Any:
        raw = await request.read()
        if not raw:
            return None
        try:
            return msgspec.json.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return raw.decode("utf-8", "replace")

    async def _on_control(self, request: web.Request) -> web.Response:
        settings = await self._body(request)
        if not isinstance(settings, dict):
            return answer({"error": "send a JSON object of knobs", "knobs": self.knobs.names}, 400)
        try:
            answers = self.control(**settings)
        except ValueError as error:
            return answer({"error": str(error)}, 400)
        return answer({"ok": True, "waiting": self.pace.waiting, **answers})

    async def _on_calls(self, request: web.Request) -> web.Response:
        wanted = request.query.get("path", "")
        return answer([call.to_json() for call in self._calls if call.path.startswith(wanted)])

    async def _on_sent(self, _request: web.Request) -> web.Response:
        return answer([sent.to_json() for sent in self.outbox.sent])

    def _set_pace(self, value: float | str) -> None:
        if isinstance(value, str) and value != "manual":
            raise KnobError('knob pace: seconds, or "manual"')
        self.pace.seconds = None if isinstance(value, str) else value

    def _reset(self, wanted: bool) -> None:
        if wanted:
            self.pace.forget()
            self.pace.seconds = 0.0
            self.failures.reset()
            self.outbox.reset()
            self._calls.clear()
            self.forget()

    def _release(self, wanted: bool) -> None:
        if wanted:
            self.pace.spawn(self.outbox.release())

    def _idle(self) -> None:
        # A story has come to rest: what was shuffled goes out now; what is held waits for its knob.
        if self.outbox.held and not self.pace.manual and "held" not in self.outbox.modes:
            self.pace.spawn(self.outbox.release())
