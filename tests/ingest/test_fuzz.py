"""Requests that no sender would send: an answer or a closed connection, never a 500, and the next one is kept."""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
from typing import Any

import pytest

from tests.ingest.conftest import Hooks, events, payloads

# 503 and 507 say that a delivery can't be kept; here everything is well, so they would be wrong, too.
_EXPECTED = {200, 400, 401, 404, 405, 408, 411, 413, 414, 417, 429, 431, 501, 505}
_STATUS = re.compile(rb"^HTTP/1\.[01] (\d{3}) ")


def _requests(secret: str, rng: random.Random) -> bytes:
    """A valid request, and what becomes of it when a few bytes are changed, cut, repeated or put in."""
    body = rng.choice([*payloads("lidarr").values(), *payloads("slskd").values()])
    head = (
        f"{rng.choice(['POST', 'PUT', 'GET', 'PATCH', 'OPTIONS'])} "
        f"/webhooks/{rng.choice(['lidarr', 'slskd', 'soulseek', '%00', '..', 'lidarr/verify', ''])} HTTP/1.1\r\n"
        f"Host: x\r\nConnection: close\r\nX-Webhook-Secret: {secret}\r\n"
        + rng.choice(["", "Content-Encoding: gzip\r\n", "Content-Encoding: deflate\r\n", "Expect: 100-continue\r\n"])
        + rng.choice(
            [f"Content-Length: {len(body)}\r\n", "Transfer-Encoding: chunked\r\n", "Content-Length: -1\r\n", ""]
        )
        + "\r\n"
    )
    request = bytearray(head.encode() + body)
    for _ in range(rng.choice([0, 1, 2, 5])):
        at = rng.randrange(min(len(request), 400))
        match rng.randrange(4):
            case 0:
                request[at] = rng.randrange(256)
            case 1:
                del request[at : at + rng.randrange(20)]
            case 2:
                request[at:at] = rng.randbytes(rng.randrange(20))
            case _:
                request[at:at] = request[at : at + 50]
    return bytes(request)


@pytest.mark.parametrize("seed", range(4))
async def test_mutated_requests(hooks: Hooks, pool: Any, capfd: pytest.CaptureFixture[str], seed: int) -> None:
    rng = random.Random(seed)

    async def one(request: bytes) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", hooks.port)
        with contextlib.suppress(ConnectionError):
            writer.write(request)
            writer.write_eof()
            answer = await reader.read()
            match = _STATUS.match(answer.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n"))
            assert not answer or (match and int(match[1]) in _EXPECTED), (request[:600], answer[:300])
        writer.close()

    for _ in range(12):
        await asyncio.gather(*(one(_requests(hooks.secret, rng)) for _ in range(25)))
    kept = await hooks.post("lidarr", b"{}")
    assert kept["event_id"] in {str(id_) for id_ in await events(pool)}
    said = capfd.readouterr()
    assert "Traceback" not in said.out + said.err
