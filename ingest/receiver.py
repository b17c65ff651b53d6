"""Take a webhook and answer within milliseconds: authenticate, identify, keep."""

from __future__ import annotations

import asyncio
import itertools
import time
from datetime import UTC, datetime

import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web_protocol import RequestPayloadError

from ingest.authentication import Doorkeeper
from ingest.intake import Keeps, Kept
from ingest.problems import problem
from shared.errors import RepriseError
from shared.eventlog.event import Delivery, Identity
from shared.eventlog.identity import uuid7
from shared.sources import SOURCES, Source
from shared.telemetry.metrics import EVENTS_RECEIVED, RECEIVE_SECONDS

MAX_BODY_BYTES = 5 * 1024 * 1024
BODY_TIMEOUT_S = 60.0

_log = structlog.get_logger("ingest.receiver")


class Receiver:
    """The webhook routes. Answers 2xx once the delivery is kept, in the log or in the spool."""

    def __init__(self, doorkeeper: Doorkeeper, intake: Keeps) -> None:
        self._doorkeeper = doorkeeper
        self._intake = intake

    def routes(self) -> list[web.RouteDef]:
        """All routes, with and without a trailing slash: Lidarr counts a redirect as success and loses the event."""
        routes = []
        # The known names as plain paths, which aiohttp finds without matching; then whatever else was written there.
        for name in [*SOURCES, "{source}"]:
            delivered = [f"/webhooks/{name}", *(["/api/webhooks/lidarr"] if name == "lidarr" else [])]
            for slash, method in itertools.product(("", "/"), ("POST", "PUT")):
                routes += [web.route(method, path + slash, self.receive) for path in delivered]
            routes += [web.get(f"/webhooks/{name}/verify{slash}", self.verify) for slash in ("", "/")]
        return routes

    async def receive(self, request: web.Request) -> web.Response:
        """One delivery, from its arrival to its answer."""
        arrived = time.perf_counter()
        source = _source(request)
        if source is None:
            return _unknown_source()
        if not self._doorkeeper.admits(request.headers):
            EVENTS_RECEIVED.inc(source=source.name, type="other", result="refused")
            return self._refuse(request)
        body = await _body(request)
        if isinstance(body, web.Response):
            EVENTS_RECEIVED.inc(source=source.name, type="other", result="refused")
            return body
        delivery = _delivery(source, request, body)
        try:
            kept = await self._intake.keep(delivery)
        except RepriseError:
            EVENTS_RECEIVED.inc(source=source.name, type=delivery.type, result="refused")
            raise
        result = "spooled" if kept.spooled else "duplicate" if kept.duplicate else "new"
        EVENTS_RECEIVED.inc(source=source.name, type=delivery.type, result=result)
        RECEIVE_SECONDS.observe(time.perf_counter() - arrived)
        return _answer(kept)

    async def verify(self, request: web.Request) -> web.Response:
        """Say that the address is right and the secret matches."""
        source = _source(request)
        if source is None:
            return _unknown_source()
        if not self._doorkeeper.admits(request.headers):
            return self._refuse(request)
        return web.json_response({"source": source.name, "verified": True})

    def _refuse(self, request: web.Request) -> web.Response:
        refusal = self._doorkeeper.refuse(request.remote)
        headers = {"WWW-Authenticate": 'Basic realm="Reprise webhooks"'} if refusal.status == 401 else {}
        if refusal.retry_after_s is not None:
            headers |= {"Retry-After": str(refusal.retry_after_s), "Connection": "close"}
        return problem(refusal.status, refusal.detail, code=refusal.code, headers=headers)


def _source(request: web.Request) -> Source | None:
    name = request.match_info.get("source")
    if name is None:
        # A plain path: /webhooks/<name>, or Lidify's /api/webhooks/lidarr.
        name = request.path.partition("/webhooks/")[2].partition("/")[0]
    return SOURCES.get(name.lower())


def _unknown_source() -> web.Response:
    names = ", ".join(sorted(SOURCES))
    return problem(404, f"There is no such source. Known: {names}.", code="unknown_source")


async def _body(request: web.Request) -> bytes | web.Response:
    """The exact bytes, or the refusal. A Content-Length that is too large is refused before anything is read."""
    if (request.content_length or 0) > MAX_BODY_BYTES:
        return _too_large()
    try:
        if request.content.is_eof():  # usual: head and body came together
            body = await request.read()
        else:
            async with asyncio.timeout(BODY_TIMEOUT_S):
                body = await request.read()
    except web.HTTPRequestEntityTooLarge:
        return _too_large()
    except TimeoutError:
        detail = f"The body wasn't complete after {BODY_TIMEOUT_S:.0f} s."
        return problem(408, detail, code="body_too_slow", headers={"Connection": "close"})
    except (RequestPayloadError, HttpProcessingError):
        # What came was not HTTP (a broken chunk): there are no exact bytes to keep.
        return problem(400, "The body can't be read as HTTP.", code="broken_body", headers={"Connection": "close"})
    # aiohttp's own limit is one byte more or less, depending on its version
    return body if len(body) <= MAX_BODY_BYTES else _too_large()


def _too_large() -> web.Response:
    return problem(413, f"A webhook body may have {MAX_BODY_BYTES} bytes.", code="body_too_large")


def _delivery(source: Source, request: web.Request, body: bytes) -> Delivery:
    try:
        identity = source.identify(request.headers, body)
    except Exception:  # noqa: BLE001 - logged with its traceback
        # identify promises never to raise; if it does all the same, the delivery matters more.
        _log.exception("event.unidentified", source=source.name)
        identity = Identity("unreadable")
    return Delivery(
        id=uuid7(),
        source=source.name,
        type=identity.type,
        body=body,
        received_at=datetime.now(UTC),
        dedupe_key=identity.dedupe_key,
        correlation_id=identity.correlation_id,
    )


def _answer(kept: Kept) -> web.Response:
    duplicate = "true" if kept.duplicate else "false"
    spooled = ', "spooled": true' if kept.spooled else ""
    return web.Response(
        body=f'{{"event_id": "{kept.event_id}", "duplicate": {duplicate}{spooled}}}'.encode(),
        content_type="application/json",
    )
