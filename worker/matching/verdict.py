"""What can be found of a folder: that it is the album and how sure that is, or why it isn't."""

from __future__ import annotations

from enum import IntEnum

import msgspec

from worker.matching.fitting import Heard


class Sureness(IntEnum):
    """How sure it is that it's the album."""

    PLAUSIBLE = 1
    LIKELY = 2
    SURE = 3


class Found(msgspec.Struct, frozen=True):
    """It is the album. `heard` are the files that make it up, `lengths_s` what their tracks should last, if known.

    `flaws` counts what a person would rather not have, from 0 to MOST_FLAWS.
    """

    sureness: Sureness
    flaws: int
    heard: tuple[Heard, ...]
    lengths_s: tuple[float | None, ...]
    release_id: int | None
    reasons: tuple[str, ...]


class NotIt(msgspec.Struct, frozen=True):
    """It isn't, or can't be had whole. `kind` is for counting; the nearer (0 to 1), the more it is worth telling."""

    kind: str
    reason: str
    nearness: float = 0.0


MOST_FLAWS = 10
