"""The kept recordings play again, against a real Reprise and to the end that they had when they were made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec

from ingest.api import add_api
from ingest.serve import listening
from reprise.recording.replay import RecordedPeer
from shared.config import Config
from tests.harness.waiting import until
from tests.recordings.sessions import download, end_of
from tests.recordings.stage import staged

HERE = Path(__file__).parent
ANEW = "If Reprise is meant to call it so, make the recordings anew: .venv/bin/python -m tests.recordings"


def recorded_end(name: str) -> Any:
    return json.loads((HERE / f"{name}.end.json").read_text())


def played_to_its_end(peer: RecordedPeer) -> None:
    assert [(call.method, call.path, call.query) for call in peer.unknown] == [], ANEW
    assert [(one.direction, one.method, one.path) for one in peer.left] == [], ANEW


async def test_grabbed_failed_imported(config: Config, pool: Any) -> None:
    """Asked for, grabbed, failed, searched once more, imported: two attempts, one album."""
    peer = RecordedPeer.of(HERE / "lidarr-failed-then-imported.jsonl")
    async with peer.serve() as url, staged(config, pool, lidarr=peer, url=url, key="any") as stage:
        peer.webhooks_to(f"{stage.url}/webhooks/lidarr", stage.secret)
        album = uuid4()
        await stage.ask(album)
        ended = await end_of(stage, album)
        assert [sent.status for sent in peer.sent] == [200] * 5
    assert ended == recorded_end("lidarr-failed-then-imported")
    assert (ended["state"], ended["attempts"]) == ("completed", 2)
    played_to_its_end(peer)


async def test_searched_downloaded(config: Config, pool: Any) -> None:
    """A search, a batch, its files and their events."""
    peer = RecordedPeer.of(HERE / "slskd-search-and-download.jsonl")
    async with listening(config, add_api) as port, peer.serve() as url:
        assert config.webhook_secret
        peer.webhooks_to(f"http://127.0.0.1:{port}/webhooks/slskd", config.webhook_secret.reveal())
        done = await download(url, "any", "whatever was searched for")
        await peer.quiet()
        assert [sent.status for sent in peer.sent] == [200] * 4

        async def kept() -> bool:
            rows = await pool.fetch("SELECT type FROM event_history WHERE source = 'slskd'")
            return sorted(row["type"] for row in rows) == list(done.events)

        await until(kept, what="the events in the log")
    assert json.loads(msgspec.json.encode(done)) == recorded_end("slskd-search-and-download")
    assert done.states == ("Completed, Succeeded",) * 3
    played_to_its_end(peer)
