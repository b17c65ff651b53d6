"""The journeys with Lidarr's API: whatever became of the webhooks, one look at Lidarr's history sets all right.

Webhooks come in any order, doubled or not at all, and still each story has one end. What a webhook hints at is
never more than a reason to look.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest

from shared.eventlog.event import Delivery
from tests.shared.acquisition.cast import Cast, arriving
from tests.shared.acquisition.ledger import Ledger
from tests.shared.acquisition.lidarr_side import LidarrSide


@dataclass(frozen=True, slots=True)
class Journey:
    """What is asked for, what Lidarr says and has written down, how many of ten tracks are there, and the ends."""

    says: Callable[[Cast], Iterable[Delivery]]
    wrote: Callable[[Cast], Iterable[Delivery]]
    ends: dict[int, str]
    attempts: tuple[tuple[str, str | None], ...]  # (state, download) of each, sorted
    asked: tuple[int, ...] = (501,)
    files: dict[int, int] = field(default_factory=dict)
    finds: int = 1  # searches that find something; later ones find nothing


JOURNEYS = {
    "asked, grabbed, imported": Journey(
        lambda cast: [cast.grab("D1"), cast.download("D1")],
        lambda cast: [cast.row(1, "grabbed"), cast.row(2, "downloadImported")],
        {501: "completed"},
        (("completed", "D1"),),
        files={501: 10},
    ),
    "grabbed and imported without being asked": Journey(
        lambda cast: [cast.grab("D1"), cast.download("D1")],
        lambda cast: [cast.row(1, "grabbed"), cast.row(2, "downloadImported")],
        {501: "completed"},
        (("completed", "D1"),),
        asked=(),
        files={501: 10},
    ),
    "a discography pack, of which one album is asked for": Journey(
        lambda cast: [cast.grab("D1", 501, 502), cast.download("D1", 501), cast.download("D1", 502)],
        lambda cast: [
            cast.row(1, "grabbed"),
            cast.row(2, "grabbed", album=502),
            cast.row(3, "downloadImported"),
            cast.row(4, "downloadImported", album=502),
        ],
        {501: "completed", 502: "completed"},
        (("completed", "D1"), ("completed", "D1")),
        files={501: 10, 502: 10},
    ),
    "a download that fails, and nothing else is found": Journey(
        lambda cast: [cast.grab("D1"), cast.failure("D1")],
        lambda cast: [cast.row(1, "grabbed"), cast.row(2, "downloadFailed")],
        {501: "failed"},
        (("failed", "D1"), ("failed", None)),
    ),
    "a watched download that fails": Journey(
        lambda cast: [cast.grab("D1"), cast.failure("D1")],
        lambda cast: [cast.row(1, "grabbed"), cast.row(2, "downloadFailed")],
        {501: "failed"},
        (("failed", "D1"),),
        asked=(),
    ),
    "a download that a person takes out of the queue": Journey(
        lambda cast: [cast.grab("D1")],
        lambda cast: [cast.row(1, "grabbed"), cast.row(2, "downloadIgnored")],
        {501: "failed"},
        (("failed", "D1"), ("failed", None)),
    ),
    "a part of the album is all that comes in": Journey(
        lambda cast: [cast.grab("D1"), cast.download("D1"), cast.import_failure()],
        lambda cast: [cast.row(1, "grabbed"), cast.row(2, "trackFileImported"), cast.row(3, "albumImportIncomplete")],
        {501: "failed"},
        (("failed", "D1"), ("failed", None)),
        files={501: 3},
    ),
    "a release with too few tracks comes in whole": Journey(
        lambda cast: [cast.grab("D1"), cast.download("D1")],
        lambda cast: [cast.row(1, "grabbed"), cast.row(2, "downloadImported")],
        {501: "failed"},
        (("failed", "D1"), ("failed", None)),
        files={501: 3},
    ),
    "one hash that fails twice": Journey(
        lambda cast: [cast.grab("D1"), cast.failure("D1"), cast.grab("D1"), cast.failure("D1")],
        lambda cast: [
            cast.row(1, "grabbed"),
            cast.row(2, "downloadFailed"),
            cast.row(3, "grabbed"),
            cast.row(4, "downloadFailed"),
        ],
        {501: "failed"},
        (("failed", "D1"), ("failed", "D1"), ("failed", None)),
    ),
    "one hash that fails and comes in the second time": Journey(
        lambda cast: [cast.grab("D1"), cast.failure("D1"), cast.grab("D1"), cast.download("D1")],
        lambda cast: [
            cast.row(1, "grabbed"),
            cast.row(2, "downloadFailed"),
            cast.row(3, "grabbed"),
            cast.row(4, "downloadImported"),
        ],
        {501: "completed"},
        (("completed", "D1"), ("failed", "D1")),
        files={501: 10},
        finds=2,
    ),
    "files that a person put there": Journey(
        lambda cast: [cast.download(None)],
        lambda cast: [cast.row(1, "downloadImported", None)],
        {501: "completed"},
        (),
        files={501: 10},
        finds=0,
    ),
}


async def ended_well(ledger: Ledger, journey: Journey, cast: Cast, *, attempts: bool = True) -> None:
    albums = [cast.mbid(album) for album in (501, 502, 503)]
    rows = await ledger.pool.fetch("SELECT album_mbid, state FROM acquisitions WHERE album_mbid = ANY ($1)", albums)
    assert {int(str(row["album_mbid"])[-3:]): row["state"] for row in rows} == journey.ends
    assert len(rows) == len(journey.ends)
    if not attempts:
        return
    tried = await ledger.pool.fetch(
        """SELECT t.state, t.download_id FROM attempts AS t JOIN acquisitions AS a ON a.id = t.acquisition_id
        WHERE a.album_mbid = ANY ($1)""",
        albums,
    )
    found = sorted((row["state"], (row["download_id"] or "").split("-")[0]) for row in tried)
    assert found == sorted((state, download or "") for state, download in journey.attempts)


async def begun(pool: Any, journey: Journey, casts: list[Cast]) -> tuple[Ledger, LidarrSide]:
    """Albums asked for, known to Lidarr and searched."""
    ledger, side = Ledger(pool, lidarr=True), LidarrSide()
    for cast in casts:
        for album in journey.asked:
            await ledger.ask(cast.wish(album))
            side.finds[cast.mbid(album)] = [1] * journey.finds
    if journey.finds:
        await side.serve(ledger)
    return ledger, side


@pytest.mark.parametrize("name", JOURNEYS)
async def test_as_it_usually_goes(pool: Any, name: str) -> None:
    journey, cast = JOURNEYS[name], Cast()
    ledger, side = await begun(pool, journey, [cast])
    side.files = {cast.mbid(album): files for album, files in journey.files.items()}
    side.rows = list(journey.wrote(cast))
    for said in journey.says(cast):
        await ledger.post(said)
        await side.serve(ledger)
    await ledger.post(*side.rows)
    await side.serve(ledger)
    await ended_well(ledger, journey, cast)
    await ledger.is_sound()


@pytest.mark.parametrize("webhooks", ["lost", "some lost", "doubled", "late"])
@pytest.mark.parametrize("name", JOURNEYS)
async def test_whatever_becomes_of_the_webhooks(pool: Any, name: str, webhooks: str) -> None:
    """Seven copies, each shuffled in its own way, all in one log, folded in portions of random sizes."""
    journey, dice = JOURNEYS[name], random.Random(f"{name} {webhooks}")
    casts = [Cast(copy) for copy in range(1, 8)]
    ledger, side = await begun(pool, journey, casts)
    late: list[Delivery] = []
    for cast in casts:
        side.files.update({cast.mbid(album): files for album, files in journey.files.items()})
        said = list(journey.says(cast))
        if webhooks == "lost":
            said = []
        elif webhooks == "some lost":
            said = [one for one in said if dice.random() < 0.5]
        elif webhooks == "doubled":
            said *= 2
        else:
            late, said = late + said, []
        await ledger.post(*arriving(said, dice))
    sizes = [dice.randint(1, 9) for _ in range(7)]
    await ledger.drain(sizes)
    side.rows = [row for cast in casts for row in journey.wrote(cast)]
    await ledger.post(*side.rows)
    await side.serve(ledger, sizes=sizes, dice=dice)
    await ledger.post(*arriving(late, dice))
    await side.serve(ledger, sizes=sizes, dice=dice)
    for cast in casts:
        await ended_well(ledger, journey, cast)
    await ledger.is_sound()
    assert await ledger.pool.fetch("SELECT type, state, waits_for FROM unprocessed_events") == []


@pytest.mark.parametrize("name", JOURNEYS)
async def test_one_look_shared_by_two_workers(pool: Any, name: str) -> None:
    """A look appends its rows grabs first; but the worker that takes the second part may well be the faster one."""
    journey, dice = JOURNEYS[name], random.Random(name)
    casts = [Cast(copy) for copy in range(1, 8)]
    ledger, side = await begun(pool, journey, casts)
    faster: list[Delivery] = []
    slower: list[Delivery] = []
    for cast in casts:
        side.files.update({cast.mbid(album): files for album, files in journey.files.items()})
        rows = sorted(journey.wrote(cast), key=lambda row: row.type != "HistoryGrabbed")
        cut = dice.randint(0, len(rows))
        faster, slower = [*faster, *rows[cut:]], [*slower, *rows[:cut]]
    await ledger.post(*faster)
    await ledger.drain([dice.randint(1, 5) for _ in range(7)])
    await ledger.post(*slower)
    await side.serve(ledger, sizes=[dice.randint(1, 5) for _ in range(7)], dice=dice)
    for cast in casts:
        await ended_well(ledger, journey, cast, attempts=False)
    await ledger.is_sound()
