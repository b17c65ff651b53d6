"""The fleet's one budget of searches on Soulseek: its server bans for half an hour who searches too much.

It is kept in Postgres, so that it holds with many workers and through a wipe of Redis.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias
from uuid import UUID

from shared.postgres.pool import Pool
from shared.postgres.queries import load
from worker.clients.http import MAX_CHANGE_S
from worker.clients.slskd import SlskdClient

# What other clients of the network found to be safe: 34 searches in 220 s, and slskd runs two at once.
MOST_SEARCHES = 34
WITHIN = timedelta(seconds=220)
AT_ONCE = 2
SAME_TEXT_AFTER = timedelta(minutes=30)
# A search whose end nobody has noted (its album was cancelled, its worker vanished) is over after this long.
LONGEST_SEARCH = timedelta(minutes=3)
# A search is noted before it is sent. If nobody notes that it was sent (its worker vanished), it was sent at most this
# much later: the window must hold between sendings.
_LATE = timedelta(seconds=MAX_CHANGE_S + 3)
_KEPT = SAME_TEXT_AFTER + timedelta(minutes=10)
_AT_A_TIME = 5
_LOCK = 0x7265707269736533
_LOOK_AGAIN = timedelta(seconds=2)
_SOONEST = timedelta(milliseconds=100)

_Q = load("soulseek")


@dataclass(frozen=True, slots=True)
class Granted:
    """Search now, under this id."""

    search_id: UUID


@dataclass(frozen=True, slots=True)
class SearchedLately:
    """The same text was searched not long ago, under this id; still_running until its end is noted."""

    search_id: UUID
    still_running: bool
    again_in: timedelta


@dataclass(frozen=True, slots=True)
class Wait:
    """It isn't our turn."""

    after: timedelta


Turn: TypeAlias = Granted | SearchedLately | Wait


async def take_turn(pool: Pool, *, search_id: UUID, text: str, acquisition_id: UUID) -> Turn:
    """Take a search from the budget, or learn why not. Taking the same search_id again takes nothing more."""
    key = " ".join(text.casefold().split())
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(_Q["lock_budget"], _LOCK)
        if await connection.fetchrow(_Q["search_by_id"], search_id):
            return Granted(search_id)
        budget = await connection.fetchrow(_Q["budget"], WITHIN + _LATE, LONGEST_SEARCH, key, SAME_TEXT_AFTER)
        if budget["same"]:
            same = await connection.fetchrow(_Q["search_by_id"], budget["same"])
            running = same["ended_at"] is None and same["age"] < LONGEST_SEARCH
            return SearchedLately(same["id"], running, SAME_TEXT_AFTER - same["age"])
        if budget["used"] >= MOST_SEARCHES:
            return Wait(max(budget["next_in"], _SOONEST))
        if budget["running"] >= AT_ONCE:
            return Wait(_LOOK_AGAIN)
        await connection.execute(_Q["begin_search"], search_id, key, acquisition_id)
        return Granted(search_id)


async def note_sent(pool: Pool, search_id: UUID) -> None:
    """slskd has it: the window counts from now, which is a little after it went out."""
    await pool.execute(_Q["search_sent"], search_id)


async def give_back(pool: Pool, search_id: UUID) -> None:
    """slskd refused the search: it was never sent to the network."""
    await pool.execute(_Q["give_back_search"], search_id)


async def forget_searches(pool: Pool, slskd: SlskdClient) -> None:
    """Take searches that bound nothing any more off slskd's list, a few at a time."""
    for row in await pool.fetch(_Q["old_searches"], _KEPT, _AT_A_TIME):
        await slskd.delete_search(row["id"])
        await pool.execute(_Q["give_back_search"], row["id"])


async def note_end(pool: Pool, search_id: UUID) -> None:
    """The search has ended: another may begin."""
    await pool.execute(_Q["end_search"], search_id)
