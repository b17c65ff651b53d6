"""The process as a whole: it listens, answers for its health, and stops."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import aiohttp
import pytest

from ingest.serve import listening, serve
from shared.config import Config
from shared.errors import ConfigError, Unavailable
from tests.harness.processes import clean_environment, environ_of
from tests.ingest.conftest import events, receiving
from tests.ingest.line import Line

_PROCESS = """
import asyncio, os
from ingest.serve import serve
from shared.config import load_config
from shared.telemetry.logging import configure_logging

config = load_config(os.environ)
configure_logging(config, "ingest")
asyncio.run(serve(config))
"""


class Process:
    """A receiver in a process of its own, read by its log."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.said: list[dict[str, Any]] = []

    async def says(self, event: str) -> dict[str, Any]:
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            self.said.append(json.loads(line))
            if self.said[-1]["event"] == event:
                return self.said[-1]
        raise AssertionError(f"it ended without saying {event}: {self.said}")


@asynccontextmanager
async def started(config: Config) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _PROCESS,
        env=clean_environment() | environ_of(config),
        cwd=Path(__file__).parents[2],
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield Process(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_health_needs_no_secret_and_says_a_line_per_dependency(config: Config) -> None:
    async with listening(config) as port, aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http:
        async with http.get("/healthz") as alive:
            assert alive.status == 200
        async with http.get("/readyz") as ready:
            text = await ready.text()
            lines = await ready.json()
    assert {"status", "postgres", "redis", "spool", "schema", "lidarr", "slskd"} <= lines.keys()
    assert lines["postgres"] == "ok"
    assert lines["redis"] == "ok"
    assert all(sum(f'"{name}"' in line for line in text.splitlines()) == 1 for name in lines)


async def test_a_lidarr_that_was_configured_is_said_and_redis_away_is_no_fault(config: Config) -> None:
    secret = type(config.webhook_secret)
    changed = replace(
        config,
        lidarr_url="http://127.0.0.1:1",
        lidarr_api_key=secret("k" * 32),
        redis_url=secret("redis://127.0.0.1:1/0"),
    )
    async with (
        listening(changed) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http,
        http.get("/readyz") as ready,
    ):
        lines = await ready.json()
    assert (ready.status, lines["lidarr"], lines["slskd"], lines["redis"]) == (200, "configured", "unset", "away")


async def test_it_says_its_port_and_stops_on_sigterm(config: Config) -> None:
    async with started(config) as receiver:
        port = (await receiver.says("ingest.ready"))["port"]
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http, http.get("/healthz") as alive:
            assert alive.status == 200
        receiver.process.send_signal(signal.SIGTERM)
        await receiver.says("ingest.stopped")
        assert await receiver.process.wait() == 0


async def test_what_was_begun_is_finished_before_it_stops(config: Config, lined: Config, line: Line, pool: Any) -> None:
    assert config.webhook_secret is not None
    headers = {"X-Webhook-Secret": config.webhook_secret.reveal()}
    sent = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        # asked for only when the receiver has said 100 Continue, so it has begun
        yield b'{"eventType"'
        sent.set()
        await stopping.wait()
        yield b': "Test"}'

    stopping = asyncio.Event()
    async with started(lined) as receiver:
        port = (await receiver.says("ingest.ready"))["port"]
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http:
            answer = asyncio.create_task(http.post("/webhooks/lidarr", data=slow(), headers=headers, expect100=True))
            await sent.wait()
            receiver.process.send_signal(signal.SIGTERM)
            await receiver.says("ingest.stopping")
            stopping.set()
            async with await answer as response:
                assert response.status == 200
                event_id = UUID((await response.json())["event_id"])
        assert await receiver.process.wait() == 0
    # in the log, or in the spool if it came before Postgres was found
    async with receiving(lined) as hooks:
        await hooks.settled("ready")
        assert event_id in await events(pool)


async def test_kill_9_in_the_middle_loses_nothing_that_was_acknowledged(lined: Config, line: Line, pool: Any) -> None:
    assert lined.webhook_secret is not None
    headers = {"X-Webhook-Secret": lined.webhook_secret.reveal()}
    acknowledged: dict[UUID, bytes] = {}

    async def keep_sending(http: aiohttp.ClientSession, sender: int) -> None:
        with contextlib.suppress(aiohttp.ClientError, ConnectionError):
            for n in range(10_000):
                body = b'{"eventType": "Test", "n": "%d-%d-%d"}' % (turn, sender, n)
                async with http.post("/webhooks/lidarr", data=body, headers=headers) as answer:
                    assert answer.status == 200
                    acknowledged[UUID((await answer.json())["event_id"])] = body
                if len(acknowledged) >= enough:
                    full.set()

    for turn in range(4):
        enough = len(acknowledged) + 150
        full = asyncio.Event()
        if turn % 2:
            await line.refuse()
        else:
            await line.admit()
        async with started(lined) as receiver:
            port = (await receiver.says("ingest.ready"))["port"]
            async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http:
                senders = [asyncio.create_task(keep_sending(http, sender)) for sender in range(8)]
                await full.wait()
                receiver.process.kill()
                await asyncio.gather(*senders)

    await line.admit()
    async with receiving(lined) as hooks:
        await hooks.settled("ready")
    stored = await events(pool)
    assert {id_: stored[id_]["body"] for id_ in acknowledged} == acknowledged


async def test_a_port_that_is_taken_is_named(config: Config) -> None:
    async with listening(config) as port:
        with pytest.raises(Unavailable, match=str(port)):
            await serve(replace(config, port=port))


async def test_without_a_database_it_says_what_is_missing(config: Config) -> None:
    with pytest.raises(ConfigError, match="DATABASE_URL"):
        await serve(replace(config, database_url=None))
