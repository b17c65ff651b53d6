"""An event that breaks whatever folds it is dead by itself; the others of its batch go on and spend nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from shared.acquisition.signals import AlbumRef, Grabbed, Unheeded
from shared.errors import GiveUp, StepAside
from shared.eventlog.event import Event
from tests.harness.waiting import until
from tests.worker.workshop import POISON, drain, due_now, log_events, poisoned, running, status_of
from worker.drain import MAX_ATTEMPTS

HARMLESS = ["Test"] * 6


def breaks_a_rule(event: Event) -> object:
    raise ZeroDivisionError("a rule that can't count")


def breaks_a_query(event: Event) -> object:
    album = AlbumRef(uuid4(), "a title\x00that Postgres can't keep", 1)
    return (Grabbed(album=album, download_id="x", at=datetime.now(UTC)),)


def breaks_a_query_unencoded(event: Event) -> object:
    return (Grabbed(album=AlbumRef(uuid4(), "half a \ud83d sign", 1), download_id="x", at=datetime.now(UTC)),)


def says_what_postgres_refuses(event: Event) -> object:
    raise ValueError("the report of this \x00 can't be written, nor \ud800 encoded")


def runs_without_end(event: Event) -> object:
    return runs_without_end(event)


def has_no_memory(event: Event) -> object:
    raise MemoryError


POISONS = [
    (breaks_a_rule, "ZeroDivisionError"),
    (breaks_a_query, "CharacterNotInRepertoireError"),
    (breaks_a_query_unencoded, "surrogates not allowed"),
    (says_what_postgres_refuses, "ValueError"),
    (runs_without_end, "RecursionError"),
    (has_no_memory, "MemoryError"),
]


@pytest.mark.parametrize(("poison", "cause"), POISONS, ids=[poison.__name__ for poison, _ in POISONS])
async def test_it_dead_letters_alone(pool: Any, poison: Any, cause: str) -> None:
    ids = await log_events(pool, *HARMLESS[:3], POISON, *HARMLESS[3:])
    sick = drain(pool, poisoned(poison))
    for _ in range(MAX_ATTEMPTS):
        await due_now(pool)
        await sick.drain()
    dead = await status_of(pool, ids[3])
    assert (dead["state"], dead["attempts"]) == ("dead", MAX_ATTEMPTS)
    assert cause in dead["reason"]
    assert "Traceback" in dead["last_error"]
    assert cause in dead["last_error"]
    for one in ids[:3] + ids[4:]:
        other = await status_of(pool, one)
        assert (other["state"], other["attempts"], other["last_error"]) == ("ignored", 0, None)
    assert not await pool.fetchval("SELECT count(*) FROM fold_runs")
    assert await pool.fetchval("SELECT count(*) FROM dead_letters") == 1


@pytest.mark.parametrize("poison", [poison for poison, _ in POISONS])
async def test_a_running_drain_survives_it(pool: Any, poison: Any) -> None:
    (sick,) = await log_events(pool, POISON)
    one = drain(pool, poisoned(poison))
    async with running(one) as task:

        async def tried() -> bool:
            return bool((await status_of(pool, sick))["attempts"])

        await until(tried, what="the poison to be folded")
        (after,) = await log_events(pool, "Test")
        one.wake()

        async def settled() -> bool:
            return bool((await status_of(pool, after))["state"] == "ignored")

        await until(settled, what="an event after the poison to be folded")
        assert not task.done()


async def test_a_retry_after_an_upgrade_processes_it(pool: Any) -> None:
    def hopeless(event: Event) -> object:
        raise GiveUp("this release can't read it")

    (sick,) = await log_events(pool, POISON)
    await drain(pool, poisoned(hopeless)).drain()
    dead = await status_of(pool, sick)
    assert (dead["state"], dead["reason"], dead["attempts"]) == ("dead", "this release can't read it", 1)
    await pool.execute(
        "UPDATE event_status SET state = 'waiting', attempts = 0, alone = true, reason = NULL, settled_at = NULL,"
        " due_at = now() WHERE event_id = $1",
        sick,
    )
    await drain(pool, poisoned(lambda event: Unheeded("read by the new release"))).drain()
    healed = await status_of(pool, sick)
    assert (healed["state"], healed["reason"]) == ("ignored", "read by the new release")


async def test_stepping_aside_spends_nothing(pool: Any) -> None:
    def busy(event: Event) -> object:
        raise StepAside("not now")

    (event,) = await log_events(pool, POISON)
    for _ in range(MAX_ATTEMPTS + 2):
        await due_now(pool)
        await drain(pool, poisoned(busy)).drain()
    row = await status_of(pool, event)
    assert (row["state"], row["attempts"]) == ("waiting", 0)
    assert "not now" in row["last_error"]


async def test_two_poisons_in_one_batch(pool: Any) -> None:
    ids = await log_events(pool, POISON, "Test", POISON, "Test")
    sick = drain(pool, poisoned(breaks_a_rule))
    await sick.drain()
    states = [(await status_of(pool, one))["state"] for one in ids]
    assert states == ["waiting", "ignored", "waiting", "ignored"]
    assert [(await status_of(pool, one))["attempts"] for one in ids] == [1, 0, 1, 0]


async def test_a_statement_without_end_harms_only_its_event(pool: Any, database: str) -> None:
    impatient = await asyncpg.create_pool(database, min_size=1, max_size=4, command_timeout=0.2)
    # As a plan gone wrong would: the fold of this one event takes longer than any statement may.
    ids = await log_events(pool, "Test", POISON, "Test")
    one = drain(impatient)
    fold = one._folding.fold

    class Slow:
        async def fold(self, connection: Any, events: Any) -> Any:
            if any(event.type == POISON for event in events):
                await connection.execute("SELECT pg_sleep(10)")
            return await fold(connection, events)

    one._folding = Slow()  # type: ignore[assignment]
    async with impatient, running(one):

        async def others() -> bool:
            return all([(await status_of(pool, ids[n]))["state"] == "ignored" for n in (0, 2)])

        await until(others, what="the others to be settled")

        async def spent() -> bool:
            return bool((await status_of(pool, ids[1]))["attempts"])

        await until(spent, what="the slow one to pay for itself")
    row = await status_of(pool, ids[1])
    assert "TimeoutError" in row["last_error"]


async def test_a_flood_of_poison_does_not_keep_the_rest_waiting(pool: Any) -> None:
    ids = await log_events(pool, *([POISON] * 60), "Test")
    async with running(drain(pool, poisoned(breaks_a_rule))):

        async def settled() -> bool:
            return bool((await status_of(pool, ids[-1]))["state"] == "ignored")

        await until(settled, what="the last one to be settled")
    assert (await status_of(pool, ids[-1]))["attempts"] == 0
