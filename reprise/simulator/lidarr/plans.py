"""What is going to happen to each album when a simulated Lidarr searches for it."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Outcome(StrEnum):
    """How one attempt at an album goes."""

    IMPORT = "import"
    FAIL = "fail"
    PARTIAL = "partial"  # some tracks imported, some refused: Download, then ImportFailure
    SHORT = "short"  # the release held too few tracks: a Download that doesn't make the album complete
    UPGRADE = "upgrade"  # grabbed although the album is complete; replaces its files
    BLOCKED = "blocked"  # import waits for a person; no webhook at all
    STALL = "stall"  # stays in the queue for ever
    VANISH = "vanish"  # somebody removed it in the download client; no webhook, no history
    NOTHING_FOUND = "nothing_found"


class Attempt(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One attempt in full; `pack` names further albums (MBIDs) that come in the same download."""

    outcome: Outcome = Outcome.IMPORT
    pack: list[str] = []


class Plan(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Knob `plan`: the attempts at one album, in turn; the last repeats for ever.

    `tracks` is how many come with `partial` and `short`; `releases` how many an indexer offers.
    """

    album_mbid: str
    attempts: list[Outcome | Attempt] = []
    client: str = "SABnzbd"
    quality: str = "FLAC"
    reason: str = "Unpack failed, archive is damaged"
    same_download_id: bool = False
    tracks: int | None = None
    size: int | None = None
    releases: int = 2


class Plans:
    """Plans by album MBID; an album without one is found and imported, unless `default` says otherwise."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.default = Outcome.IMPORT
        self._plans: dict[str, Plan] = {}
        self._used: dict[str, int] = {}

    def set(self, plan: Plan) -> None:
        self._plans[plan.album_mbid] = plan
        self._used.pop(plan.album_mbid, None)

    def of(self, mbid: str) -> Plan:
        return self._plans.get(mbid) or Plan(album_mbid=mbid)

    def used(self, mbid: str) -> int:
        """Attempts taken so far."""
        return self._used.get(mbid, 0)

    def peek(self, mbid: str) -> Attempt:
        attempts = self.of(mbid).attempts or [self.default]
        chosen = attempts[min(self.used(mbid), len(attempts) - 1)]
        return chosen if isinstance(chosen, Attempt) else Attempt(outcome=chosen)

    def take(self, mbid: str) -> Attempt:
        attempt = self.peek(mbid)
        self.spend(mbid)
        return attempt

    def spend(self, mbid: str) -> None:
        """Count an attempt."""
        self._used[mbid] = self.used(mbid) + 1
