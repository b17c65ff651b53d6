"""`reprise record`: in the place of the peer, until it's told to stop; and a recording served by hand."""

from __future__ import annotations

import asyncio
import signal
import stat
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from reprise.recording.file import read
from reprise.simulator import LidarrSimulator
from shared.config import load_config
from tests.harness.processes import free_port
from tests.harness.waiting import until
from tests.recordings.sessions import recorder
from tests.reprise.cli.conftest import Ended, Reprise

KEY = "key-of-the-simulated-lidarr"
ASK = """
import os, urllib.request
key = {"X-Api-Key": os.environ["LIDARR_API_KEY"]}
request = urllib.request.Request(os.environ["LIDARR_URL"] + "/api/v1/queue", headers=key)
urllib.request.urlopen(request).read()
"""
STAY = """
import pathlib, signal, sys, time
told = pathlib.Path(sys.argv[1])
signal.signal(signal.SIGINT, lambda *_: (told.write_text("interrupted"), sys.exit()))
told.write_text("")
time.sleep(600)
"""


@pytest.fixture
async def lidarr(environment: dict[str, str]) -> AsyncIterator[dict[str, str]]:
    """The environment, with a simulated Lidarr in it."""
    simulator = LidarrSimulator(api_key=KEY)
    async with simulator.serve() as url:
        yield environment | {"LIDARR_URL": url, "LIDARR_API_KEY": KEY}


async def ran(environment: dict[str, str], *words: object) -> Ended:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "reprise", *map(str, words)),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), err.decode())


async def test_a_command_is_run_with_the_recorder_in_the_peers_place(lidarr: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "bug.jsonl.gz"
    python = Path(sys.executable)
    found = lidarr | {"PATH": f"{python.parent}:{lidarr['PATH']}"}
    ended = await ran(found, "record", "lidarr", "--to", path, "--port", 0, "--", python.name, "-c", ASK)
    assert ended.code == 0, ended.err
    assert "Kept 1 calls and 0 webhooks" in ended.out
    assert "zless" in ended.out
    assert KEY not in ended.out + ended.err
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    (call,) = read(path).exchanges
    assert (call.path, call.headers["x-api-key"]) == ("/api/v1/queue", "***")
    assert call.answer is not None
    assert call.answer.status == 200


async def test_what_it_runs_is_ended_with_it(lidarr: dict[str, str], tmp_path: Path) -> None:
    done = tmp_path / "done"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "reprise", "record", "lidarr", "--to", str(tmp_path / "bug.jsonl"), "--port", "0"),
        *("--", sys.executable, "-c", STAY, str(done)),
        env=lidarr,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await until(done.exists, within_s=60)
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 1  # nobody called
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert done.read_text() == "interrupted"
    assert not (tmp_path / "bug.jsonl").exists()


async def test_an_absent_peer_is_recorded_too(environment: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "bug.jsonl"
    away = environment | {"LIDARR_URL": f"http://127.0.0.1:{free_port()}", "LIDARR_API_KEY": KEY}
    ended = await ran(away, "record", "lidarr", "--to", path, "--port", 0, "--", sys.executable, "-c", ASK)
    assert ended.code == 0, ended.err
    assert "doesn't tell its version" in ended.err
    recording = read(path)
    assert recording.header.peer_version == ""
    assert {one.fault for one in recording.exchanges} == {"unreachable"}


def test_it_says_what_is_missing_or_in_the_way(
    reprise: Reprise, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "bug.jsonl"
    ended = reprise("record", "slskd", "--to", path)
    assert (ended.code, "SLSKD_URL: is unset. Set it to" in ended.err) == (78, True)
    assert reprise("record", "slskd").code == 2
    assert reprise("record", "slskd", "--to", path, "--", "no-such-command").code == 2
    monkeypatch.setenv("SLSKD_URL", f"http://127.0.0.1:{free_port()}")
    path.write_text("mine")
    ended = reprise("record", "slskd", "--to", path)
    assert (ended.code, "already" in ended.err) == (1, True)
    assert path.read_text() == "mine"


async def test_a_recording_is_served_by_hand(lidarr: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "bug.jsonl"
    await ran(lidarr, "record", "lidarr", "--to", path, "--port", 0, "--", sys.executable, "-c", ASK)
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "reprise", "simulate", "--recording", str(path), "--port", str(port)),
        env=lidarr,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http:

            async def answered(path: str) -> int | None:
                try:
                    async with http.get(path) as answer:
                        return answer.status
                except aiohttp.ClientConnectionError:
                    return None

            assert await until(lambda: answered("/api/v1/queue"), within_s=60) == 200
            assert await answered("/api/v1/history") == 501
            async with http.get("/_recording") as answer:
                assert [call["path"] for call in (await answer.json())["unknown"]] == ["/api/v1/history"]
        process.send_signal(signal.SIGINT)
        assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def test_a_recording_must_be_one_and_of_that_peer(reprise: Reprise, tmp_path: Path) -> None:
    kept = Path(__file__).parents[2] / "recordings" / "lidarr-failed-then-imported.jsonl"
    assert reprise("simulate", "slskd", "--recording", kept).code == 2
    assert reprise("simulate").code == 2
    (tmp_path / "x").write_text("{}")
    ended = reprise("simulate", "--recording", tmp_path / "x")
    assert (ended.code, "no recording" in ended.err) == (1, True)


async def test_the_address_it_prints_is_the_one_to_use(lidarr: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "bug.jsonl"
    async with (
        recorder("lidarr", load_config(lidarr), path) as address,
        aiohttp.ClientSession(address) as http,
        http.get("/ping") as answer,
    ):
        assert answer.status == 200
    assert [one.path for one in read(path).exchanges] == ["/ping"]
