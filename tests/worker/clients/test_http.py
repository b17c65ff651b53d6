"""How a peer is called: retries that can do no harm, limits, and what every kind of failure means."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from urllib.parse import unquote

import msgspec
import pytest
from aiohttp import web
from structlog.testing import capture_logs

from shared.config import Secret
from shared.errors import GiveUp, StepAside, TryLater
from shared.telemetry.metrics import PEER_CALLS
from tests.harness.waiting import until
from worker.clients import http
from worker.clients.answers import (
    BUSY_FOR,
    NotFoundAtPeer,
    PeerAway,
    PeerBusy,
    PeerConflict,
    PeerFailed,
    PeerMisconfigured,
    PeerRefused,
)
from worker.clients.http import MAX_CALL_S, Endpoint, Peer, get

ANYTHING = msgspec.json.Decoder()
THING = get("/api/v1/thing", ANYTHING)
ONE_THING = get("/api/v1/thing/{}", ANYTHING)
MAKE = Endpoint("POST", "/api/v1/thing", ANYTHING, repeatable=False)
MARK = Endpoint("PUT", "/api/v1/thing", ANYTHING, repeatable=True)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Scripted:
    """A server that answers what it's told, one answer per request, the last one for ever."""

    def __init__(self) -> None:
        self.answers: list[web.Response | Handler] = [web.json_response({})]
        self.requests: list[web.Request] = []
        self.bodies: list[bytes] = []
        self.url = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        self.bodies.append(await request.read())
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, web.Response):
            # A Response can be sent only once.
            return web.Response(body=answer.body, status=answer.status, headers=answer.headers)
        return await answer(request)


@pytest.fixture
async def server() -> AsyncIterator[Scripted]:
    script = Scripted()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", script.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    script.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield script
    await runner.cleanup()


@pytest.fixture
async def peer(server: Scripted) -> AsyncIterator[Peer]:
    async with peer_at(server.url) as found:
        yield found


@asynccontextmanager
async def peer_at(url: str, at_once: int = 4) -> AsyncIterator[Peer]:
    found = Peer("lidarr", url, Secret("the-key-nobody-sees"), at_once=at_once)
    yield found
    await found.close()


