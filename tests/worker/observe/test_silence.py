"""A source that is silent although its history moves: found out, shown, and over when it tells again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from reprise.simulator import LidarrSimulator
from reprise.simulator.clock import ticks
from shared.eventlog.event import Delivery
from shared.eventlog.identity import uuid7
from shared.eventlog.store import append
from tests.worker.clients.pairs import lidarr_pair, slskd_pair
from tests.worker.observe.scene import Scene
from tests.worker.observe.test_slskd_events import Events
from worker.effects.effect import Tools
from worker.observe.lidarr import observe_lidarr

SECONDS = timedelta(seconds=1)


class AtLidarr(Scene):
    """A scene about what a Lidarr tells."""

    def __init__(self, tools: Tools, simulator: LidarrSimulator) -> None:
        super().__init__(tools, observe_lidarr)
        self.simulator = simulator

    async def grabs(self, *, ago_s: float) -> None:
        """Lidarr grabbed something so long ago; no webhook of it comes by itself."""
        self.simulator.control(grab={"album_mbid": str(uuid4()), "outcome": "stall"})
        await self.simulator.quiet()
        self.backdate(ago_s)

    def backdate(self, ago_s: float) -> None:
        """Its history is from then."""
        at = datetime.now(UTC) - ago_s * SECONDS
        history = self.simulator.world.ledger.history
        history[:] = [replace(row, date=at) for row in history]

    async def hears(self, *, ago_s: float, kind: str = "Test") -> None:
        """A webhook was received so long ago."""
        at = datetime.now(UTC) - ago_s * SECONDS
        delivery = Delivery(
            id=uuid7(int(at.timestamp() * 1000)), source="lidarr", type=kind, body=b"{}", received_at=at
        )
        async with self.pool.acquire() as connection:
            await append(connection, [delivery])

    async def is_silent(self) -> bool:
        await self.look()
        return await silent(self, "lidarr")


async def silent(scene: Scene, peer: str) -> bool:
    found: bool = await scene.pool.fetchval("SELECT silent FROM peers WHERE name = $1", peer)
    return found


@pytest.fixture
async def lidarr(pool: Any) -> AsyncIterator[AtLidarr]:
    async with lidarr_pair() as (client, simulator):
        scene = AtLidarr(Tools(pool=pool, lidarr=client), simulator)
        await scene.look()
        yield scene


async def test_a_lidarr_that_nobody_hears_of_is_woken_once(lidarr: AtLidarr) -> None:
    await lidarr.hears(ago_s=900)
    await lidarr.grabs(ago_s=300)
    assert await lidarr.is_silent()
    assert await lidarr.is_silent()
    assert await lidarr.ordered("WakeLidarr") == 1
    await lidarr.pool.execute("UPDATE commands SET state = 'done', finished_at = now()")
    assert await lidarr.is_silent()
    assert await lidarr.ordered("WakeLidarr") == 0, "only when it has fallen silent"
    await lidarr.hears(ago_s=0)
    assert not await lidarr.is_silent()
    await lidarr.grabs(ago_s=61)
    assert not await lidarr.is_silent(), "what was heard since is enough"


@pytest.mark.parametrize(("heard_ago_s", "expected"), [(299, False), (350, False), (400, True)])
async def test_whatever_is_heard_since_tells_that_webhooks_come(
    lidarr: AtLidarr, heard_ago_s: float, expected: bool
) -> None:
    await lidarr.hears(ago_s=heard_ago_s, kind="Health")
    await lidarr.grabs(ago_s=300)
    assert await lidarr.is_silent() is expected


async def test_a_webhook_has_a_minute_to_come(lidarr: AtLidarr) -> None:
    await lidarr.grabs(ago_s=30)
    assert not await lidarr.is_silent()


async def test_what_only_looks_told_is_not_heard(lidarr: AtLidarr) -> None:
    await lidarr.grabs(ago_s=300)
    await lidarr.hears(ago_s=100, kind="HistoryGrabbed")
    assert await lidarr.is_silent()


async def test_a_person_at_work_tells_nothing(lidarr: AtLidarr) -> None:
    """A rescan or another's import writes rows of which no webhook ever comes."""
    lidarr.simulator.control(manual_import={"album_mbid": str(uuid4()), "webhook": False})
    await lidarr.simulator.quiet()
    lidarr.backdate(300)
    assert not await lidarr.is_silent()


async def test_what_happened_before_we_were_connected_says_nothing(pool: Any) -> None:
    async with lidarr_pair() as (client, simulator):
        scene = AtLidarr(Tools(pool=pool, lidarr=client), simulator)
        await scene.grabs(ago_s=120)
        assert not await scene.is_silent()


class AtSlskd(Events):
    """A scene about what a slskd tells."""

    async def is_silent(self, *, after_s: float = 0.0) -> bool:
        """After one more look, so long after the last one."""
        await self.pool.execute("UPDATE peers SET observed_at = now() - make_interval(secs => $1)", after_s)
        await self.look()
        return await silent(self, "slskd")

    def arrives(self, *, ago_s: float) -> dict[str, Any]:
        return self.happens("DownloadFileComplete", ago=ago_s * SECONDS)


@pytest.fixture
async def slskd(pool: Any) -> AsyncIterator[AtSlskd]:
    async with slskd_pair() as (client, simulator):
        made = AtSlskd(Tools(pool=pool, lidarr=None, slskd=client), simulator)
        await made.look()
        yield made


async def test_an_arrival_that_no_webhook_told_within_a_minute(slskd: AtSlskd) -> None:
    slskd.arrives(ago_s=3)
    assert not await slskd.is_silent(after_s=5), "it may still come"
    slskd.arrives(ago_s=70)
    assert await slskd.is_silent(after_s=60)
    assert await slskd.is_silent(after_s=60), "nothing new says otherwise"
    assert await slskd.ordered("WakeLidarr") == 0, "slskd has no back-off to end"


async def test_a_look_is_faster_than_a_webhook(slskd: AtSlskd) -> None:
    """Then the webhook is a repeat of what the look has appended, and all is well."""
    event = slskd.arrives(ago_s=50)
    assert not await slskd.is_silent(after_s=5)
    await slskd.webhook(event)
    assert await slskd.repeated() == 1
    assert not await slskd.is_silent(after_s=60)


async def test_what_a_look_appended_and_no_webhook_repeated(slskd: AtSlskd) -> None:
    event = slskd.arrives(ago_s=30)
    assert not await slskd.is_silent(after_s=5), "its minute isn't over"
    assert len(await slskd.known()) == 1
    event["timestamp"] = ticks(datetime.now(UTC) - 62 * SECONDS)
    assert await slskd.is_silent(after_s=60)
    assert len(await slskd.known()) == 1


async def test_it_tells_again(slskd: AtSlskd) -> None:
    slskd.arrives(ago_s=70)
    assert await slskd.is_silent(after_s=60)
    await slskd.webhook(slskd.arrives(ago_s=1))
    assert not await slskd.is_silent(after_s=5)


async def test_what_came_while_we_were_away_could_not_be_told(slskd: AtSlskd) -> None:
    slskd.arrives(ago_s=500)
    assert not await slskd.is_silent(after_s=3600)
    assert len(await slskd.known()) == 1


async def test_events_that_nobody_need_subscribe_to_say_nothing(slskd: AtSlskd) -> None:
    slskd.happens("UploadFileComplete", ago=70 * SECONDS)
    assert not await slskd.is_silent(after_s=60)
