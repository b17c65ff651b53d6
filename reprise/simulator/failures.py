"""The ways in which a simulated peer can let its callers down."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from aiohttp import web

from reprise.simulator.knobs import Knobs

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class FailNext(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Answer the next `count` calls with `status`; `method` and `path` (a prefix) narrow which calls."""

    status: int = 500
    count: int = 1
    method: str | None = None
    path: str = "/"

    def meets(self, request: web.Request) -> bool:
        return request.path.startswith(self.path) and self.method in (None, request.method)


class Failures:
    """Failure knobs that both peers share."""

    def __init__(self, error: Callable[[int], web.Response], knobs: Knobs) -> None:
        self._error = error
        self.reset()
        knobs.add("offline", bool, lambda value: self._set(offline=value))
        knobs.add("slow", float, lambda value: self._set(slow_s=value))
        knobs.add("starting", bool, lambda value: self._set(starting=value))
        knobs.add("bad_key", bool, lambda value: self._set(bad_key=value))
        knobs.add("fail_next", FailNext | None, self._fail_next)

    def reset(self) -> None:
        self.offline = False
        self.slow_s = 0.0
        self.starting = False
        self.bad_key = False
        self.fail_next: FailNext | None = None

    async def stand_in(self, request: web.Request) -> web.Response | None:
        """Return the failure to answer with, or None where the call may go on."""
        if self.offline:
            if request.transport is not None:
                request.transport.abort()  # the caller sees its connection reset
            return web.Response(status=503)
        if self.slow_s:
            await asyncio.sleep(self.slow_s)
        if self.starting:
            return self._error(503)
        if self.bad_key:
            return self._error(401)
        failing = self.fail_next
        if failing is not None and failing.count > 0 and failing.meets(request):
            failing.count -= 1
            return self._error(failing.status)
        return None

    def _set(self, **values: Any) -> None:
        for name, value in values.items():
            setattr(self, name, value)

    def _fail_next(self, value: FailNext | None) -> None:
        self.fail_next = value
