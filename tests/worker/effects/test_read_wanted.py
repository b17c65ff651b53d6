"""What Lidarr misses is asked for once, as one batch, however often and by however many it is read."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.acquisition.acts import own_delivery
from shared.acquisition.batches import batch_id_for
from shared.acquisition.commands import ReadWanted
from shared.acquisition.signals import AlbumWish, BatchRequested, decode
from shared.eventlog.event import REPRISE, Delivery
from shared.eventlog.identity import uuid7
from shared.eventlog.store import append
from tests.harness.waiting import until
from tests.worker.effects.scene import ALBUM, ARTIST, TITLE, Scene
from tests.worker.workshop import folding, nothing, running
from worker.clients.answers import PeerAway
from worker.drain import Drain
from worker.effects.effect import Found


def misses(scene: Scene, count: int) -> list[UUID]:
    """Albums that Lidarr has without files, the newest first; one more is there from the start."""
    found = [uuid4() for _ in range(count)]
    scene.lidarr.control(
        albums=[
            {"album_mbid": str(album), "in_library": True, "release_date": f"202{4 - place}-01-01"}
            for place, album in enumerate(found)
        ]
    )
    return [*found[:3], ALBUM, *found[3:]]


def read(limit: int = 20, label: str | None = None) -> ReadWanted:
    return ReadWanted(user_id="ann", limit=limit, event_id=uuid7(), label=label)


def asked(found: Found) -> BatchRequested:
    (delivery,) = found.deliveries
    signal = decode(delivery.body)
    assert isinstance(signal, BatchRequested)
    return signal


async def test_what_is_missing_becomes_one_batch(scene: Scene) -> None:
    wanted = misses(scene, 2)
    command = read(label="this week")
    found = await scene.perform(command)
    batch = asked(found)
    assert (batch.user_id, batch.label, batch.origin) == ("ann", "this week", "wanted")
    assert [wish.album_mbid for wish in batch.albums] == wanted
    last = batch.albums[-1]
    assert (last.artist_name, last.album_title) == (ARTIST, TITLE)
    assert last.artist_mbid is not None
    (delivery,) = found.deliveries
    assert (delivery.id, delivery.source, delivery.type) == (command.event_id, "reprise", "BatchRequested")


async def test_the_limit_holds(scene: Scene) -> None:
    wanted = misses(scene, 5)
    assert [wish.album_mbid for wish in asked(await scene.perform(read(2))).albums] == wanted[:2]


async def test_where_nothing_is_missing_nothing_is_asked(scene: Scene) -> None:
    scene.lidarr.control(manual_import={"album_mbid": str(ALBUM)})
    await scene.lidarr.quiet()
    assert await scene.perform(read()) == Found()


@pytest.mark.parametrize(
    ("acquisition", "skipped"),
    [
        ({"state": "downloading"}, True),
        ({"state": "pending", "origin": "lidarr"}, True),
        ({"state": "failed"}, True),
        ({"state": "failed", "ago": "25 hours"}, False),
        ({"state": "failed", "ago": "25 hours", "budget_spent": True}, True),
        ({"state": "failed", "ago": "31 days", "budget_spent": True}, False),
        ({"state": "failed", "origin": "lidarr"}, False),
        ({"state": "completed", "ago": "25 hours"}, False),
    ],
)
async def test_what_was_asked_for_lately_is_not_asked_again(
    scene: Scene, acquisition: dict[str, Any], skipped: bool
) -> None:
    over = acquisition["state"] in ("failed", "completed")
    await scene.pool.execute(
        "INSERT INTO acquisitions (id, album_mbid, artist_name, album_title, origin, state, sequence, created_at,"
        " updated_at, finished_at, budget_spent) VALUES (gen_random_uuid(), $1, 'a', 'b', $2, $3, 1, now(), now(),"
        " CASE WHEN $4 THEN now() - $5::text::interval END, $6)",
        *(ALBUM, acquisition.get("origin", "asked"), acquisition["state"], over),
        *(acquisition.get("ago", "1 hour"), acquisition.get("budget_spent", False)),
    )
    found = await scene.perform(read())
    assert (found == Found()) is skipped
    # The rule that decides about a batch sees it alike, should two of them be under way.
    wish = AlbumWish(album_mbid=ALBUM, artist_name=ARTIST, album_title=TITLE)
    batch = BatchRequested(user_id="ann", albums=(wish,), origin="wanted")
    expected = ("ignored", "all_asked_for_already") if skipped else ("processed", None)
    assert await folded(scene, own_delivery(batch, source=REPRISE)) == [expected]


async def test_two_that_read_at_once_ask_for_each_album_once(scene: Scene) -> None:
    wanted = misses(scene, 3)
    commands = [read(), read()]
    found = [await scene.perform(command) for command in commands]
    deliveries = [delivery for each in found for delivery in each.deliveries]
    assert await folded(scene, *deliveries, *deliveries) == [
        ("ignored", "all_asked_for_already"),
        ("processed", None),
    ]
    jobs = await scene.pool.fetch("SELECT album_mbid, batch_id, origin FROM download_jobs")
    assert sorted(job["album_mbid"] for job in jobs) == sorted(wanted)
    assert {job["origin"] for job in jobs} == {"wanted"}
    (batch,) = {job["batch_id"] for job in jobs}
    assert batch in [batch_id_for(command.event_id) for command in commands]


async def folded(scene: Scene, *deliveries: Delivery) -> list[tuple[str, str | None]]:
    """Append them one by one, have them folded, and answer what became of each event."""
    async with scene.pool.acquire() as connection:
        for delivery in deliveries:
            await append(connection, [delivery])

    async def settled() -> list[Any]:
        rows: list[Any] = await scene.pool.fetch("SELECT state, reason FROM event_status ORDER BY state")
        return [] if any(row["state"] == "waiting" for row in rows) else rows

    async with running(Drain(scene.pool, folding(lidarr=True), nothing)):
        return [tuple(row) for row in await until(settled, what="the events to be settled")]


async def test_while_lidarr_is_away_it_waits(scene: Scene) -> None:
    scene.lidarr.control(offline=True)
    with pytest.raises(PeerAway):
        await scene.perform(read())
