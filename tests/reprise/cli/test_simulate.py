"""`reprise simulate`: a peer to try things out on."""

from __future__ import annotations

import asyncio
import signal
import sys

import aiohttp
import pytest

from tests.harness.processes import free_port
from tests.harness.waiting import until

ANSWERS = {"lidarr": "/api/v1/system/status", "slskd": "/api/v0/application"}


@pytest.mark.parametrize("peer", ANSWERS)
async def test_it_answers_with_the_key_and_ends_well(environment: dict[str, str], peer: str) -> None:
    port = free_port()
    command = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "reprise", "simulate", peer, "--port", str(port), "--api-key", "a-key-of-16-chars"),
        env=environment,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:

            async def status(key: str) -> int | None:
                try:
                    async with session.get(ANSWERS[peer], headers={"X-Api-Key": key}) as answer:
                        return answer.status
                except aiohttp.ClientConnectionError:
                    return None

            assert await until(lambda: status("a-key-of-16-chars"), within_s=60) == 200
            assert await status("wrong") == 401
        command.send_signal(signal.SIGTERM)
        assert await command.wait() == 0
    finally:
        if command.returncode is None:
            command.kill()
            await command.wait()
