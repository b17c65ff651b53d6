"""Commands: one at a time for an acquisition, settled with what they found, and never lost to an error."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.acquisition.commands import CheckAlbum, EnsureAlbum, ObservePeer, RollUpBatch
from shared.acquisition.findings import AlbumChecked, CommandFailed
from shared.acquisition.signals import ImportFailureHinted, decode
from shared.errors import GiveUp, NotFound, StepAside, TryLater, Unavailable
from shared.eventlog.event import Delivery
from shared.eventlog.identity import uuid7
from shared.redis import RedisLink
from tests.harness.waiting import until
from tests.shared.eventlog.deliveries import delivery
from tests.worker.workshop import an_acquisition, command_of, due_now, executor, nothing, order, running
from worker.effects import EFFECTS
from worker.effects.effect import Found, Tools
from worker.execute import MAX_ATTEMPTS, Executor
from worker.lease import Claimed, claim
from worker.sweep import Sweep

Effect = Callable[[Any, Claimed, Tools], Awaitable[Found]]
SetEffect = Callable[[Effect], None]


@pytest.fixture
def effect(monkeypatch: pytest.MonkeyPatch) -> SetEffect:
    """Sets what CheckAlbum does; its own effect comes back after the test."""

    def put(one: Effect) -> None:
        monkeypatch.setitem(EFFECTS, CheckAlbum, one)  # type: ignore[arg-type]

    return put


def raising(error: BaseException) -> Effect:
    async def perform(command: Any, claimed: Claimed, tools: Tools) -> Found:
        raise error

    return perform


def check(acquisition: UUID) -> CheckAlbum:
    return CheckAlbum(acquisition_id=acquisition, album_mbid=uuid4())


async def ended(pool: Any, command_id: UUID, *states: str) -> Any:
    """Wait until the command is in one of these states; its row."""

    async def look() -> Any:
        row = await command_of(pool, command_id)
        return row if row["state"] in states else None

    return await until(look, what=f"the command to be {states}")


async def once(pool: Any, one: Executor, command_id: UUID) -> Any:
    """Run the executor until the command has been settled once, and stop it."""
    before = (await command_of(pool, command_id))["fence"]
    async with running(one):

        async def settled() -> Any:
            row = await command_of(pool, command_id)
            return row if row["fence"] > before and row["state"] != "running" else None

        return await until(settled, what="one attempt")


async def test_what_was_found_is_appended_with_the_end(pool: Any, link: RedisLink, effect: SetEffect) -> None:
    acquisition = await an_acquisition(pool)

    async def perform(command: Any, claimed: Claimed, tools: Tools) -> Found:
        return Found((AlbumChecked(acquisition_id=acquisition, track_file_count=1, track_count=2),))

    effect(perform)
    number = await order(pool, check(acquisition))
    row = await once(pool, executor(pool, link), number)
    assert (row["state"], row["attempts"], row["lease_until"]) == ("done", 0, None)
    (event,) = await pool.fetch("SELECT * FROM events")
    assert (event["source"], event["type"], event["correlation_id"]) == ("reprise", "AlbumChecked", str(acquisition))


@pytest.mark.parametrize(
    ("error", "state", "attempts", "says"),
    [
        (StepAside("the peer is away", timedelta(hours=1)), "waiting", 0, "the peer is away"),
        (Unavailable("no lock can be had"), "waiting", 0, "no lock"),
        (ConnectionResetError("Postgres is away"), "waiting", 0, "Postgres is away"),
        (TryLater("not yet", timedelta(hours=1)), "waiting", 1, "not yet"),
        (NotFound("no such thing"), "waiting", 1, "Traceback"),
        (ZeroDivisionError("a bug"), "waiting", 1, "Traceback"),
        (ValueError("what the peer said: \x00 \ud800"), "waiting", 1, "what the peer said"),
        (GiveUp("it never will \x00 \ud800"), "dead", 1, "it never will"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
async def test_one_match_decides_what_an_error_means(
    pool: Any, link: RedisLink, effect: SetEffect, error: Exception, state: str, attempts: int, says: str
) -> None:
    effect(raising(error))
    number = await order(pool, check(await an_acquisition(pool)))
    row = await once(pool, executor(pool, link), number)
    assert (row["state"], row["attempts"]) == (state, attempts)
    assert says in row["last_error"]
    assert await pool.fetchval("SELECT count(*) FROM events") == (state == "dead")


async def test_dead_after_the_last_attempt_tells_its_acquisition(pool: Any, link: RedisLink, effect: SetEffect) -> None:
    effect(raising(TryLater("never again", timedelta(0))))
    acquisition = await an_acquisition(pool)
    number = await order(pool, check(acquisition))
    async with running(executor(pool, link)):
        row = await ended(pool, number, "dead")
    assert row["attempts"] == MAX_ATTEMPTS
    (event,) = await pool.fetch("SELECT * FROM events")
    failed = decode(event["body"])
    assert isinstance(failed, CommandFailed)
    assert (failed.acquisition_id, failed.command) == (acquisition, "CheckAlbum")
    assert failed.reason == f"failed {MAX_ATTEMPTS} times: never again"


@pytest.mark.parametrize(
    "found",
    [
        Found((ImportFailureHinted(),), (delivery(correlation_id="a \x00 that no column takes"),)),
        Found((AlbumChecked(acquisition_id=uuid4(), track_file_count=2**80, track_count=1),), (delivery(type="\x00"),)),
        Found((), (Delivery(uuid7(), "lidarr", "x", b"", None),)),  # type: ignore[arg-type]
    ],
)
async def test_a_find_that_cannot_be_kept_is_an_error_of_its_command(
    pool: Any, link: RedisLink, effect: SetEffect, found: Found
) -> None:
    async def perform(command: Any, claimed: Claimed, tools: Tools) -> Found:
        return found

    effect(perform)
    number = await order(pool, check(await an_acquisition(pool)), attempts=MAX_ATTEMPTS - 2)
    one = executor(pool, link)
    row = await once(pool, one, number)
    assert (row["state"], row["attempts"]) == ("waiting", MAX_ATTEMPTS - 1)
    assert "Traceback" in row["last_error"]
    assert not await pool.fetchval("SELECT count(*) FROM events")
    await due_now(pool)
    row = await once(pool, executor(pool, link), number)
    assert row["state"] == "dead"
    assert await pool.fetchval("SELECT type FROM events") == "CommandFailed"


async def test_bookkeeping_that_fails_undoes_the_find(pool: Any, link: RedisLink, effect: SetEffect) -> None:
    async def also(connection: Any) -> None:
        raise RuntimeError("the cursor can't be moved")

    async def perform(command: Any, claimed: Claimed, tools: Tools) -> Found:
        return Found((ImportFailureHinted(),), also=also)

    effect(perform)
    number = await order(pool, check(await an_acquisition(pool)))
    row = await once(pool, executor(pool, link), number)
    assert (row["state"], row["attempts"]) == ("waiting", 1)
    assert not await pool.fetchval("SELECT count(*) FROM events")


async def test_one_command_at_a_time_for_an_acquisition(pool: Any, link: RedisLink, effect: SetEffect) -> None:
    active: dict[UUID, int] = {}
    most: dict[UUID, int] = {}
    together = 0

    async def perform(command: Any, claimed: Claimed, tools: Tools) -> Found:
        nonlocal together
        one = command.acquisition_id
        active[one] = active.get(one, 0) + 1
        most[one] = max(most.get(one, 0), active[one])
        together = max(together, sum(active.values()))
        await asyncio.sleep(0)
        await tools.pool.fetchval("SELECT 1")
        active[one] -= 1
        return Found()

    effect(perform)
    acquisitions = [await an_acquisition(pool) for _ in range(3)]
    for acquisition in acquisitions * 6:
        await pool.execute(
            "INSERT INTO commands (id, kind, acquisition_id, args, due_at, created_at)"
            " VALUES ($1, 'CheckAlbum', $2, $3, now(), now())",
            *(uuid4(), acquisition, check(acquisition)),
        )
    async with running(executor(pool, link)), running(executor(pool, link)), running(executor(pool, link)):

        async def done() -> bool:
            return not await pool.fetchval("SELECT count(*) FROM commands WHERE state <> 'done'")

        await until(done, what="all commands to be done")
    assert most == dict.fromkeys(acquisitions, 1)
    assert together > 1


async def test_many_claim_at_once_and_none_gets_the_same(pool: Any) -> None:
    acquisitions = [await an_acquisition(pool) for _ in range(5)]
    for acquisition in acquisitions * 4:
        await pool.execute(
            "INSERT INTO commands (id, kind, acquisition_id, args, due_at, created_at)"
            " VALUES ($1, 'CheckAlbum', $2, $3, now(), now())",
            *(uuid4(), acquisition, check(acquisition)),
        )
    claimed = [one for one in await asyncio.gather(*(claim(pool) for _ in range(40))) if one]
    assert len({one.id for one in claimed}) == len(claimed) == 5
    assert {one.acquisition_id for one in claimed} == set(acquisitions)
    assert await pool.fetchval("SELECT count(*) FROM commands WHERE state = 'running'") == 5


async def test_what_a_newer_release_ordered_is_left_to_it(pool: Any, link: RedisLink, effect: SetEffect) -> None:
    """During an upgrade, and after it was taken back."""
    effect(raising(GiveUp("done with it")))
    await pool.execute(
        "INSERT INTO commands (id, kind, args, due_at, created_at) VALUES"
        " (gen_random_uuid(), 'TransposeAlbum', $1, now(), now()), (gen_random_uuid(), 'CheckAlbum', $2, now(), now())",
        *({"kind": "TransposeAlbum", "key": "d"}, {"kind": "CheckAlbum"}),
    )
    number = await order(pool, check(await an_acquisition(pool)))
    async with running(executor(pool, link)) as task:
        await ended(pool, number, "dead")
        assert not task.done()
    found = {row["kind"]: row for row in await pool.fetch("SELECT * FROM commands WHERE id <> $1", number)}
    assert (found["TransposeAlbum"]["state"], found["TransposeAlbum"]["fence"]) == ("waiting", 0)
    assert found["CheckAlbum"]["state"] == "dead"
    assert "acquisition_id" in found["CheckAlbum"]["reason"]


async def test_neither_keeps_the_sweep_from_rescuing_others(pool: Any) -> None:
    await pool.execute(
        "INSERT INTO commands (id, kind, args, state, lease_until, due_at, created_at) VALUES"
        " (gen_random_uuid(), 'TransposeAlbum', '{}', 'running', now() - interval '1 h', now(), now()),"
        " (gen_random_uuid(), 'CheckAlbum', '{}', 'running', now() - interval '1 h', now(), now())"
    )
    number = await order(pool, ObservePeer(peer="lidarr"))
    await pool.execute(
        "UPDATE commands SET state = 'running', lease_until = now() - interval '1 s' WHERE id = $1", number
    )
    await Sweep(pool, nothing, settings=lambda: None, lidarr=False).rescue()  # type: ignore[arg-type, return-value]
    assert (await command_of(pool, number))["state"] == "waiting"
    states = dict(await pool.fetch("SELECT kind, state FROM commands WHERE id <> $1", number))
    assert states == {"TransposeAlbum": "running", "CheckAlbum": "dead"}


async def test_what_waits_for_a_running_one_is_not_looked_for_all_the_time(
    pool: Any, link: RedisLink, effect: SetEffect
) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def perform(command: Any, claimed: Claimed, tools: Tools) -> Found:
        begun.set()
        await go_on.wait()
        return Found()

    effect(perform)
    acquisition = await an_acquisition(pool)
    first = await order(pool, check(acquisition))
    one = executor(pool, link)
    looks = 0
    fill = one._fill_slots

    async def counted() -> float:
        nonlocal looks
        looks += 1
        return await fill()

    one._fill_slots = counted  # type: ignore[method-assign]
    async with running(one):
        await begun.wait()
        second = await order(pool, EnsureAlbum(acquisition_id=acquisition, album_mbid=uuid4()))
        one.wake()
        await until(lambda: looks >= 2, what="the executor to look again")
        seen = looks
        await asyncio.sleep(0.3)
        assert looks - seen <= 1
        go_on.set()
        await ended(pool, first, "done")
        await ended(pool, second, "waiting", "dead")


async def test_commands_of_one_key_come_together_again(pool: Any, link: RedisLink, effect: SetEffect) -> None:
    """A look that is given back finds that another has been ordered meanwhile: one of them goes on."""
    batch = uuid4()
    first = await order(pool, RollUpBatch(batch_id=batch))
    claimed = await claim(pool)
    assert claimed
    second = await order(pool, RollUpBatch(batch_id=batch))
    one = executor(pool, link)
    await one._settle_failure(claimed, StepAside("later"))
    assert (await command_of(pool, first))["state"] == "cancelled"
    assert (await command_of(pool, second))["state"] == "waiting"
