"""Slow, silent, endless and greedy clients: deliveries get through beside them, and memory stays flat."""

from __future__ import annotations

import asyncio
import itertools
import json
import resource
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.hostile.conftest import REQUESTS, Target
from tests.hostile.wire import Wire, read_answer, request, shout

IDLE = 2000
# A guard against hanging, far above what any answer takes.
PATIENCE_S = 5.0
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture(autouse=True)
def many_descriptors() -> None:
    """As many sockets of our own as the system lets us have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


@asynccontextmanager
async def open_connections(target: Target, count: int, first_words: bytes = b"") -> AsyncIterator[list[Streams]]:
    """So many connections, each of which has said the same."""
    streams = []
    try:
        for _ in range(count):
            streams.append(await asyncio.open_connection("127.0.0.1", target.port))
            streams[-1][1].write(first_words)
        yield streams
    finally:
        for _, writer in streams:
            writer.transport.abort()


def delivery(target: Target, number: int) -> bytes:
    return request(b"/webhooks/lidarr", [(b"X-Webhook-Secret", target.secret.encode())], b'{"n": %d}' % number)


async def deliver(target: Target, count: int) -> None:
    """Deliveries on connections of their own; each is kept, and soon."""
    for number in range(count):
        wire = Wire(target.port)
        answer = await wire.ask(delivery(target, number), within_s=PATIENCE_S)
        await wire.close()
        assert answer.status == 200
        assert "spooled" not in json.loads(answer.body)


async def test_two_thousand_idle_connections(target: Target, pool: Any) -> None:
    kept_alive = request(b"/healthz", method=b"GET")
    async with open_connections(target, IDLE // 2, kept_alive), open_connections(target, IDLE // 2):
        await deliver(target, 100)
    assert await pool.fetchval("SELECT count(*) FROM events") == 100
    await target.lets_go()


async def test_dripping_heads_and_bodies(target: Target, pool: Any) -> None:
    head = b"POST /webhooks/lidarr HTTP/1.1\r\nHost: x\r\nX-Slow: "
    body = b"POST /webhooks/lidarr HTTP/1.1\r\nHost: x\r\nX-Webhook-Secret: %s\r\nContent-Length: 1000\r\n\r\n{"
    right, wrong = body % target.secret.encode(), body % b"guess"
    async with (
        open_connections(target, 100, head) as heads,
        open_connections(target, 100, right) as bodies,
        open_connections(target, 15, wrong) as guesses,
    ):
        for _ in range(5):
            for _, writer in [*heads, *bodies]:
                writer.write(b"x")
            await deliver(target, 10)
        for reader, _ in guesses:  # whose bodies nobody waits for
            async with asyncio.timeout(PATIENCE_S):
                assert (await read_answer(reader)).status in (401, 429)
    assert await pool.fetchval("SELECT count(*) FROM events") == 50
    await target.lets_go()


async def test_a_body_without_end_is_refused_before_it_is_all_there(target: Target) -> None:
    secret = (b"X-Webhook-Secret", target.secret.encode())
    declared = request(b"/webhooks/lidarr", [secret]).replace(b"Content-Length: 0", b"Content-Length: 100000000000")
    assert await shout(target.port, declared) == [413]
    before = target.rss()
    reader, writer = await asyncio.open_connection("127.0.0.1", target.port)
    writer.write(request(b"/webhooks/lidarr", [secret], chunks=1).removesuffix(b"0\r\n\r\n"))
    answer = asyncio.create_task(read_answer(reader))
    sent = 0
    try:
        while not answer.done():
            writer.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
            await writer.drain()
            sent += 65536
            assert sent < 64 * 1024 * 1024
    except ConnectionError:
        pass
    assert (await answer).status == 413
    writer.transport.abort()
    assert target.rss() - before < 48 * 1024 * 1024
    await deliver(target, 1)
    await target.lets_go()


async def test_requests_by_the_thousand_whose_answers_nobody_reads(target: Target) -> None:
    before = target.rss()
    _, writer = await asyncio.open_connection("127.0.0.1", target.port)
    flood = request(b"/metrics", method=b"GET") * 200
    for _ in range(100):
        try:
            async with asyncio.timeout(0.2):
                writer.write(flood)
                await writer.drain()
        except (TimeoutError, ConnectionError):
            break  # it reads no more until we do
    await deliver(target, 20)
    assert target.rss() - before < 64 * 1024 * 1024
    writer.transport.abort()
    await target.lets_go()


async def test_wrong_secrets_at_speed_keep_out_no_right_one(target: Target, pool: Any) -> None:
    wrong, right = [], []

    async def guess(number: int) -> None:
        wire = Wire(target.port)
        for n in range(25):
            secret = (b"X-Webhook-Secret", b"guess-%d-%d" % (number, n))
            answer = await wire.ask(request(b"/webhooks/lidarr", [secret], b"{}"))
            wrong.append(answer.status)
        await wire.close()

    async def mean_it() -> None:
        wire = Wire(target.port)
        for n in range(50):
            answer = await wire.ask(delivery(target, n), within_s=PATIENCE_S)
            right.append(answer.status)
        await wire.close()

    await asyncio.gather(*(guess(number) for number in range(20)), *(mean_it() for _ in range(4)))
    assert set(right) == {200}
    assert set(wrong) == {401, 429}
    # 20 at once and 2 a second, however long this took on this machine.
    assert wrong.count(401) < 100
    assert await pool.fetchval("SELECT count(*) FROM events") == len(right)
    # Nor do they fill the log.
    assert target.running.output().count("webhook.refused") < 5


async def test_memory_stays_flat(target: Target) -> None:
    bodies = [b"{}", b"\x00" * 2000, b"[" * 5000, json.dumps({"eventType": "Grab", "x": "y" * 20_000}).encode()]
    secret = [(b"X-Webhook-Secret", target.secret.encode())]
    token = [(b"Authorization", b"Bearer " + target.token.encode())]
    asked = [
        *(request(b"/webhooks/lidarr", secret, body, chunks=chunks) for body in bodies for chunks in (0, 2)),
        request(b"/webhooks/lidarr", [(b"X-Webhook-Secret", b"guess")], b"{}"),
        request(b"/api/v1/events?limit=50", token, method=b"GET"),
        request(b"/api/v1/jobs", token, b"{"),
        request(b"/metrics", method=b"GET"),
        request(b"/nowhere", method=b"GET"),
    ]

    async def attack(times: int) -> None:
        wire = Wire(target.port)
        for raw in itertools.islice(itertools.cycle(asked), times):
            answer = await wire.ask(raw)
            assert answer.status < 500
        await wire.close()
        for number in range(times // 10):
            await shout(target.port, b"GET /%d HTTP/1.1\r\nHost\x00: x\r\n\r\n" % number)

    await attack(400)
    warm = target.rss()
    await attack(REQUESTS)
    assert target.rss() - warm < 16 * 1024 * 1024
    await target.lets_go()
