"""Serving a simulator until it is cancelled."""

from __future__ import annotations

import asyncio
import socket
from typing import Literal

import aiohttp
import pytest

from reprise.simulator.run import run_simulator
from tests.reprise.simulator.stage import Receiver, calling


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def reachable(url: str, key: str) -> int:
    async with aiohttp.ClientSession(headers={"X-Api-Key": key}) as session, session.get(url) as answer:
        return answer.status


@pytest.mark.parametrize(
    ("kind", "path", "knob"),
    [
        ("lidarr", "/api/v1/system/status", {"announce": {"type": "ImportFailure"}}),
        ("slskd", "/api/v0/application", {"raise": {"type": "Noop"}}),
    ],
)
async def test_it_serves_until_cancelled(
    receiver: Receiver, kind: Literal["lidarr", "slskd"], path: str, knob: dict[str, object]
) -> None:
    port = free_port()
    ready = asyncio.Event()
    task = asyncio.create_task(
        run_simulator(
            kind,
            host="127.0.0.1",
            port=port,
            api_key="key",
            webhook_url=receiver.url,
            webhook_secret="s3cret",
            on_ready=lambda _url: ready.set(),
        )
    )
    await ready.wait()
    assert await reachable(f"http://127.0.0.1:{port}{path}", "key") == 200
    async with calling(f"http://127.0.0.1:{port}", "key") as call:
        assert (await call("POST", "/_control", knob))[0] == 200
    await receiver.arrived.wait()
    assert receiver.received[0].headers["X-Webhook-Secret"] == "s3cret"
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(aiohttp.ClientError):
        await reachable(f"http://127.0.0.1:{port}{path}", "key")
