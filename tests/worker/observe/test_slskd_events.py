"""The events that a simulated slskd keeps: each enters the log once, whoever tells it, and never the whole past."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from reprise.simulator import SlskdSimulator
from shared.eventlog.event import Delivery
from shared.eventlog.identity import uuid7
from shared.eventlog.store import append
from shared.sources.slskd import identify
from tests.worker.clients.pairs import slskd_pair
from tests.worker.observe.scene import Scene
from worker.clients.answers import PeerFailed
from worker.effects.effect import Tools
from worker.observe.slskd import observe_slskd

MINUTE = timedelta(minutes=1)


class Events(Scene):
    """A scene about the events of a slskd."""

    def __init__(self, tools: Tools, simulator: SlskdSimulator) -> None:
        super().__init__(tools, observe_slskd)
        self.simulator = simulator

    def happens(self, kind: str = "Noop", *, ago: timedelta = timedelta(0)) -> dict[str, Any]:
        """slskd keeps an event; no webhook tells of it."""
        return self.simulator.events.emit(kind, {"some": "thing"}, at=datetime.now(UTC) - ago)

    async def webhook(self, event: dict[str, Any]) -> None:
        """A webhook tells of it, as the receiver would keep it."""
        body = msgspec.json.encode(event)
        found = identify({}, body)
        delivery = Delivery(
            id=uuid7(),
            source="slskd",
            type=found.type,
            body=body,
            received_at=datetime.now(UTC),
            dedupe_key=found.dedupe_key,
        )
        async with self.pool.acquire() as connection:
            await append(connection, [delivery])

    async def known(self) -> list[str]:
        """slskd's ids of the events in the log, in the order of the log."""
        rows = await self.pool.fetch("SELECT dedupe_key FROM events WHERE source = 'slskd' ORDER BY received_at, id")
        return [row["dedupe_key"].removeprefix("event:") for row in rows]

    async def repeated(self) -> int:
        found: int = await self.pool.fetchval("SELECT count(*) FROM folded_deliveries")
        return found


@pytest.fixture
async def scene(pool: Any) -> AsyncIterator[Events]:
    async with slskd_pair() as (client, simulator):
        yield Events(Tools(pool=pool, lidarr=None, slskd=client), simulator)


async def test_the_first_look_ever_leaves_slskds_past_alone(scene: Events) -> None:
    for days in range(300):
        scene.happens(ago=timedelta(days=days, minutes=1))
    await scene.look()
    await scene.look()
    assert await scene.known() == []
    event = scene.happens()
    await scene.look()
    assert await scene.known() == [event["id"]]


async def test_an_slskd_that_has_never_had_an_event(scene: Events) -> None:
    await scene.look()
    event = scene.happens()
    await scene.look(times=2)
    assert await scene.known() == [event["id"]]


async def test_the_first_look_begins_with_the_oldest_attempt(scene: Events) -> None:
    album = await scene.acquisition()
    await scene.attempt(album, source="soulseek", state="downloading", peer="ann", files=())
    await scene.pool.execute("UPDATE attempts SET started_at = now() - interval '1 hour'")
    scene.happens(ago=timedelta(hours=2))
    of_ours = scene.happens(ago=30 * MINUTE)
    await scene.look()
    assert await scene.known() == [of_ours["id"]]


async def test_each_event_enters_the_log_once_in_order_and_as_a_webhook_would_bring_it(scene: Events) -> None:
    await scene.look()
    first, second, third = (scene.happens(ago=seconds * timedelta(seconds=1)) for seconds in (3, 2, 1))
    await scene.webhook(second)
    await scene.look(times=2)
    assert sorted(await scene.known()) == sorted([first["id"], second["id"], third["id"]])
    assert await scene.repeated() == 0
    await scene.webhook(first)
    assert await scene.repeated() == 1, "the webhook that comes second is a repeat"
    bodies = [msgspec.json.decode(row["body"]) for row in await scene.pool.fetch("SELECT body FROM events")]
    assert first in bodies
    observed = [one for one in await scene.known() if one != second["id"]]
    assert observed == [first["id"], third["id"]]