async def drop_connection(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


def status(code: int, body: object = None, **headers: str) -> web.Response:
    return web.json_response(body, status=code, headers=headers)


async def test_a_call_bears_the_key_and_json_and_respects_the_url_base(server: Scripted) -> None:
    server.answers = [web.json_response({"ok": True})]
    async with peer_at(f"{server.url}/music/") as peer:
        assert await peer.fetch(ONE_THING, 7, query=[("ids", 1), ("ids", 2), ("t", "a b&c")]) == {"ok": True}
        await peer.call(MARK, body={"a": 1})
    first, second = server.requests
    assert first.path == "/music/api/v1/thing/7"
    assert first.query.getall("ids") == ["1", "2"]
    assert first.query["t"] == "a b&c"
    assert first.headers["X-Api-Key"] == "the-key-nobody-sees"
    assert first.headers["User-Agent"].startswith("Reprise/")
    assert (second.method, second.headers["Content-Type"], server.bodies[1]) == ("PUT", "application/json", b'{"a":1}')


async def test_names_in_a_path_stay_one_step_of_it(server: Scripted, peer: Peer) -> None:
    for name in ("a/b", "50% ?#", "Ænima + 1", "x%2Fy"):
        await peer.call(ONE_THING, name)
    raw = [request.rel_url.raw_path.removeprefix("/api/v1/thing/") for request in server.requests]
    assert [unquote(path) for path in raw] == ["a/b", "50% ?#", "Ænima + 1", "x%2Fy"]
    assert all("/" not in path and "+" not in path for path in raw)


@pytest.mark.parametrize("trouble", [status(502), status(503), status(504), drop_connection])
async def test_a_repeatable_call_is_repeated(server: Scripted, peer: Peer, trouble: web.Response | Handler) -> None:
    server.answers = [trouble, trouble, web.json_response("at last")]
    assert await peer.fetch(THING) == "at last"
    server.answers = [trouble, web.json_response("at last")]
    assert await peer.fetch(MARK, body={}) == "at last"
    assert len(server.requests) == 5


@pytest.mark.parametrize(("trouble", "unknown"), [(status(502), True), (status(503), False), (drop_connection, True)])
async def test_a_call_that_may_do_harm_twice_is_sent_once(
    server: Scripted, peer: Peer, trouble: web.Response | Handler, unknown: bool
) -> None:
    server.answers = [trouble, web.json_response("never asked for")]
    with pytest.raises(PeerAway) as caught:
        await peer.call(MAKE, body={})
    assert caught.value.outcome_unknown is unknown
    assert len(server.requests) == 1


async def test_a_peer_that_stays_away_is_a_step_aside_and_said_once(server: Scripted, peer: Peer) -> None:
    server.answers = [drop_connection]
    with capture_logs() as logs:
        for _ in range(2):
            with pytest.raises(PeerAway, match="lidarr broke the connection"):
                await peer.call(THING)
        server.answers = [web.json_response({})]
        await peer.call(THING)
    assert [entry["event"] for entry in logs] == ["peer.away", "peer.back"]
    assert issubclass(PeerAway, StepAside)


async def test_a_peer_that_listens_nowhere_is_unreachable(unused_tcp_port: int) -> None:
    async with peer_at(f"http://127.0.0.1:{unused_tcp_port}") as peer:
        for endpoint in (THING, MAKE):
            with pytest.raises(PeerAway, match="lidarr unreachable") as caught:
                await peer.call(endpoint)
            assert caught.value.outcome_unknown is False


async def test_a_peer_that_never_answers_is_given_up(
    server: Scripted, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "TRY_LIMIT_S", 0.05)

    async def never(request: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    server.answers = [never]
    with pytest.raises(PeerAway, match="took too long for GET /api/v1/thing"):
        await peer.call(THING)
    with pytest.raises(PeerAway) as caught:
        await peer.call(MAKE)
    assert caught.value.outcome_unknown is True
    assert len(server.requests) == 4
    monkeypatch.setattr(http, "MAX_CALL_S", 0.05)
    async with peer_at(server.url) as patient:
        monkeypatch.setattr(http, "TRY_LIMIT_S", 20.0)
        with pytest.raises(PeerAway, match="for GET"):
            await patient.call(THING)
    assert MAX_CALL_S < 60


async def test_a_wrong_key_names_the_variable_and_waits_longer(server: Scripted, peer: Peer) -> None:
    server.answers = [web.Response(status=401)]
    with pytest.raises(PeerMisconfigured, match="LIDARR_API_KEY") as caught:
        await peer.call(THING)
    assert caught.value.after > PeerAway("").after
    assert len(server.requests) == 1


async def test_a_redirect_is_not_followed_but_named(server: Scripted, peer: Peer) -> None:
    server.answers = [web.Response(status=307, headers={"Location": "/music/login"})]
    with pytest.raises(PeerMisconfigured, match=r"/music/login.*LIDARR_URL"):
        await peer.call(THING)


async def test_validation_errors_are_kept(server: Scripted, peer: Peer) -> None:
    server.answers = [status(400, [{"propertyName": "RootFolderPath", "errorMessage": "is bad", "severity": "error"}])]
    with pytest.raises(PeerRefused, match="RootFolderPath: is bad") as caught:
        await peer.call(MAKE, body={})
    assert caught.value.about("rootFolderPath", "BAD")
    assert not caught.value.about("path", "bad")
    assert issubclass(PeerRefused, GiveUp)


@pytest.mark.parametrize(
    ("answer", "error", "outcome", "message"),
    [
        (status(404, {"message": "NotFound"}), NotFoundAtPeer, TryLater, "404 to GET /api/v1/thing: NotFound"),
        (status(409, {"message": "constraint"}), PeerConflict, TryLater, "constraint"),
        (status(500, {"message": "oops", "description": "trace"}), PeerFailed, TryLater, "oops"),
        (status(500, "plain words"), PeerFailed, TryLater, "plain words"),
        (web.Response(status=500, text="<html>no"), PeerFailed, TryLater, "500 to GET /api/v1/thing$"),
        (status(415), PeerRefused, GiveUp, "415"),
        (web.Response(text="<html>log in"), PeerFailed, TryLater, "is LIDARR_URL right"),
        (web.Response(body=b'{"a": "\xff"}'), PeerFailed, TryLater, "can't be read"),
        (web.Response(body=b""), PeerFailed, TryLater, "can't be read"),
    ],
)
async def test_what_other_answers_mean(
    server: Scripted, peer: Peer, answer: web.Response, error: type[Exception], outcome: type[Exception], message: str
) -> None:
    server.answers = [answer]
    with pytest.raises(error, match=message) as caught:
        await peer.fetch(THING)
    assert isinstance(caught.value, outcome)
    assert len(server.requests) == 1


async def test_a_peer_may_say_when_to_come_back(server: Scripted, peer: Peer) -> None:
    server.answers = [status(429, "Only one at a time", **{"Retry-After": "7"})]
    with pytest.raises(PeerBusy, match="Only one at a time") as caught:
        await peer.call(MAKE)
    assert caught.value.after == timedelta(seconds=7)
    server.answers = [status(429, "Only one at a time")]
    with pytest.raises(PeerBusy) as caught:
        await peer.call(MAKE)
    assert caught.value.after == BUSY_FOR
    assert issubclass(PeerBusy, StepAside)


async def test_an_answer_that_is_too_large_is_not_read(
    server: Scripted, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "_LARGEST_ANSWER_BYTES", 1000)
    server.answers = [web.json_response("x" * 1001)]
    with pytest.raises(PeerFailed, match="larger than we read"):
        await peer.fetch(THING)


async def test_only_a_few_requests_are_sent_at_once(server: Scripted) -> None:
    running, most, release = 0, 0, asyncio.Event()

    async def busy(request: web.Request) -> web.StreamResponse:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await release.wait()
        running -= 1
        return web.json_response({})

    server.answers = [busy]
    async with peer_at(server.url, at_once=2) as peer:
        calls = [asyncio.create_task(peer.call(THING)) for _ in range(6)]
        await until(lambda: running == 2)
        release.set()
        await asyncio.gather(*calls)
    assert most == 2


async def test_calls_are_counted_by_template_and_outcome(server: Scripted, peer: Peer) -> None:
    def counted(status: str) -> float:
        return PEER_CALLS.value(peer="lidarr", endpoint="GET /api/v1/thing/{}", status=status)

    before = {code: counted(code) for code in ("200", "503", "unreachable", "unreadable")}
    # aiohttp itself repeats a repeatable request once, uncounted.
    server.answers = [drop_connection, drop_connection, status(503), web.Response(text="<")]
    with pytest.raises(PeerFailed):
        await peer.fetch(ONE_THING, 1)
    assert {code: counted(code) - before[code] for code in before} == dict.fromkeys(before, 1)


async def test_the_key_is_in_no_error(server: Scripted, peer: Peer) -> None:
    for answer in (web.Response(status=401), drop_connection, status(500, {"message": "no"})):
        server.answers = [answer]
        with pytest.raises((StepAside, TryLater)) as caught:
            await peer.call(MAKE)
        shown = f"{caught.value!r} {caught.value.__cause__!r} {peer!r}"
        assert "the-key-nobody-sees" not in shown
