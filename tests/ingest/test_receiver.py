"""Real HTTP to a running receiver, and what is in the log afterwards."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest

from ingest import receiver
from tests.ingest.conftest import Hooks, events, payloads

HOSTILE = {
    "empty": b"",
    "invalid json": b'{"eventType": "Grab"',
    "invalid utf-8": b'{"eventType": "Gr\xff\xfeab"}',
    "nul": b'{"eventType": "Grab", "downloadId": "a\\u0000b", "release": {"releaseTitle": "\\u0000"}}',
    "raw nul": b"\x00\x00\x00",
    "huge number": b'{"eventType": "Grab", "n": 1e400000}',
    "nan": b'{"eventType": "Grab", "n": NaN}',
    "deep": b'{"eventType": "Grab", "x": ' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    "unknown type": b'{"eventType": "SomethingNew"}',
    "type of another kind": b'{"eventType": ["Grab"]}',
    "lone surrogate": b'{"eventType": "Grab", "downloadId": "\\ud800"}',
    "no object": b"[1, 2]",
    "key too long for an index": b'{"type": "DownloadFileComplete", "id": "' + b"x" * 20_000 + b'"}',
}


@pytest.mark.parametrize("source", ["lidarr", "slskd"])
async def test_every_sample_is_stored_with_its_exact_bytes(hooks: Hooks, pool: Any, source: str) -> None:
    samples = payloads(source)
    answers = {name: await hooks.post(source, body) for name, body in samples.items()}
    stored = await events(pool)
    for name, body in samples.items():
        answer = answers[name]
        assert answer == {"event_id": answer["event_id"], "duplicate": False}, name
        event = stored[UUID(answer["event_id"])]
        assert (event["body"], event["source"]) == (body, source)
    assert len(stored) == len(samples)


@pytest.mark.parametrize("source", ["lidarr", "slskd"])
async def test_a_hostile_body_is_kept_as_it_came(hooks: Hooks, pool: Any, source: str) -> None:
    sent = {}
    for name, body in [*HOSTILE.items(), *HOSTILE.items()]:
        answer = await hooks.post(source, body)
        assert not answer["duplicate"], name
        sent[UUID(answer["event_id"])] = body
    assert {id_: event["body"] for id_, event in (await events(pool)).items()} == sent


async def test_only_what_has_a_natural_key_is_folded(hooks: Hooks, pool: Any) -> None:
    failure = payloads("lidarr")["import_failure"]
    assert len({(await hooks.post("lidarr", failure))["event_id"] for _ in range(10)}) == 10

    arrived = payloads("slskd")["download_file_complete_batch"]
    answers = [await hooks.post("soulseek", arrived) for _ in range(3)]
    assert [a["duplicate"] for a in answers] == [False, True, True]
    assert len({a["event_id"] for a in answers}) == 1

    imported = [await hooks.post("lidarr", payloads("lidarr")["download_partial"]) for _ in range(2)]
    assert [a["duplicate"] for a in imported] == [False, True]

    assert await pool.fetchval("SELECT count(*) FROM folded_deliveries WHERE body = $1", arrived) == 2
    assert len(await events(pool)) == 12


async def test_a_pack_is_one_event_per_album(hooks: Hooks) -> None:
    pack = [payloads("lidarr")[f"download_pack_album_{n}of3"] for n in (1, 2, 3)]
    answers = await asyncio.gather(*(hooks.post("lidarr", body) for body in pack * 2))
    assert len({a["event_id"] for a in answers}) == 3
    assert sum(a["duplicate"] for a in answers) == 3


async def test_every_address_that_lidarr_may_use(hooks: Hooks) -> None:
    # Lidarr counts a redirect as success, and the event would be lost: so none is ever sent.
    for path in ("/webhooks/lidarr", "/webhooks/Lidarr", "/api/webhooks/lidarr"):
        for method, slash in itertools.product(("POST", "PUT"), ("", "/")):
            status, answer = await hooks.ask(method, path + slash, data=b'{"eventType": "Test"}')
            assert (status, answer.get("duplicate")) == (200, False), (method, path + slash)


async def test_verify(hooks: Hooks) -> None:
    assert await hooks.ask("GET", "/webhooks/soulseek/verify") == (200, {"source": "slskd", "verified": True})
    assert (await hooks.ask("GET", "/webhooks/lidarr/verify", headers={}))[0] == 401
    assert (await hooks.ask("GET", "/webhooks/sonarr/verify"))[0] == 404


async def test_refusals_are_problems(hooks: Hooks, pool: Any) -> None:
    for method, path, status, code in [
        ("POST", "/webhooks/sonarr", 404, "unknown_source"),
        ("GET", "/webhooks/lidarr", 405, "method_not_allowed"),
        ("DELETE", "/webhooks/lidarr", 405, "method_not_allowed"),
        ("POST", "/nowhere", 404, "not_found"),
    ]:
        async with hooks.http.request(method, path, headers={"X-Webhook-Secret": hooks.secret}) as answer:
            assert answer.content_type == "application/problem+json"
            problem = await answer.json(content_type="application/problem+json")
        assert (answer.status, problem["status"], problem["code"]) == (status, status, code)
        assert {"type", "title", "detail"} <= problem.keys()
    assert await events(pool) == {}


async def test_the_body_limit_is_exact(hooks: Hooks, pool: Any) -> None:
    largest = b" " * receiver.MAX_BODY_BYTES

    async def chunked(body: bytes) -> AsyncIterator[bytes]:
        for start in range(0, len(body), 500_000):
            yield body[start : start + 500_000]

    assert (await hooks.ask("POST", "/webhooks/lidarr", data=BytesIO(largest)))[0] == 200
    assert (await hooks.ask("POST", "/webhooks/lidarr", data=chunked(largest)))[0] == 200
    status, problem = await hooks.ask("POST", "/webhooks/lidarr", data=BytesIO(largest + b" "))
    assert (status, problem["code"]) == (413, "body_too_large")
    status, problem = await hooks.ask("POST", "/webhooks/lidarr", data=chunked(largest + b" "))
    assert (status, problem["code"]) == (413, "body_too_large")
    assert [len(event["body"]) for event in (await events(pool)).values()] == [len(largest)] * 2


async def test_too_large_a_length_is_refused_before_the_body_comes(hooks: Hooks) -> None:
    assert b" 413 " in await _first_line(hooks.port, _head(hooks, "Content-Length: 6000000"))


async def test_a_slow_body_is_given_up(hooks: Hooks, pool: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiver, "BODY_TIMEOUT_S", 0.05)
    for _ in range(20):
        _, writer = await asyncio.open_connection("127.0.0.1", hooks.port)
        writer.write(_head(hooks, "Content-Length: 10") + b"{")
        await writer.drain()
        writer.transport.abort()
    await hooks.post("lidarr", b"{}")
    assert len(await events(pool)) == 1


async def test_metrics_count_by_result(hooks: Hooks) -> None:
    body = payloads("slskd")["noop"].replace(b'"id"', b'"_"')
    await hooks.post("slskd", body)
    async with hooks.http.get("/metrics") as answer:
        text = await answer.text()
    assert 'reprise_events_received_total{result="new",source="slskd",type="Noop"}' in text
    assert "reprise_spooling 0.0" in text


def _head(hooks: Hooks, header: str) -> bytes:
    return f"POST /webhooks/lidarr HTTP/1.1\r\nHost: x\r\nX-Webhook-Secret: {hooks.secret}\r\n{header}\r\n\r\n".encode()


async def _first_line(port: int, sent: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    try:
        return await reader.readline()
    finally:
        writer.close()
