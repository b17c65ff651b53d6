"""The recorder passes everything on as it came, both ways, and lets nobody in who wouldn't get in without it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from reprise.recording import recorder as recording
from reprise.recording.form import Heard
from reprise.recording.problems import CannotRecord
from reprise.recording.recorder import Recorder


@dataclass
class Behind:
    """A server that shows what reached it, and answers as it is told."""

    url: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b'{"ok": true}'
    drop: bool = False
    seen: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.StreamResponse:
        self.seen.append((request.method, request.raw_path, dict(request.headers), await request.read()))
        if self.drop and request.transport is not None:
            request.transport.abort()
        return web.Response(status=self.status, headers=self.headers, body=self.body)


@asynccontextmanager
async def serving(behind: Behind) -> AsyncIterator[Behind]:
    app = web.Application(client_max_size=200 * 1024 * 1024)
    app.router.add_route("*", "/{path:.*}", behind.take)
    runner = web.AppRunner(app, access_log=None, auto_decompress=False)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    behind.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield behind
    finally:
        await runner.cleanup()


@dataclass
class Between:
    """A recorder between two servers, and somebody who calls it."""

    peer: Behind
    reprise: Behind
    url: str
    http: aiohttp.ClientSession
    heard: list[Heard]


@pytest.fixture
async def between() -> AsyncIterator[Between]:
    heard: list[Heard] = []

    async def keep(one: Heard) -> None:
        heard.append(one)

    async with serving(Behind()) as peer, serving(Behind()) as reprise:
        recorder = Recorder(peer_url=f"{peer.url}/base/", reprise_url=reprise.url, keep=keep)
        async with recorder.serve(0) as url, aiohttp.ClientSession(auto_decompress=False) as http:
            yield Between(peer, reprise, url, http, heard)


async def test_a_call_reaches_the_peer_as_it_was(between: Between) -> None:
    path = "/api/v1/album?foreignAlbumId=a%2Fb&x=%C3%A9+%20"
    headers = {"X-Api-Key": "the-key", "Content-Type": "application/json"}
    between.peer.status, between.peer.headers = 201, {"X-Total-Count": "3"}
    async with between.http.post(URL(between.url + path, encoded=True), data=b'{"a":1}', headers=headers) as answer:
        assert (answer.status, await answer.read()) == (201, b'{"ok": true}')
        assert answer.headers["X-Total-Count"] == "3"
    ((method, seen, got, body),) = between.peer.seen
    assert (method, seen, body) == ("POST", "/base" + path, b'{"a":1}')
    assert (got["X-Api-Key"], got["Content-Type"]) == ("the-key", "application/json")
    assert got["Host"] in between.peer.url
    (heard,) = between.heard
    assert (heard.direction, heard.path, heard.status) == ("call", "/api/v1/album", 201)
    assert (heard.body, heard.answer_body) == (b'{"a":1}', b'{"ok": true}')
    assert between.reprise.seen == []


async def test_a_webhook_reaches_reprise(between: Between) -> None:
    async with between.http.put(
        f"{between.url}/webhooks/lidarr", data=b"{}", headers={"X-Webhook-Secret": "s"}
    ) as answer:
        assert answer.status == 200
    ((method, path, headers, body),) = between.reprise.seen
    assert (method, path, headers["X-Webhook-Secret"], body) == ("PUT", "/webhooks/lidarr", "s", b"{}")
    assert between.heard[0].direction == "webhook"
    assert between.peer.seen == []


async def test_no_key_is_lent_to_a_caller_without_one(between: Between) -> None:
    async with between.http.get(f"{between.url}/api/v1/queue"):
        pass
    assert not {"X-Api-Key", "Authorization"} & set(between.peer.seen[0][2])


async def test_redirects_are_told_not_followed(between: Between) -> None:
    between.peer.status, between.peer.headers = 302, {"Location": "http://elsewhere.example/"}
    async with between.http.get(f"{between.url}/x", allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (302, "http://elsewhere.example/")


async def test_who_calls_it_by_another_name_gets_nothing(between: Between) -> None:
    for host in ("evil.example", "127.0.0.1", "169.254.169.254"):
        async with between.http.get(f"{between.url}/api/v1/queue", headers={"Host": host}) as answer:
            assert answer.status == 421
    assert between.peer.seen == []
    assert between.heard == []


async def test_it_listens_on_loopback_alone(between: Between) -> None:
    assert between.url.startswith("http://127.0.0.1:")
    with pytest.raises(CannotRecord, match="can't be had"):
        async with Recorder(peer_url="http://x", reprise_url="http://y", keep=_nobody).serve(int(between.url[17:])):
            pass


async def _nobody(_: Heard) -> None:
    pass


async def test_too_much_is_not_passed_on(between: Between, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "MOST_BYTES", 1000)
    between.peer.body = b"x" * 1001
    with pytest.raises(aiohttp.ClientError):
        await between.http.get(f"{between.url}/a")
    assert (between.heard[-1].fault, between.heard[-1].answer_body) == ("answer too large", b"")


async def test_a_request_that_is_too_large_is_refused(between: Between) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(65):
            yield bytes(1024 * 1024)

    with pytest.raises((aiohttp.ClientError, AssertionError)):
        async with between.http.post(f"{between.url}/a", data=chunks()) as answer:
            assert answer.status != 413
    assert between.heard[-1].fault == "request too large"
    assert between.heard[-1].body == b""
    assert between.peer.seen == []


async def test_a_peer_that_breaks_off_is_felt_by_the_caller(between: Between) -> None:
    between.peer.drop = True
    with pytest.raises(aiohttp.ClientError):
        await between.http.get(f"{between.url}/a")
    assert between.heard[-1].fault == "connection broken"


async def test_an_absent_peer_is_noted() -> None:
    heard: list[Heard] = []

    async def keep(one: Heard) -> None:
        heard.append(one)

    recorder = Recorder(peer_url="http://127.0.0.1:9", reprise_url="http://127.0.0.1:9", keep=keep)
    async with recorder.serve(0) as url, aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.ClientError):
            await http.get(f"{url}/a")
    # aiohttp itself may have tried twice.
    assert {(one.fault, one.status) for one in heard} == {("unreachable", None)}


async def test_packed_answers_are_unpacked(between: Between) -> None:
    import gzip

    between.peer.headers, between.peer.body = {"Content-Encoding": "gzip"}, gzip.compress(b'{"a": 1}')
    async with between.http.get(f"{between.url}/a") as answer:
        assert "Content-Encoding" not in answer.headers
        assert await answer.read() == b'{"a": 1}'
    assert between.heard[-1].answer_body == b'{"a": 1}'


async def test_requests_are_counted_as_they_begin(between: Between) -> None:
    await asyncio.gather(*(between.http.get(f"{between.url}/{n}") for n in range(20)))
    assert sorted(one.n for one in between.heard) == list(range(20))
    by_number = sorted(between.heard, key=lambda one: one.n)
    assert [one.at_s for one in by_number] == sorted(one.at_s for one in by_number)
