"""Stories of one album: what its peers offer, what Lidarr's searches lead to, and what is heard of it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any

from hypothesis import strategies as st

from shared.eventlog.event import Delivery
from tests.properties.world import World
from tests.shared.acquisition.cast import Cast
from tests.shared.acquisition.lidarr_side import Brought, LidarrSide
from tests.shared.acquisition.slskd_side import Fate, SlskdSide

PEERS = ("ann", "bob", "cleo", "dan")
# What a search of Lidarr's leads to: tracks that are there then, rows of its history, what webhooks say.
AT_LIDARR: dict[str, tuple[int, tuple[str, ...], tuple[str, ...]]] = {
    "imported": (10, ("grabbed", "trackFileImported", "downloadImported"), ("grab", "download")),
    "failed": (0, ("grabbed", "downloadFailed"), ("grab", "failure")),
    "taken out of the queue": (0, ("grabbed", "downloadIgnored"), ("grab",)),
    "half imported": (5, ("grabbed", "trackFileImported", "albumImportIncomplete"), ("grab", "download", "hint")),
    "imported, and too short": (5, ("grabbed", "downloadImported"), ("grab", "download")),
}


@dataclass(frozen=True, slots=True)
class Story:
    """One album: what peers offer and what Lidarr's searches lead to, both in the order of being tried."""

    offers: tuple[Fate, ...]
    at_lidarr: tuple[str, ...]
    first: str
    fallback: bool
    attempts: int
    one_hash: bool
    batches: bool

    def settings(self) -> dict[str, Any]:
        other = "lidarr" if self.first == "soulseek" else "soulseek"
        return {
            "download_source": self.first,
            "fallback": other if self.fallback else "none",
            "album_max_attempts": self.attempts,
        }


stories = st.builds(
    Story,
    offers=st.lists(st.sampled_from(Fate), max_size=4).map(tuple),
    at_lidarr=st.lists(st.sampled_from(sorted(AT_LIDARR)), max_size=3).map(tuple),
    first=st.sampled_from(["soulseek", "lidarr"]),
    fallback=st.booleans(),
    attempts=st.integers(1, 4),
    one_hash=st.booleans(),
    batches=st.booleans(),
)


def world_of(story: Story, dice: Random | None = None) -> World:
    """The story's world before anybody has asked."""
    cast, side, numbers = Cast(), LidarrSide(), itertools.count(1)
    side.brings = {
        cast.mbid(): [
            partial(brought, cast, outcome, numbers, "HASH" if story.one_hash else f"D{number}")
            for number, outcome in enumerate(story.at_lidarr)
        ]
    }
    offers = list(zip(PEERS, story.offers, strict=False))
    side.soulseek = SlskdSide(
        {cast.mbid(): cast}, {cast.mbid(): offers}, side.files, side.rows, batches=story.batches, numbers=numbers
    )
    return World(side, dice, **story.settings())


def brought(cast: Cast, outcome: str, numbers: Iterator[int], download: str) -> Brought:
    """What a download of Lidarr's leads to, its rows of history numbered as it happens."""
    tracks, kinds, said = AT_LIDARR[outcome]
    rows = [cast.row(next(numbers), kind, download) for kind in kinds]
    words = {
        "grab": lambda: cast.grab(download),
        "download": lambda: cast.download(download, part=next(numbers)),
        "failure": lambda: cast.failure(download),
        "hint": cast.import_failure,
    }
    return Brought(tracks, rows, [words[word]() for word in said])


def disturbing(dice: Random, late: list[Delivery], *, losses: float) -> Callable[[list[Delivery]], list[Delivery]]:
    """What is heard of webhooks: some of them not at all, others up to three times, in any order, or late."""

    def hears(said: list[Delivery]) -> list[Delivery]:
        heard = []
        for one in said:
            copies = 0 if dice.random() < losses else dice.choice((1, 1, 2, 3))
            for _ in range(copies):
                (late if dice.random() < 0.2 else heard).append(one)
        dice.shuffle(heard)
        return heard

    return hears
