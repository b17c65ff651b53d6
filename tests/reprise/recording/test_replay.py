"""A recorded peer answers over HTTP as the recording has it, and sends its webhooks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from reprise.recording.form import Answer, Body, Exchange, Header, Recording
from reprise.recording.replay import RecordedPeer

BEGAN = datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)


def recorded(*exchanges: dict[str, Any], peer: Any = "lidarr") -> RecordedPeer:
    header = Header(peer=peer, peer_version="", reprise_version="", names="scrubbed", began_at=BEGAN.isoformat())
    usual: dict[str, Any] = {"direction": "call", "at_s": 0.0, "took_s": 0.0, "method": "GET", "path": "/a"}
    found = tuple(Exchange(n=n, **(usual | one)) for n, one in enumerate(exchanges))
    return RecordedPeer(Recording(header=header, exchanges=found), patience_s=0.1)


def hook(body: Any) -> dict[str, Any]:
    return {
        "direction": "webhook",
        "method": "POST",
        "path": "/webhooks/lidarr",
        "headers": {"content-type": "application/json", "user-agent": "Lidarr/2.14 (x)", "x-webhook-secret": "***"},
        "body": Body(json=body),
    }


@asynccontextmanager
async def receiver() -> AsyncIterator[tuple[str, list[tuple[dict[str, str], bytes]]]]:
    got: list[tuple[dict[str, str], bytes]] = []

    async def take(request: web.Request) -> web.Response:
        got.append((dict(request.headers), await request.read()))
        return web.Response(status=202)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/webhooks/lidarr", got
    finally:
        await runner.cleanup()


async def test_it_answers_as_recorded_and_notes_what_it_does_not_know() -> None:
    headers = {"content-type": "application/json; charset=utf-8", "x-total-count": "7", "x-api-key": "***"}
    peer = recorded(
        {"answer": Answer(status=200, headers=headers, body=Body(json={"id": 1, "wort": "é"}))},
        {
            "path": "/plain",
            "answer": Answer(status=404, headers={"content-type": "text/plain"}, body=Body(text="nothing here")),
        },
        {"path": "/gone", "fault": "connection broken"},
        {"path": "/empty", "method": "DELETE", "answer": Answer(status=204)},
    )
    async with peer.serve() as url, aiohttp.ClientSession(url) as http:
        async with http.get("/a", headers={"X-Api-Key": "anything"}) as answer:
            assert (answer.status, await answer.json(), answer.headers["X-Total-Count"]) == (
                200,
                {"id": 1, "wort": "é"},
                "7",
            )
            assert "X-Api-Key" not in answer.headers
        async with http.get("/plain") as answer:
            assert (answer.status, await answer.text()) == (404, "nothing here")
        with pytest.raises(aiohttp.ClientError):
            await http.get("/gone")
        async with http.delete("/empty") as answer:
            assert answer.status == 204
        async with http.post("/b", json={"x": 1}) as answer:
            assert answer.status == 501
        async with http.delete("/empty") as answer:
            assert answer.status == 501
        async with http.get("/_recording") as answer:
            shown = await answer.json()
    assert [(call.method, call.path, call.body) for call in peer.unknown] == [
        ("POST", "/b", {"x": 1}),
        ("DELETE", "/empty", None),
    ]
    assert [(call["method"], call["path"]) for call in shown["unknown"]] == [("POST", "/b"), ("DELETE", "/empty")]
    assert shown["left"] == []
    statuses = {(call.path, call.status) for call in peer.calls}
    assert statuses >= {("/a", 200), ("/plain", 404), ("/gone", 0), ("/empty", 204), ("/b", 501)}


async def test_what_was_dated_then_is_dated_now() -> None:
    then = (BEGAN + timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%S.1234567Z")
    body = {"date": then, "releaseDate": "1994-08-22T00:00:00Z", "data": json.dumps({"at": then})}
    peer = recorded({"answer": Answer(status=200, headers={"content-type": "application/json"}, body=Body(json=body))})
    async with peer.serve() as url, aiohttp.ClientSession(url) as http, http.get("/a") as answer:
        found = await answer.json()
    moved = datetime.fromisoformat(found["date"].replace(".1234567Z", "+00:00"))
    assert abs(moved - datetime.now(UTC) - timedelta(minutes=5)) < timedelta(seconds=30)
    assert found["date"].endswith(".1234567Z")
    assert json.loads(found["data"])["at"] == found["date"]
    assert found["releaseDate"] == body["releaseDate"]


@pytest.mark.parametrize(
    ("peer", "wire"),
    [("lidarr", b'{\n  "eventType": "Test",\n  "x": "\xc3\xa9"\n}'), ("slskd", b'{"eventType":"Test","x":"\\u00E9"}')],
)
async def test_a_webhook_looks_as_its_sender_writes_it(peer: Any, wire: bytes) -> None:
    player = recorded(hook({"eventType": "Test", "x": "é"}), peer=peer)
    async with receiver() as (target, got), player.serve():
        player.webhooks_to(target, "the-secret")
        await player.quiet()
    ((headers, body),) = got
    assert body == wire
    assert headers["X-Webhook-Secret"] == "the-secret"
    assert headers["User-Agent"] == "Lidarr/2.14 (x)"
    assert [sent.status for sent in player.sent] == [202]


async def test_webhooks_follow_the_acts_that_they_followed() -> None:
    act = {"method": "POST", "path": "/act", "answer": Answer(status=201)}
    peer = recorded(
        act,
        {"path": "/look", "answer": Answer(status=200)},
        hook({"eventType": "Grab"}),
        act,
        hook({"eventType": "Download"}),
    )
    async with receiver() as (target, got), peer.serve() as url, aiohttp.ClientSession(url) as http:
        peer.webhooks_to(target)
        await peer.quiet()
        assert got == []
        async with http.post("/act"):
            pass
        # The look that came before it doesn't come: its patience ends.
        await peer.quiet()
        assert [json.loads(body)["eventType"] for _, body in got] == ["Grab"]
        assert [one.path for one in peer.left] == ["/act", "/webhooks/lidarr"]
        async with http.post("/act"):
            pass
        await peer.quiet()
        assert len(got) == 2
        assert peer.left == []


async def test_a_look_lets_its_webhook_go_at_once() -> None:
    peer = recorded({"path": "/look", "answer": Answer(status=200)}, hook({"eventType": "Grab"}))
    peer.patience_s = 600
    async with receiver() as (target, got), peer.serve() as url, aiohttp.ClientSession(url) as http:
        peer.webhooks_to(target)
        async with http.get("/look"):
            pass
        async with asyncio.timeout(20):
            await peer.quiet()
        assert len(got) == 1


async def test_a_receiver_that_is_away_is_noted() -> None:
    peer = recorded(hook({"eventType": "Test"}))
    async with peer.serve():
        peer.webhooks_to("http://127.0.0.1:9/")
        await peer.quiet()
    assert [sent.status for sent in peer.sent] == [None]