async def test_an_event_that_lands_behind_later_ones(scene: Events) -> None:
    """It bears the time at which its transfer ended, and comes when the file has been moved."""
    await scene.look()
    for _ in range(3):
        scene.happens()
    await scene.look()
    late = scene.happens(ago=9 * MINUTE)
    await scene.look()
    assert (await scene.known())[-1] == late["id"]


async def test_after_an_outage_it_is_caught_up_part_by_part(scene: Events) -> None:
    await scene.look()
    await scene.pool.execute("UPDATE peers SET observed_until = now() - interval '30 days'")
    kept = [scene.happens(ago=timedelta(minutes=minutes))["id"] for minutes in range(5000, 0, -1)]
    looks = 0
    while len(await scene.known()) < len(kept):
        calls = len(scene.simulator.calls)
        before = len(await scene.known())
        await scene.look()
        looks += 1
        after = len(await scene.known())
        assert 0 < after - before <= 1000, "a look is bounded, and gets on"
        assert len(scene.simulator.calls) - calls < 20
    assert looks <= 12
    assert await scene.known() == kept, "the oldest first, and none left out"
    await scene.look()
    assert await scene.repeated() == 0


async def test_what_comes_while_it_is_read_is_not_lost(scene: Events) -> None:
    await scene.look()
    await scene.pool.execute("UPDATE peers SET observed_until = now() - interval '30 days'")
    kept = [scene.happens(ago=timedelta(minutes=minutes))["id"] for minutes in range(3000, 0, -1)]
    page = scene.simulator.events.page

    def busy_page(offset: int, limit: int) -> Any:
        kept.extend(scene.happens()["id"] for _ in range(40))
        return page(offset, limit)

    scene.simulator.events.page = busy_page  # type: ignore[method-assign]
    await scene.look(times=4)
    scene.simulator.events.page = page  # type: ignore[method-assign]
    await scene.look(times=6)
    assert set(await scene.known()) == set(kept)


async def test_more_events_at_one_time_than_a_part_holds(scene: Events) -> None:
    await scene.look()
    await scene.pool.execute("UPDATE peers SET observed_until = now() - interval '20 minutes'")
    for _ in range(3500):
        scene.happens(ago=15 * MINUTE)
    scene.happens()
    await scene.look(times=6)
    assert len(await scene.known()) == 3501


async def test_an_event_from_the_future_hides_nothing(scene: Events) -> None:
    scene.happens(ago=timedelta(days=-2000))
    await scene.look()
    event = scene.happens()
    await scene.look()
    assert event["id"] in await scene.known()


@pytest.mark.parametrize("hours", [-7, 7])
async def test_slskds_clock_may_be_wrong(scene: Events, hours: int) -> None:
    scene.simulator.control(shift_clock=hours * 3600)
    scene.simulator.control(**{"raise": {"type": "Noop"}})
    await scene.look()
    for _ in range(3):
        scene.simulator.control(**{"raise": {"type": "Noop"}})
        await scene.look()
    assert len(await scene.known()) >= 3


async def test_events_without_an_id_are_left_out(scene: Events) -> None:
    await scene.look()
    event = scene.happens()
    event["id"] = "00000000-0000-0000-0000-000000000000"
    await scene.look(times=2)
    assert await scene.known() == []


async def test_a_look_that_failed_moves_nothing(scene: Events) -> None:
    await scene.look()
    event = scene.happens()
    scene.simulator.control(fail_next={"status": 500, "path": "/api/v0/events"})
    with pytest.raises(PeerFailed):
        await scene.look()
    await scene.look()
    assert await scene.known() == [event["id"]]


async def test_a_sample_that_names_nobody_is_harmless(scene: Events) -> None:
    album = await scene.acquisition()
    await scene.attempt(album, source="soulseek", state="downloading", peer="ann", download_id=str(uuid4()))
    await scene.look()
    scene.simulator.control(**{"raise": {"type": "DownloadFileComplete"}})
    await scene.look()
    assert len(await scene.known()) == 1
