"""The journeys of an album through Soulseek, with Lidarr beside it, whatever becomes of slskd's webhooks.

What they don't tell is read from slskd's own events, and the end is the same.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest

from shared.eventlog.event import Delivery
from tests.shared.acquisition.cast import Cast
from tests.shared.acquisition.ledger import Ledger
from tests.shared.acquisition.lidarr_side import Brought, LidarrSide
from tests.shared.acquisition.slskd_side import Fate, SlskdSide

WHOLE, HALF, ANOTHER, REJECTED = Fate.WHOLE, Fate.HALF, Fate.ANOTHER, Fate.REJECTED
GRABBED_AND_IMPORTED = ("grabbed", "downloadImported")
GRABBED_AND_FAILED = ("grabbed", "downloadFailed")


@dataclass(frozen=True, slots=True)
class Journey:
    """Who offers the album, what Lidarr's searches bring (tracks, rows), and the end: its attempts, and why."""

    offers: list[tuple[str, Fate]]
    attempts: list[tuple[str, str]]
    end: str = "completed"
    why: str | None = None
    brings: list[tuple[int, tuple[str, ...]]] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)


LIDARR_FIRST = {"download_source": "lidarr", "fallback": "soulseek"}
JOURNEYS = {
    "delivered": Journey([("ann", WHOLE)], [("soulseek", "completed")]),
    "another peer after a refusal": Journey(
        [("ann", REJECTED), ("bob", WHOLE)], [("soulseek", "failed"), ("soulseek", "completed")]
    ),
    "another peer after half an album": Journey(
        [("ann", HALF), ("bob", WHOLE)], [("soulseek", "failed"), ("soulseek", "completed")]
    ),
    "another peer after another album": Journey(
        [("ann", ANOTHER), ("bob", WHOLE)], [("soulseek", "failed"), ("soulseek", "completed")]
    ),
    "nothing on Soulseek, so Lidarr": Journey(
        [], [("soulseek", "failed"), ("lidarr", "completed")], brings=[(10, GRABBED_AND_IMPORTED)]
    ),
    "nothing at Lidarr, so Soulseek": Journey(
        [("ann", WHOLE)], [("lidarr", "failed"), ("soulseek", "completed")], settings=LIDARR_FIRST
    ),
    "failed at Lidarr, so Soulseek": Journey(
        [("ann", WHOLE)],
        [("lidarr", "failed"), ("lidarr", "failed"), ("soulseek", "completed")],
        brings=[(0, GRABBED_AND_FAILED), (0, ("grabbed", "downloadIgnored"))],
        settings=LIDARR_FIRST,
    ),
    "nothing anywhere": Journey([], [("soulseek", "failed"), ("lidarr", "failed")], "failed", "nothing_found"),
    "a crowd that delivers nothing but rubbish": Journey(
        [(f"peer {number}", (REJECTED, HALF, ANOTHER)[number % 3]) for number in range(9)],
        [("soulseek", "failed")] * 3,
        "failed",
        "attempts_spent",
        settings={"fallback": "none"},
    ),
    "more than the budget pays for": Journey(
        [("ann", REJECTED), ("bob", HALF), ("cleo", WHOLE)],
        [("soulseek", "failed")] * 2,
        "failed",
        "bytes_spent",
        settings={"fallback": "none", "album_max_bytes": 40 * 1024**2},
    ),
}


GROUPS = {
    "Soulseek first": {},
    "Lidarr first": LIDARR_FIRST,
    "Soulseek alone": {"fallback": "none"},
    "40 MiB": {"fallback": "none", "album_max_bytes": 40 * 1024**2},
}


def begun(pool: Any, told: list[tuple[Journey, Cast]], *, batches: bool = True) -> tuple[Ledger, LidarrSide]:
    """The stage for these journeys, which share their settings."""
    settings = {"download_source": "soulseek", "fallback": "lidarr", **told[0][0].settings}
    ledger, side = Ledger(pool, lidarr=True, slskd=True, **settings), LidarrSide()
    side.brings = {
        cast.mbid(): [
            partial(
                Brought,
                tracks,
                [cast.row(10 * number + place, kind, f"D{number}") for place, kind in enumerate(rows, 1)],
            )
            for number, (tracks, rows) in enumerate(journey.brings, 1)
        ]
        for journey, cast in told
    }
    side.soulseek = SlskdSide(
        {cast.mbid(): cast for _, cast in told},
        {cast.mbid(): list(journey.offers) for journey, cast in told},
        side.files,
        side.rows,
        batches=batches,
    )
    return ledger, side


async def ended_well(ledger: Ledger, journey: Journey, cast: Cast) -> None:
    row = await ledger.pool.fetchrow("SELECT * FROM acquisitions WHERE album_mbid = $1", cast.mbid())
    attempts = await ledger.pool.fetch(
        "SELECT source, state FROM attempts WHERE acquisition_id = $1 ORDER BY number", row["id"]
    )
    assert [tuple(one) for one in attempts] == journey.attempts
    assert row["state"] == journey.end
    assert (row["reason"] or "").startswith(journey.why or "")
    assert row["budget_spent"] == ("spent" in (journey.why or ""))


@pytest.mark.parametrize("name", JOURNEYS)
async def test_as_it_usually_goes(pool: Any, name: str) -> None:
    journey, cast = JOURNEYS[name], Cast()
    ledger, side = begun(pool, [(journey, cast)])
    await ledger.ask(cast.wish())
    await side.serve(ledger)
    await ended_well(ledger, journey, cast)
    assert await ledger.pool.fetch("SELECT type, state FROM unprocessed_events") == []
    await ledger.is_sound()


@pytest.mark.parametrize("webhooks", ["lost", "some lost", "doubled", "late", "without batches"])
@pytest.mark.parametrize("group", GROUPS)
async def test_whatever_becomes_of_the_webhooks(pool: Any, group: str, webhooks: str) -> None:
    """Three copies of each journey at once, from the same peers, in portions of random sizes, the commands shuffled."""
    dice = random.Random(f"{group} {webhooks}")
    journeys = [journey for journey in JOURNEYS.values() if journey.settings == GROUPS[group]]
    told = [(journey, Cast(10 * copy + number)) for copy in range(3) for number, journey in enumerate(journeys, 1)]
    ledger, side = begun(pool, told, batches=webhooks != "without batches")
    late: list[Delivery] = []
    side.hears = becoming(webhooks, dice, late, side.rows)
    for _, cast in told:
        await ledger.ask(cast.wish())
    sizes = [dice.randint(1, 9) for _ in range(7)]
    await side.serve(ledger, sizes=sizes, dice=dice)
    await ledger.post(*late)
    await side.serve(ledger, sizes=sizes, dice=dice)
    for journey, cast in told:
        await ended_well(ledger, journey, cast)
    assert await ledger.pool.fetch("SELECT type, state FROM unprocessed_events") == []
    await ledger.is_sound()


def becoming(
    webhooks: str, dice: random.Random, late: list[Delivery], rows: list[Delivery]
) -> Callable[[list[Delivery]], list[Delivery]]:
    """What is heard of slskd's webhooks; rows of Lidarr's history are read now and then, the same ones again, too."""

    def becomes(said: list[Delivery]) -> list[Delivery]:
        heard = list(said)
        if webhooks == "lost":
            heard = []
        elif webhooks == "some lost":
            heard = [one for one in said if dice.random() < 0.5]
        elif webhooks == "late":
            late.extend(said)
            heard = []
        elif webhooks == "doubled":
            heard *= 2
        heard += rows if dice.random() < 0.5 else []
        dice.shuffle(heard)
        return heard

    return becomes
