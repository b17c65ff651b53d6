"""A peer that answers as a recording has it, and sends the recorded webhooks in their places."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import structlog
from aiohttp import web
from msgspec import UNSET

from reprise.recording.file import read
from reprise.recording.form import Body, Exchange, Recording
from reprise.recording.script import Script
from reprise.simulator.clock import parse
from reprise.simulator.lidarr.bodies import encode as as_lidarr_writes
from reprise.simulator.peer import Call, answer
from reprise.simulator.slskd.events import encode as as_slskd_writes

_PATIENCE = aiohttp.ClientTimeout(total=30)
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)((?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?)")
_ANSWERED_WITH = ("content-type", "x-total-count", "retry-after", "location")
_LATELY = timedelta(days=1)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A webhook that was sent, and the status that it was answered with; None when there was no answer."""

    webhook: Exchange
    status: int | None


class RecordedPeer:
    """The peer of a recording. Any key is taken; what the recording doesn't know is answered 501, and noted.

    A webhook waits for the acts that came before it; for the looks that did, `patience_s`.
    """

    def __init__(self, recording: Recording, *, patience_s: float = 2.0) -> None:
        self.recording = recording
        self.patience_s = patience_s
        self.calls: list[Call] = []
        self.unknown: list[Call] = []
        self.sent: list[Sent] = []
        self._script = Script(recording)
        self._target: tuple[str, str] | None = None
        self._wake = asyncio.Event()
        self._looked = asyncio.Event()
        self._resting = asyncio.Event()
        self._resting.set()
        self._later_by = timedelta()

    @classmethod
    def of(cls, path: Path) -> RecordedPeer:
        """The peer of a recording's file. Raises RecordingDamaged."""
        return cls(read(path))

    @property
    def left(self) -> list[Exchange]:
        """The recorded acts that nobody has done yet, and the webhooks that weren't sent."""
        return list(self._script.left)

    def webhooks_to(self, url: str, secret: str = "") -> None:
        """Send webhooks to this address from now on, showing the secret."""
        self._target = (url, secret)
        self._go_on()

    async def quiet(self) -> None:
        """Return when every webhook whose turn has come was sent."""
        await self._resting.wait()

    @asynccontextmanager
    async def serve(self, port: int = 0, *, host: str = "127.0.0.1") -> AsyncIterator[str]:
        """Serve until the context ends, yielding the base URL. What was dated then is dated as if it were now."""
        began = datetime.fromisoformat(self.recording.header.began_at)
        self._later_by = timedelta(seconds=round((datetime.now(UTC) - began).total_seconds()))
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_get("/_recording", self._on_recording)
        app.router.add_route("*", "/{path:.*}", self._on_call)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        async with aiohttp.ClientSession(timeout=_PATIENCE) as session:
            sending = asyncio.ensure_future(self._send(session))
            try:
                await runner.setup()
                await web.TCPSite(runner, host, port).start()
                yield f"http://{host}:{runner.addresses[0][1]}"
            finally:
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)
                await runner.cleanup()

    async def _on_call(self, request: web.Request) -> web.StreamResponse:
        body = await _body_of(request)
        path, _, _ = request.raw_path.partition("?")
        found = self._script.answer(request.method, path, list(request.query.items()), body)
        response = self._response(request, found)
        status = 0 if found is not None and found.answer is None else response.status
        call = Call(
            method=request.method,
            path=request.path,
            query={name: request.query.getall(name) for name in dict.fromkeys(request.query)},
            body=body,
            at=datetime.now(UTC),
            status=status,
        )
        self.calls.append(call)
        if found is None:
            self.unknown.append(call)
            log.warning("recording.unknown_call", method=call.method, path=call.path)
        elif found.answer is None and request.transport is not None:
            request.transport.abort()
        else:
            # The answer first: what it leads to came after it.
            await response.prepare(request)
            await response.write_eof()
            self._looked.set()
            self._go_on()
        return response

    def _response(self, request: web.Request, found: Exchange | None) -> web.Response:
        if found is None:
            return web.Response(status=501, text=f"The recording has no (further) {request.method} {request.path}\n")
        if found.answer is None:
            return web.Response(status=502)
        headers = {name: value for name, value in found.answer.headers.items() if name in _ANSWERED_WITH}
        return web.Response(status=found.answer.status, headers=headers, body=self._content(found.answer.body))

    def _content(self, body: Body | None, *, webhook: bool = False) -> bytes:
        """The bytes of a body, with ids as the caller knows them and dates as if it happened now."""
        if body is None:
            return b""
        if body.json is UNSET:
            return self._now(body.text).encode() if isinstance(body.text, str) else b""
        text = self._now(msgspec.json.encode(body.json).decode())
        if not webhook:
            return text.encode()
        encode = as_lidarr_writes if self.recording.header.peer == "lidarr" else as_slskd_writes
        return encode(msgspec.json.decode(text))

    def _now(self, text: str) -> str:
        began = datetime.fromisoformat(self.recording.header.began_at)

        def moved(found: re.Match[str]) -> str:
            try:
                at = parse(found[0])
            except ValueError:
                return found[0]
            if at < began - _LATELY:
                return found[0]
            return f"{datetime.fromisoformat(found[1]) + self._later_by:%Y-%m-%dT%H:%M:%S}{found[2]}"

        return _MOMENT.sub(moved, self._script.identities.to_caller(text))

    def _go_on(self) -> None:
        if self._target is not None and self._script.due() is not None:
            self._resting.clear()
            self._wake.set()

    async def _send(self, session: aiohttp.ClientSession) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._target is not None and (webhook := self._script.due()) is not None:
                await self._its_place(webhook)
                self._script.sent(webhook)
                status = await self._transmit(session, webhook, *self._target)
                self.sent.append(Sent(webhook=webhook, status=status))
            self._resting.set()

    async def _its_place(self, webhook: Exchange) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self.patience_s):
                while self._script.waits_for_looks(webhook):
                    self._looked.clear()
                    await self._looked.wait()

    async def _transmit(self, session: aiohttp.ClientSession, webhook: Exchange, url: str, secret: str) -> int | None:
        headers = {name: value for name, value in webhook.headers.items() if name in ("content-type", "user-agent")}
        if secret:
            headers["X-Webhook-Secret"] = secret
        content = self._content(webhook.body, webhook=True)
        try:
            async with session.request(webhook.method, url, data=content, headers=headers) as answered:
                await answered.read()
                return answered.status
        except (aiohttp.ClientError, TimeoutError) as error:
            log.warning("recording.webhook_failed", n=webhook.n, error=type(error).__name__)
            return None

    async def _on_recording(self, _request: web.Request) -> web.Response:
        left = [{"n": one.n, "direction": one.direction, "method": one.method, "path": one.path} for one in self.left]
        unknown = [call.to_json() for call in self.unknown]
        return answer({"calls": len(self.calls), "webhooks": len(self.sent), "unknown": unknown, "left": left})


async def run_recorded(
    recorded: RecordedPeer, *, host: str, port: int, webhook_url: str | None, webhook_secret: str | None
) -> None:
    """Serve until cancelled; with `webhook_url`, webhooks go there. Raises OSError where the port is taken."""
    async with recorded.serve(port, host=host) as url:
        log.info("recording.serving", peer=recorded.recording.header.peer, url=url, webhook_url=webhook_url)
        if webhook_url:
            recorded.webhooks_to(webhook_url, webhook_secret or "")
        await asyncio.Event().wait()


async def _body_of(request: web.Request) -> Any:
    content = await request.read()
    if not content:
        return None
    try:
        return msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return content.decode("utf-8", "replace")
