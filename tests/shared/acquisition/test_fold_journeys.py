"""The journeys of an album, told without Lidarr's API: webhooks alone decide.

What holds then in any order, doubled or not: the wish that came first is served by whatever is imported; a failed
download is failed; nothing that is over opens again; every event ends up settled, or parked for what never came.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import pytest

from shared.eventlog.event import Delivery
from tests.shared.acquisition.cast import Cast, arriving
from tests.shared.acquisition.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Journey:
    """A story: what is asked for first, what Lidarr says then in any order, and how each album ends."""

    says: Callable[[Cast], Iterable[Delivery]]
    ends: dict[int, set[str]]
    asked: tuple[int, ...] = (501,)
    downloads: tuple[str, ...] | None = None  # the states of all attempts, where every order gives the same


JOURNEYS = {
    "asked, grabbed, imported": Journey(
        lambda cast: [cast.grab("D1"), cast.download("D1")], {501: {"completed"}}, downloads=("completed",)
    ),
    "grabbed and imported without being asked": Journey(
        lambda cast: [cast.grab("D1"), cast.download("D1")],
        {501: {"completed"}},
        asked=(),
        downloads=("completed",),
    ),
    "a discography pack, of which one album is asked for": Journey(
        lambda cast: [
            cast.grab("D1", 501, 502, 503),
            *(cast.download("D1", album) for album in (501, 502, 503)),
        ],
        {501: {"completed"}, 502: {"completed"}, 503: {"completed"}},
        asked=(502,),
        downloads=("completed",) * 3,
    ),
    "a download that fails": Journey(
        lambda cast: [cast.grab("D1"), cast.failure("D1")], {501: {"pending"}}, downloads=("failed",)
    ),
    "a download that fails and nobody asked for": Journey(
        lambda cast: [cast.grab("D1"), cast.failure("D1")], {501: {"failed"}}, asked=(), downloads=("failed",)
    ),
    "a pack that fails": Journey(
        lambda cast: [cast.grab("D1", 501, 502), cast.failure("D1")],
        {501: {"pending"}, 502: {"failed"}},
        downloads=("failed", "failed"),
    ),
    "one hash that fails twice": Journey(
        lambda cast: [cast.grab("D1"), cast.failure("D1"), cast.grab("D1"), cast.failure("D1")],
        {501: {"pending"}},
        downloads=("failed",),
    ),
    "another download after a failed one": Journey(
        lambda cast: [cast.grab("D1"), cast.failure("D1"), cast.grab("D2"), cast.download("D2")],
        {501: {"completed", "failed"}},
    ),
    "two imports of one download": Journey(
        lambda cast: [cast.grab("D1"), cast.download("D1"), cast.download("D1", part=1)],
        {501: {"completed"}},
        downloads=("completed",),
    ),
    "an import by hand, without id": Journey(
        lambda cast: [cast.download(None)], {501: {"completed"}}, downloads=("completed",)
    ),
    "an import by hand that nobody waits for": Journey(lambda cast: [cast.download(None)], {}, asked=(), downloads=()),
    "an upgrade": Journey(
        lambda cast: [cast.grab("D1"), cast.download("D1"), cast.grab("D2"), cast.download("D2", upgrade=True)],
        {501: {"completed"}},
    ),
    "a blackhole, whose grab has no id": Journey(
        lambda cast: [cast.grab(None), cast.download("Folder name")], {501: {"completed", "downloading"}}
    ),
    "failures that name nothing": Journey(
        lambda cast: [cast.import_failure() for _ in range(10)], {501: {"pending"}}, downloads=()
    ),
}


@pytest.fixture
async def ledger(pool: Any) -> Ledger:
    return Ledger(pool, lidarr=False)


async def ended_well(ledger: Ledger, journey: Journey, cast: Cast) -> None:
    """Whether this copy of the journey ended as it must."""
    rows = await ledger.pool.fetch(
        """SELECT a.album_mbid, a.state, a.origin, array_agg(j.state) AS jobs FROM acquisitions AS a
        LEFT JOIN download_jobs AS j ON j.acquisition_id = a.id WHERE a.album_mbid = ANY ($1)
        GROUP BY a.id ORDER BY a.created_at, a.id""",
        [cast.mbid(album) for album in (501, 502, 503)],
    )
    found: dict[int, list[Any]] = {}
    for row in rows:
        found.setdefault(int(str(row["album_mbid"])[-3:]), []).append(row)
    assert set(found) == set(journey.ends)
    for album, states in journey.ends.items():
        assert {row["state"] for row in found[album]} <= states
        if album in journey.asked:
            first = found[album][0]
            assert first["origin"] == "asked"
            assert first["state"] == ("completed" if "completed" in states else next(iter(states)))
            assert first["jobs"] == [first["state"]]
    if journey.downloads is not None:
        attempts = await ledger.pool.fetch(
            """SELECT t.state FROM attempts AS t JOIN acquisitions AS a ON a.id = t.acquisition_id
            WHERE a.album_mbid = ANY ($1) ORDER BY 1""",
            [cast.mbid(album) for album in (501, 502, 503)],
        )
        assert tuple(row["state"] for row in attempts) == journey.downloads


@pytest.mark.parametrize("name", JOURNEYS)
async def test_as_it_usually_goes(ledger: Ledger, name: str) -> None:
    journey, cast = JOURNEYS[name], Cast()
    for album in journey.asked:
        await ledger.ask(cast.wish(album))
    await ledger.tell(*journey.says(cast))
    await ended_well(ledger, journey, cast)
    await ledger.is_sound()


@pytest.mark.parametrize("name", JOURNEYS)
@pytest.mark.parametrize("doubled", [False, True], ids=["once", "doubled"])
async def test_in_any_order(ledger: Ledger, name: str, doubled: bool) -> None:
    """Eleven copies, each shuffled in its own way, all in one log, folded in portions of random sizes."""
    journey, dice = JOURNEYS[name], random.Random(name)
    casts = [Cast(copy) for copy in range(1, 12)]
    for cast in casts:
        for album in journey.asked:
            await ledger.ask(cast.wish(album))
    for cast in casts:
        said = list(journey.says(cast))
        await ledger.post(*arriving(said * 2 if doubled else said, dice))
        if dice.random() < 0.5:
            await ledger.drain([dice.randint(1, 5) for _ in range(4)])
    await ledger.drain([dice.randint(1, 9) for _ in range(7)])
    for cast in casts:
        await ended_well(ledger, journey, cast)
    await ledger.is_sound()


async def test_all_at_once_by_several_workers(ledger: Ledger) -> None:
    """Every journey in several copies, doubled, shuffled into one log, folded by three workers in small portions."""
    dice = random.Random(7)
    told = [
        (journey, Cast(100 * copy + number)) for copy in range(4) for number, journey in enumerate(JOURNEYS.values())
    ]
    for journey, cast in told:
        for album in journey.asked:
            await ledger.ask(cast.wish(album))
    said = [one for journey, cast in told for one in journey.says(cast)]
    said = arriving(said * 2, dice)
    for start in range(0, len(said), 25):
        await ledger.post(*said[start : start + 25])

    async def work(sizes: list[int]) -> None:
        await ledger.drain(sizes)

    await asyncio.gather(*(work([dice.randint(1, 12) for _ in range(9)]) for _ in range(3)))
    await ledger.drain()
    for journey, cast in told:
        await ended_well(ledger, journey, cast)
    await ledger.is_sound()
    open_events = await ledger.pool.fetch("SELECT type, state FROM event_history WHERE state IN ('waiting', 'dead')")
    assert open_events == []
