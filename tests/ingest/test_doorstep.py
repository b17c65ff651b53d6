"""Silent and slow connections, by the thousand, keep nobody out."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest

from ingest import doorstep
from tests.ingest.conftest import Hooks, events


async def test_a_head_that_comes_in_pieces_is_put_together(hooks: Hooks, pool: Any) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", hooks.port)
    body = b'{"eventType": "Test"}'
    request = (
        b"POST /webhooks/lidarr HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        + f"X-Webhook-Secret: {hooks.secret}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        + body
    )
    for at in range(0, len(request), 7):
        writer.write(request[at : at + 7])
        await writer.drain()
    assert b" 200 " in await reader.readline()
    writer.close()
    assert [event["body"] for event in (await events(pool)).values()] == [body]


async def test_a_head_that_never_ends_is_given_up(hooks: Hooks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doorstep, "HEAD_WITHIN_S", 0.05)
    monkeypatch.setattr(doorstep, "_SWEEP_EVERY_S", 0.02)
    reader, writer = await asyncio.open_connection("127.0.0.1", hooks.port)
    writer.write(b"POST /webhooks/lidarr HTTP/1.1\r\nX-Slow: ")
    with contextlib.suppress(ConnectionResetError):
        assert await reader.read() == b""
    writer.close()


async def test_a_head_without_end_is_refused(hooks: Hooks) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", hooks.port)
    writer.write(b"POST /webhooks/lidarr HTTP/1.1\r\nX-Long: " + b"x" * 40_000)
    assert b" 400 " in await reader.readline()
    writer.close()


async def test_silent_connections_by_the_thousand_keep_nobody_out(
    hooks: Hooks, pool: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doorstep, "MOST_WAITING", 200)
    silent = [await asyncio.open_connection("127.0.0.1", hooks.port) for _ in range(400)]
    try:
        for n in range(20):
            await hooks.post("lidarr", b'{"n": %d}' % n)
        oldest, _ = silent[0]
        with contextlib.suppress(ConnectionResetError):
            assert await oldest.read() == b""
    finally:
        for _, writer in silent:
            writer.transport.abort()
    assert len(await events(pool)) == 20
