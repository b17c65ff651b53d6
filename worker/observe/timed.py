"""What is timed: every open attempt that we drive, and what hasn't begun yet; with its watch, as Postgres keeps it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple, TypeAlias, cast
from uuid import UUID

import msgspec

from shared.acquisition.candidate import WantedFile
from shared.acquisition.findings import DeadlinePassed, Phase
from shared.acquisition.model import AttemptState
from shared.acquisition.steps import NO_SOURCE
from shared.postgres.pool import Connection, Pool
from shared.postgres.queries import load
from worker.observe.watch import WAITING, Passed, Reading, Watch, count

_Q = load("observe")

PeerName: TypeAlias = Literal["lidarr", "slskd"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """An open attempt; number 0, without a state, is an acquisition that is pending.

    reason is the acquisition's. in_line: an order of ours for it waits for its turn. end_known: the row of Lidarr's
    history that ends it is folded.
    """

    acquisition_id: UUID
    reason: str | None = None
    number: int
    state: AttemptState | None = None
    source: str = ""
    download_id: str | None = None
    lidarr_album_id: int | None = None
    grab_history_id: int | None = None
    end_known: bool = False
    searched_at: datetime | None = None
    started_at: datetime
    peer: str | None = None
    files: tuple[WantedFile, ...] = ()
    in_line: bool = False


class Cursor(NamedTuple):
    """How far a peer's history has been read, and at what time (at, by Postgres' clock) this look begins."""

    at: datetime
    observed_until: datetime | None
    observed_at: datetime | None
    silent: bool


async def cursor_of(pool: Pool, peer: PeerName) -> Cursor:
    """Where the look before left off."""
    return Cursor(*await pool.fetchrow(_Q["cursor"], peer))


async def timed_at(pool: Pool, peer: PeerName) -> tuple[Timed, ...]:
    """What this peer tells the state of. An import of files from Soulseek is Lidarr's."""
    rows = await pool.fetch(_Q["timed"], peer, NO_SOURCE)
    return tuple(_timed(row) for row in rows)


def _timed(row: Mapping[str, Any]) -> Timed:
    fields = dict(row)
    fields["state"] = AttemptState(fields["state"]) if fields["state"] else None
    fields["files"] = msgspec.convert(fields["files"] or (), tuple[WantedFile, ...])
    return Timed(**fields)


# What a look shows of one of them, given its watch before this look.
Judge: TypeAlias = Callable[[Timed, Watch | None], Reading]


async def put_on_watches(
    connection: Connection,
    timed: Sequence[Timed],
    judge: Judge,
    at: datetime,
    *,
    at_most: timedelta,
    limits: Mapping[str, float],
) -> list[tuple[Timed, Passed]]:
    """Read every watch under its lock, put the time on it, and answer which limits were reached.

    Two looks at once so never count the same time twice. Watches of what is over are thrown away.
    """
    keys = [one.acquisition_id for one in timed], [one.number for one in timed]
    before = {
        (row["acquisition_id"], row["attempt"]): msgspec.convert(dict(row), Watch)
        for row in await connection.fetch(_Q["lock_watches"], *keys)
    }
    after: list[Watch] = []
    passed: list[tuple[Timed, Passed]] = []
    for one in timed:
        watch = before.get((one.acquisition_id, one.number))
        counted, limit = count(watch, judge(one, watch), at, at_most=at_most, limits=limits)
        after.append(counted)
        if limit is not None:
            passed.append((one, limit))
    await connection.execute(
        _Q["save_watches"],
        *keys,
        [watch.phase for watch in after],
        [watch.phase_s for watch in after],
        [watch.total_s for watch in after],
        [watch.mark for watch in after],
        [watch.absent for watch in after],
        [watch.seen_at for watch in after],
    )
    await connection.execute(_Q["forget_watches"])
    return passed


def searching(one: Timed) -> Reading:
    """An attempt that searches: it waits for its turn, or its search has begun. A new search begins anew."""
    if one.searched_at is None:
        return Reading(phase=WAITING)
    return Reading(phase="no_source", mark=int(one.searched_at.timestamp() * 1000), detail="searched in vain")


def deadline(one: Timed, passed: Passed) -> DeadlinePassed:
    """The signal for a phase, or a whole attempt, that took too long."""
    return DeadlinePassed(
        acquisition_id=one.acquisition_id,
        attempt=one.number,
        phase=cast("Phase", passed.phase),
        waited_s=passed.waited_s,
        detail="under way" if passed.phase == "absolute" else passed.reading.detail[:300],
    )
