"""When the sweep has peers looked at: as often as there is reason, and once however many workers there are."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from shared.acquisition.steps import NO_SOURCE
from shared.eventlog.identity import peer_id
from shared.settings.registry import Settings
from shared.telemetry import metrics
from tests.worker.observe.scene import Scene
from tests.worker.workshop import an_acquisition, nothing
from worker.effects.effect import Found, Tools
from worker.sweep import Sweep


def sweep(pool: Any, *, lidarr: bool = True, slskd: bool = True, **settings: Any) -> Sweep:
    values = replace(Settings(), **settings)
    return Sweep(pool, nothing, settings=lambda: values, lidarr=lidarr, slskd=slskd)


async def looked(pool: Any, ago_s: float, *peers: str) -> None:
    """These peers were looked at so long ago, and nothing waits."""
    await pool.execute("DELETE FROM commands")
    for peer in peers:
        await pool.execute(
            "INSERT INTO peers (name, id, observed_at) VALUES ($1, $2, now() - $3::interval)"
            " ON CONFLICT (name) DO UPDATE SET observed_at = excluded.observed_at",
            *(peer, peer_id(peer), timedelta(seconds=ago_s)),
        )


async def ordered(pool: Any, made: Sweep) -> list[str]:
    """The peers that the sweep has ordered a look at."""
    await made.observe()
    rows = await pool.fetch("SELECT args ->> 'peer' FROM commands WHERE state = 'waiting' ORDER BY 1")
    return [row[0] for row in rows]


async def test_every_peer_that_is_configured_is_looked_at(pool: Any) -> None:
    assert await ordered(pool, sweep(pool)) == ["lidarr", "slskd"]
    await looked(pool, 61)
    assert await ordered(pool, sweep(pool, lidarr=False)) == ["slskd"]
    await looked(pool, 61)
    assert await ordered(pool, sweep(pool, slskd=False)) == ["lidarr"]


async def test_peers_that_do_nothing_for_us_are_looked_at_now_and_then(pool: Any) -> None:
    await looked(pool, 55, "lidarr", "slskd")
    assert await ordered(pool, sweep(pool)) == []
    assert await ordered(pool, sweep(pool, observe_interval=50)) == ["lidarr", "slskd"]
    await looked(pool, 3, "lidarr", "slskd")
    assert await ordered(pool, sweep(pool, observe_interval=5)) == []


async def _nobody(_tools: Tools) -> Found:
    return Found()


@pytest.mark.parametrize(
    ("source", "state", "after_s", "expected"),
    [
        ("soulseek", "downloading", 6, ["slskd"]),
        ("soulseek", "searching", 6, ["slskd"]),
        ("soulseek", "importing", 6, []),
        ("soulseek", "importing", 16, ["lidarr"]),
        ("lidarr", "downloading", 16, ["lidarr"]),
        ("lidarr", "downloading", 6, []),
        ("lidarr", "failed", 16, []),
    ],
)
async def test_a_peer_that_does_something_for_us_is_looked_at_often(
    pool: Any, source: str, state: str, after_s: float, expected: list[str]
) -> None:
    scene = Scene(Tools(pool=pool, lidarr=None), _nobody)
    await scene.attempt(await an_acquisition(pool), source=source, state="downloading")
    await pool.execute("UPDATE attempts SET state = $1, finished_at = CASE WHEN $1 = 'failed' THEN now() END", state)
    if state == "failed":
        await pool.execute("UPDATE acquisitions SET state = 'failed', finished_at = now()")
    await looked(pool, after_s, "lidarr", "slskd")
    assert await ordered(pool, sweep(pool)) == expected
    await looked(pool, after_s, "lidarr", "slskd")
    await pool.execute("UPDATE acquisitions SET origin = 'lidarr'")
    assert await ordered(pool, sweep(pool)) == [], "what is only watched is in no hurry"


async def test_what_waits_for_a_source_is_in_no_hurry(pool: Any) -> None:
    scene = Scene(Tools(pool=pool, lidarr=None), _nobody)
    await scene.acquisition(state="pending", reason=NO_SOURCE)
    await looked(pool, 30, "lidarr")
    assert await ordered(pool, sweep(pool, slskd=False)) == []


async def test_many_workers_order_one_look(pool: Any) -> None:
    await looked(pool, 61, "lidarr", "slskd")
    await asyncio.gather(*(sweep(pool).observe() for _ in range(8)))
    assert await pool.fetchval("SELECT count(*) FROM commands") == 2
    # One that waits for a peer that is away, or is under way, is enough.
    await pool.execute("UPDATE commands SET state = 'running', lease_until = now() + interval '1 minute'")
    await asyncio.gather(*(sweep(pool).observe() for _ in range(8)))
    assert await pool.fetchval("SELECT count(*) FROM commands") == 2


@pytest.mark.parametrize(
    ("peers", "wishes", "resumed"),
    [
        ({"lidarr": True, "slskd": False}, {}, True),
        ({"lidarr": False, "slskd": True}, {}, True),
        ({"lidarr": False, "slskd": True}, {"download_source": "lidarr", "fallback": "none"}, False),
        ({"lidarr": True, "slskd": False}, {"download_source": "soulseek", "fallback": "none"}, False),
    ],
)
async def test_what_waits_for_a_source_goes_on_once_there_is_one(
    pool: Any, peers: dict[str, bool], wishes: dict[str, Any], resumed: bool
) -> None:
    scene = Scene(Tools(pool=pool, lidarr=None), _nobody)
    await scene.acquisition(state="pending", reason=NO_SOURCE)
    made = sweep(pool, **peers, **wishes)
    await made.resume_without_source()
    await made.resume_without_source()
    assert await scene.events("reprise") == (["SourceAppeared"] if resumed else [])


async def test_silence_is_shown(pool: Any) -> None:
    await looked(pool, 0, "lidarr", "slskd")
    await pool.execute("UPDATE peers SET silent = true WHERE name = 'slskd'")
    await sweep(pool).measure()
    assert metrics.SOURCE_SILENT.value(source="slskd") == 1
    assert metrics.SOURCE_SILENT.value(source="lidarr") == 0
