"""`reprise up` as a person meets it: a real process, with everything below it."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import stat
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import aiohttp
import asyncpg
import psutil
import pytest

from reprise.standalone.attach import attach
from reprise.standalone.layout import Layout
from reprise.standalone.process import Child, spawn
from shared.config import Config
from tests.harness.leftovers import mentioning
from tests.harness.processes import clean_environment, free_port
from tests.harness.waiting import until

_READY = "Reprise is ready."


@dataclass(frozen=True, slots=True)
class Up:
    """One `reprise up`."""

    child: Child
    layout: Layout
    port: int
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def output(self) -> str:
        return self.log.read_text()

    async def ready(self) -> None:
        await until(
            lambda: _READY in self.output() or self.child.exit_code is not None,
            within_s=60,
            what=self.output(),
        )
        assert self.child.exit_code is None, self.output()

    async def answers(self) -> bool:
        """Whether the receiver would keep a delivery, in the database."""
        try:
            async with aiohttp.ClientSession() as session, session.get(f"{self.url}/readyz") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    async def interrupt(self) -> int:
        """Ctrl-C, and its exit code."""
        return await self.child.stop((signal.SIGINT, timedelta(seconds=60)), (signal.SIGKILL, None))

    def pids(self) -> dict[str, int]:
        return {path.stem: int(path.read_text()) for path in self.layout.run.glob("[!.]*.pid")}


@asynccontextmanager
async def running(layout: Layout, *arguments: str, port: int | None = None, **environment: str) -> AsyncIterator[Up]:
    """`reprise up` on the data directory, started but perhaps not ready; ended afterwards."""
    port = port or free_port()
    log = layout.data_dir.parent / f"up-{port}.log"
    settings = {
        "REPRISE_DATA_DIR": str(layout.data_dir),
        "REPRISE_PORT": str(port),
        "REPRISE_HOST": "127.0.0.1",
        "REPRISE_LOG_FORMAT": "json",
    }
    with log.open("wb") as output:
        child = spawn(
            "up",
            [sys.executable, "-m", "reprise", "up", *arguments],
            env=clean_environment() | settings | environment,
            output=output,
        )
    up = Up(child, layout, port, log)
    try:
        yield up
    finally:
        await up.child.stop((signal.SIGTERM, timedelta(seconds=60)), (signal.SIGKILL, None))
        print(up.output())


def _left_over(layout: Layout) -> dict[int, str]:
    return mentioning(str(layout.data_dir))


async def test_it_comes_up_tells_where_and_goes_down_cleanly(layout: Layout) -> None:
    async with running(layout) as up:
        await up.ready()
        assert await up.answers()
        assert set(up.pids()) == {"postgres", "valkey", "ingest", "worker-1", "backup"}
        said = up.output()
        assert f"{up.port}/webhooks/lidarr" in said
        secret = (layout.secrets / "webhook_secret").read_text()
        assert secret in said
        assert (layout.secrets / "admin_token").read_text() in said
        async with aiohttp.ClientSession() as session:
            verify = f"{up.url}/webhooks/lidarr/verify"
            async with session.get(verify, headers={"X-Webhook-Secret": secret}) as answer:
                assert answer.status == 200, await answer.text()
            async with session.get(verify, headers={"X-Webhook-Secret": "wrong"}) as answer:
                assert answer.status == 401
        assert await up.interrupt() == 0
        assert _left_over(layout) == {}
        assert up.pids() == {}


async def test_a_second_start_keeps_secrets_and_deliveries(founded: Layout) -> None:
    body = b'{"eventType": "Test"}'
    token = founded.kept_secret("webhook_secret")
    async with running(founded) as first, aiohttp.ClientSession(headers={"X-Webhook-Secret": token}) as session:
        await first.ready()
        async with session.post(f"{first.url}/webhooks/lidarr", data=body) as answer:
            assert answer.status in {200, 202}
            event_id = (await answer.json())["event_id"]
        _no_secret_is_shown(first)
    async with running(founded) as second:
        await second.ready()
        assert founded.kept_secret("webhook_secret") == token
        await until(lambda: _kept(founded, event_id))  # it may come out of the spool


async def _kept(layout: Layout, event_id: str) -> bool:
    attached = attach(Config(data_dir=layout.data_dir))
    assert attached is not None
    assert attached.config.database_url is not None
    try:
        connection = await asyncpg.connect(attached.config.database_url.reveal())
    except (OSError, asyncpg.CannotConnectNowError):  # not back yet
        return False
    try:
        return bool(await connection.fetchval("SELECT 1 FROM events WHERE id = $1::uuid", event_id))
    finally:
        await connection.close()


def _no_secret_is_shown(up: Up) -> None:
    log_lines = [line for line in up.output().splitlines() if line.startswith("{")]
    assert log_lines
    arguments = [" ".join(psutil.Process(pid).cmdline()) for pid in up.pids().values()]
    for path in up.layout.secrets.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
        assert not [line for line in log_lines + arguments if path.read_text() in line]
    for name in ("up.json", "database_url", "redis_url"):
        assert stat.S_IMODE((up.layout.run / name).stat().st_mode) == 0o600


async def test_a_second_up_on_the_same_data_is_refused_naming_the_first(founded: Layout) -> None:
    async with running(founded) as first:
        await first.ready()
        async with running(founded) as second:
            assert await second.child.wait() == 1
            assert f"another `reprise up` (pid {first.child.pid}) is running on" in second.output()
        assert await first.answers()


async def test_a_busy_port_is_named_with_its_owner_before_anything_starts(founded: Layout) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        async with running(founded, port=port) as up:
            assert await up.child.wait() == 1
            assert f"port {port} is in use by" in up.output()
            assert f"(pid {os.getpid()})" in up.output()
            assert "REPRISE_PORT" in up.output()
            assert "up.started" not in up.output()


async def test_whatever_is_killed_comes_back(founded: Layout) -> None:
    async with running(founded) as up:
        await up.ready()
        for name in ("ingest", "valkey", "postgres"):
            killed = up.pids()[name]
            os.kill(killed, signal.SIGKILL)
            await until(lambda: up.pids().get(name, killed) != killed, what=name)  # noqa: B023 - awaited here
            await until(up.answers, what=name)
        secret = founded.kept_secret("webhook_secret")
        async with (
            aiohttp.ClientSession(headers={"X-Webhook-Secret": secret}) as session,
            session.post(f"{up.url}/webhooks/lidarr", data=b'{"eventType": "Test"}') as answer,
        ):
            event_id = (await answer.json())["event_id"]
        await until(lambda: _kept(founded, event_id))


async def test_a_killed_up_leaves_nothing_running_and_starts_again(founded: Layout) -> None:
    async with running(founded) as first:
        await first.ready()
        await first.child.stop((signal.SIGKILL, None))
        # at once, while the orphans are still on their way out
        async with running(founded, port=first.port) as second:
            await second.ready()
            assert await second.answers()
            assert await second.interrupt() == 0
    await until(lambda: not _left_over(founded), what=str(_left_over(founded)))


async def test_ctrl_c_while_starting_stops_what_has_started(founded: Layout) -> None:
    async with running(founded) as up:
        await until(lambda: "up.started" in up.output())
        assert await up.interrupt() == 0
        assert _left_over(founded) == {}


async def test_a_server_of_ones_own_is_used_and_none_is_started(layout: Layout, database: str, redis_url: str) -> None:
    async with running(layout, DATABASE_URL=database, REDIS_URL=redis_url) as up:
        await up.ready()
        assert await up.answers()
        assert set(up.pids()) == {"ingest", "worker-1", "backup"}
        assert not layout.postgres.exists()
        assert await up.interrupt() == 0


async def test_a_bad_configuration_is_exit_code_78(layout: Layout) -> None:
    async with running(layout, REPRISE_LOG_LEVEL="loud") as up:
        assert await asyncio.wait_for(up.child.wait(), 30) == 78
        assert "REPRISE_LOG_LEVEL" in up.output()


@pytest.mark.long
async def test_the_demo_plays_its_story_and_commands_find_its_peers(founded: Layout) -> None:
    async with running(founded, "--demo", LIDARR_URL="http://192.0.2.9:8686", LIDARR_API_KEY="real") as up:
        await up.ready()
        attached = attach(Config(data_dir=founded.data_dir))
        assert attached is not None
        assert str(attached.config.lidarr_url).startswith("http://127.0.0.1:"), "never the real one"
        await until(lambda: "[DEMO] the story is over" in up.output(), within_s=120)
        for line in (
            "First Light: completed",
            "Live at the Pier: completed",
            "The Unfindable Tape: failed",
            "Demo discovery: completed",
        ):
            assert line in up.output()
        assert await up.interrupt() == 0
    assert _left_over(founded) == {}
