"""A worker is killed in the middle of a backlog: every event is settled, and nothing is decided twice."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from shared.eventlog.event import Delivery
from shared.eventlog.identity import uuid7
from shared.eventlog.store import append
from shared.sources import SOURCES
from tests.harness.processes import Processes
from tests.harness.waiting import until

PAYLOADS = Path(__file__).parents[1] / "payloads" / "lidarr"
PAIRS = 1000


def grab_and_download(number: int) -> list[Delivery]:
    """A Grab that nobody asked for and its Download, of an album of their own."""
    album, download_id = str(uuid4()), f"download-{number}"
    grab = json.loads((PAYLOADS / "grab_single.json").read_text())
    grab["albums"][0]["mbId"], grab["downloadId"] = album, download_id
    done = json.loads((PAYLOADS / "download_pack_album_1of3.json").read_text())
    done["album"]["mbId"], done["downloadId"], done["trackFiles"][0]["id"] = album, download_id, 10**6 + number
    return [delivery(grab), delivery(done)]


def delivery(body: dict[str, Any]) -> Delivery:
    """The delivery that the receiver would make of this body."""
    raw = json.dumps(body).encode()
    identity = SOURCES["lidarr"].identify({}, raw)
    return Delivery(
        uuid7(), "lidarr", identity.type, raw, datetime.now(UTC), identity.dedupe_key, identity.correlation_id
    )


async def test_two_thousand_events(pool: Any, processes: Processes) -> None:
    """Two workers share the backlog; one dies by SIGKILL half-way."""
    deliveries = [one for number in range(PAIRS) for one in grab_and_download(number)]
    async with pool.acquire() as connection:
        for first in range(0, len(deliveries), 250):
            await append(connection, deliveries[first : first + 250])
    doomed = await processes.worker()
    await processes.worker()

    async def waiting() -> int:
        return int(await pool.fetchval("SELECT count(*) FROM event_status WHERE state = 'waiting'"))

    async def under_way() -> bool:
        return await waiting() < len(deliveries) * 0.8

    await until(under_way, what="the drain to be under way")
    await doomed.kill()

    async def drained() -> bool:
        return await waiting() == 0

    await until(drained, within_s=60, what="the backlog to be drained")
    states = dict(await pool.fetch("SELECT state, count(*) FROM event_status GROUP BY 1"))
    assert states == {"processed": len(deliveries)}
    assert await pool.fetchval("SELECT count(*) FROM acquisitions WHERE state = 'completed'") == PAIRS
    assert await pool.fetchval("SELECT count(*) FROM decisions") == len(deliveries)
    twice = await pool.fetch("SELECT event_id FROM decisions GROUP BY event_id, subject_id HAVING count(*) > 1")
    assert not twice
