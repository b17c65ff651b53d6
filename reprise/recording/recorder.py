"""Stands between Reprise and a peer on loopback, passes on every request both ways, and tells what it heard."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from reprise.recording.form import Heard
from reprise.recording.problems import CannotRecord

LOOPBACK = "127.0.0.1"
MOST_BYTES = 64 * 1024 * 1024
# Lidarr itself waits 100 s for the answer to a webhook.
_PATIENCE = aiohttp.ClientTimeout(total=120, sock_connect=10)
_AT_ONCE = 8
# These belong to one connection, and ours are two.
_OF_THE_CONNECTION = frozenset(
    {"connection", "keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authorization", "te", "trailer"}
    | {"transfer-encoding", "upgrade", "host", "content-length", "accept-encoding", "content-encoding", "expect"}
)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

Keep = Callable[[Heard], Awaitable[None]]


class Recorder:
    """Passes `/webhooks/…` on to Reprise's receiver, and everything else to the peer.

    No key is added: who calls must show the peer's own, so that nobody gets in here who wouldn't there.
    """

    def __init__(self, *, peer_url: str, reprise_url: str, keep: Keep) -> None:
        self._peer_url = peer_url.rstrip("/")
        self._reprise_url = reprise_url.rstrip("/")
        self._keep = keep
        self._began = time.monotonic()
        self._count = 0
        self._line = asyncio.Semaphore(_AT_ONCE)
        self._names: frozenset[str] = frozenset()

    @asynccontextmanager
    async def serve(self, port: int) -> AsyncIterator[str]:
        """Listen until the context ends, yielding the address. Raises CannotRecord where the port is taken."""
        app = web.Application(client_max_size=MOST_BYTES)
        app.router.add_route("*", "/{path:.*}", self._pass)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=5, auto_decompress=False)
        async with aiohttp.ClientSession(
            timeout=_PATIENCE,
            connector=aiohttp.TCPConnector(limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers={"User-Agent", "Accept", "Accept-Encoding", "Content-Type"},
        ) as self._session:
            await runner.setup()
            try:
                try:
                    await web.TCPSite(runner, LOOPBACK, port).start()
                except OSError as error:
                    raise CannotRecord(
                        f"port {port} can't be had ({error.strerror}). Give another with --port"
                    ) from error
                listening: int = runner.addresses[0][1]
                self._names = frozenset({f"{LOOPBACK}:{listening}", f"localhost:{listening}"})
                yield f"http://{LOOPBACK}:{listening}"
            finally:
                await runner.cleanup()

    async def _pass(self, request: web.Request) -> web.StreamResponse:
        # A page in somebody's browser may reach us by a name of its own, but not by ours.
        if request.host not in self._names or request.method not in _METHODS or not request.raw_path.startswith("/"):
            return web.Response(status=421, text="This is a recorder of Reprise; call it by its address.\n")
        path, _, query = request.raw_path.partition("?")
        webhook = path.startswith("/webhooks/")
        heard = Heard(
            n=self._count,
            direction="webhook" if webhook else "call",
            at_s=time.monotonic() - self._began,
            method=request.method,
            path=path,
            query=query,
            headers=list(request.headers.items()),
        )
        self._count += 1
        async with self._line:
            response = await self._exchange(request, heard, self._reprise_url if webhook else self._peer_url)
            heard.took_s = time.monotonic() - self._began - heard.at_s
            await self._keep(heard)
        return response

    async def _exchange(self, request: web.Request, heard: Heard, base: str) -> web.Response:
        try:
            heard.body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            heard.fault = "request too large"
            return web.Response(status=413)
        try:
            async with self._session.request(
                heard.method,
                URL(base + request.raw_path, encoded=True),
                data=heard.body or None,
                headers=_passed_on(request.headers),
                allow_redirects=False,
            ) as answer:
                heard.status, heard.answer_headers = answer.status, list(answer.headers.items())
                heard.answer_body = await _whole(answer)
                return web.Response(status=answer.status, body=heard.answer_body, headers=_passed_on(answer.headers))
        except _TooLarge:
            heard.fault = "answer too large"
        except TimeoutError:
            heard.fault = "no answer in time"
        except aiohttp.ClientConnectorError:
            heard.fault = "unreachable"
        except (aiohttp.ClientError, OSError, ValueError):
            heard.fault = "connection broken"
        # As near as we come to what the caller would have met without us.
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=502)


class _TooLarge(Exception):  # noqa: N818
    """More came than we pass on."""


async def _whole(answer: aiohttp.ClientResponse) -> bytes:
    content = bytearray()
    async for chunk in answer.content.iter_chunked(1 << 16):
        content += chunk
        if len(content) > MOST_BYTES:
            raise _TooLarge
    return bytes(content)


def _passed_on(headers: Mapping[str, str]) -> CIMultiDict[str]:
    return CIMultiDict((name, value) for name, value in headers.items() if name.lower() not in _OF_THE_CONNECTION)
