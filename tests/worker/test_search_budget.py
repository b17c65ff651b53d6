"""The search budget on real Postgres: never too many in a window, never three at once, never the same text twice."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from reprise.simulator import SlskdSimulator
from shared.config import Secret
from worker.clients.slskd import SlskdClient
from worker.search_budget import (
    AT_ONCE,
    MOST_SEARCHES,
    SAME_TEXT_AFTER,
    WITHIN,
    Granted,
    SearchedLately,
    Turn,
    Wait,
    forget_searches,
    give_back,
    note_end,
    take_turn,
)


async def take(pool: Any, text: str | None = None, search_id: UUID | None = None) -> Turn:
    return await take_turn(pool, search_id=search_id or uuid4(), text=text or uuid4().hex, acquisition_id=uuid4())


async def long_ago(pool: Any, by: timedelta) -> None:
    """Let time pass for every search that was begun."""
    await pool.execute("UPDATE soulseek_searches SET started_at = started_at - $1::interval", by)


async def test_two_run_at_once_whoever_asks(pool: Any) -> None:
    turns = await asyncio.gather(*(take(pool) for _ in range(20)))
    granted = [turn for turn in turns if isinstance(turn, Granted)]
    assert len(granted) == AT_ONCE
    assert all(isinstance(turn, Granted | Wait) for turn in turns)
    assert isinstance(await take(pool), Wait)
    await note_end(pool, granted[0].search_id)
    assert isinstance(await take(pool), Granted)
    assert isinstance(await take(pool), Wait)


async def test_the_window_is_never_overdrawn(pool: Any) -> None:
    for _ in range(MOST_SEARCHES):
        turn = await take(pool)
        assert isinstance(turn, Granted)
        await note_end(pool, turn.search_id)
    full = await take(pool)
    assert isinstance(full, Wait)
    assert full.after > WITHIN - timedelta(seconds=30)
    await long_ago(pool, WITHIN)
    assert isinstance(await take(pool), Wait), (
        "what is noted is sent a little later, and the window lies between sendings"
    )
    await long_ago(pool, timedelta(seconds=20))
    assert isinstance(await take(pool), Granted)


async def test_the_same_search_is_taken_once(pool: Any) -> None:
    """A worker that vanished after taking its turn: whoever goes on takes nothing more."""
    search_id = uuid4()
    assert await take(pool, "a text", search_id) == Granted(search_id)
    assert await take(pool, "a text", search_id) == Granted(search_id)
    assert await pool.fetchval("SELECT count(*) FROM soulseek_searches") == 1


async def test_the_same_text_is_not_searched_again_so_soon(pool: Any) -> None:
    first = await take(pool, "Example  Ensemble First Light")
    assert isinstance(first, Granted)
    running = await take(pool, "example ensemble first light")
    assert isinstance(running, SearchedLately)
    assert running.still_running
    await note_end(pool, first.search_id)
    lately = await take(pool, "EXAMPLE ENSEMBLE FIRST LIGHT")
    assert isinstance(lately, SearchedLately)
    assert (lately.search_id, lately.still_running) == (first.search_id, False)
    assert timedelta(minutes=29) < lately.again_in <= SAME_TEXT_AFTER
    await long_ago(pool, SAME_TEXT_AFTER)
    assert isinstance(await take(pool, "example ensemble first light"), Granted)


async def test_what_was_refused_counts_for_nothing(pool: Any) -> None:
    turn = await take(pool, "a text")
    assert isinstance(turn, Granted)
    await give_back(pool, turn.search_id)
    assert isinstance(await take(pool, "a text"), Granted)


async def test_old_searches_leave_slskds_list(pool: Any) -> None:
    simulator = SlskdSimulator(api_key="a-key-of-sixteen-characters")
    async with simulator.serve():
        slskd = SlskdClient(simulator.url, Secret("a-key-of-sixteen-characters"))
        try:
            old, new = await take(pool, "an old text"), await take(pool, "a new text")
            assert isinstance(old, Granted)
            assert isinstance(new, Granted)
            for one in (old, new):
                await slskd.start_search(one.search_id, "some text")
            await simulator.quiet()
            await pool.execute(
                "UPDATE soulseek_searches SET started_at = started_at - interval '1 hour' WHERE id = $1", old.search_id
            )
            await forget_searches(pool, slskd)
            assert set(simulator.searches.all) == {str(new.search_id)}
            assert await pool.fetchval("SELECT array_agg(id) FROM soulseek_searches") == [new.search_id]
        finally:
            await slskd.close()


async def test_a_search_whose_end_nobody_noted_is_over_some_day(pool: Any) -> None:
    await take(pool)
    await take(pool)
    await long_ago(pool, timedelta(minutes=3))
    assert isinstance(await take(pool), Granted)
