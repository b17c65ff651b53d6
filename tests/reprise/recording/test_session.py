"""A session ends as it should, whatever happens to its port, its disk, its scrubbing."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from reprise.recording import keeping
from reprise.recording.file import Writing, read
from reprise.recording.problems import CannotRecord
from reprise.recording.session import Session, Summary, record
from reprise.simulator import SlskdSimulator
from shared.config import Config, Secret
from shared.errors import ConfigError

KEY = "key-of-the-simulated-slskd"


@pytest.fixture
async def slskd() -> AsyncIterator[Config]:
    simulator = SlskdSimulator(api_key=KEY)
    async with simulator.serve() as url:
        yield Config(slskd_url=url, slskd_api_key=Secret(KEY))


def session(to: Path, *, port: int = 0) -> Session:
    return Session(peer="slskd", to=to, port=port, reprise_url="http://127.0.0.1:9")


def files_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def recorded(config: Config, to: Path, *paths: str) -> Summary:
    async def during(url: str) -> None:
        async with aiohttp.ClientSession(url, headers={"X-API-Key": KEY}) as http:
            for path in paths:
                async with http.get(path) as answer:
                    await answer.read()

    return await record(session(to), config, during=during, say=print)


async def test_what_was_called_is_kept(slskd: Config, tmp_path: Path) -> None:
    to = tmp_path / "bug.jsonl"
    summary = await recorded(slskd, to, "/api/v0/application", "/api/v0/options")
    assert (summary.calls, summary.webhooks, summary.withheld) == (2, 0, 0)
    assert summary.size_bytes == to.stat().st_size
    assert summary.tally.secrets == 2
    assert read(to).header.peer_version == "0.26.0"


async def test_without_calls_there_is_no_file(slskd: Config, tmp_path: Path) -> None:
    summary = await recorded(slskd, tmp_path / "bug.jsonl")
    assert summary.calls == 0
    assert files_in(tmp_path) == []


async def test_a_taken_port_leaves_no_file(slskd: Config, tmp_path: Path) -> None:
    taken = int((slskd.slskd_url or "").rpartition(":")[2])

    async def during(url: str) -> None:
        raise AssertionError

    with pytest.raises(CannotRecord, match=f"port {taken}"):
        await record(session(tmp_path / "bug.jsonl", port=taken), slskd, during=during, say=print)
    assert files_in(tmp_path) == []


async def test_a_full_disk_ends_the_session(slskd: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    async def during(url: str) -> None:
        monkeypatch.setattr(Writing, "add", full)
        async with aiohttp.ClientSession(url, headers={"X-API-Key": KEY}) as http, http.get("/api/v0/server"):
            await asyncio.Event().wait()

    with pytest.raises(CannotRecord, match="No space left"):
        await record(session(tmp_path / "bug.jsonl"), slskd, during=during, say=print)


async def test_what_cannot_be_scrubbed_is_dropped_and_counted(
    slskd: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    scrubbed = keeping.scrubbed

    def fails_once(heard: Any, scrubber: Any) -> Any:
        if heard.path == "/api/v0/options":
            raise ValueError(heard.path)
        return scrubbed(heard, scrubber)

    monkeypatch.setattr(keeping, "scrubbed", fails_once)
    to = tmp_path / "bug.jsonl"
    summary = await recorded(slskd, to, "/api/v0/options", "/api/v0/server")
    assert (summary.calls, summary.withheld) == (1, 1)
    assert [one.path for one in read(to).exchanges] == ["/api/v0/server"]
    written = capsys.readouterr()
    assert "recording.not_scrubbed" in written.out + written.err
    assert "/api/v0/options" not in written.out + written.err


async def test_a_peer_must_be_configured(slskd: Config, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="SLSKD_URL: is unset"):
        await recorded(replace(slskd, slskd_url=None), tmp_path / "bug.jsonl")
