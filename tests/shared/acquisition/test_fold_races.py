"""What is bound while something parks for it, and what several folds do to each other: nothing is left behind."""

from __future__ import annotations

import asyncio
import json
import random
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from shared.acquisition import store
from shared.acquisition.signals import Replayed
from shared.eventlog.event import Delivery
from shared.eventlog.identity import uuid7
from shared.eventlog.store import claim_these
from shared.postgres.pool import create_pool
from tests.harness.waiting import until
from tests.shared.acquisition.cast import Cast
from tests.shared.acquisition.ledger import Ledger, webhook


async def fold_just(ledger: Ledger, *deliveries: Delivery) -> None:
    async with ledger.pool.acquire() as connection, connection.transaction():
        events = await claim_these(connection, [one.id for one in deliveries])
        await ledger.folding.fold(connection, events)


@pytest.mark.parametrize("lidarr", [False, True])
async def test_parking_and_binding_at_once(database: str, lidarr: bool) -> None:
    """Sixty albums: an import and a failure park while, in the same moment, a Grab binds what they wait for."""
    async with await create_pool(database, min_size=4, max_size=8) as pool:
        ledger, dice = Ledger(pool, lidarr=lidarr), random.Random(3)
        for copy in range(1, 61):
            cast = Cast(copy)
            folds: list[list[Delivery]] = [[cast.grab("D1")], [cast.download("D1")], [cast.failure("D1")]]
            dice.shuffle(folds)
            await ledger.post(*(one for part in folds for one in part))
            await asyncio.gather(*(fold_just(ledger, *part) for part in folds))
            assert await ledger.value("SELECT count(*) FROM event_status WHERE state = 'parked'") == 0
        await ledger.drain()
        await ledger.is_sound()


async def test_parking_and_asking_at_once(database: str) -> None:
    async with await create_pool(database, min_size=4, max_size=8) as pool:
        ledger = Ledger(pool, lidarr=False)
        for copy in range(1, 41):
            cast = Cast(copy)
            download = cast.download(None if copy % 2 else "D1")
            await ledger.post(download)
            await asyncio.gather(fold_just(ledger, download), ledger.ask(cast.wish()))
            await ledger.drain()
        assert {state for _, state in await ledger.jobs()} == {"completed"}
        await ledger.is_sound()


async def test_one_batch_that_parks_and_binds_folds_what_it_parked_again(pool: Any) -> None:
    ledger, cast = Ledger(pool, lidarr=False), Cast()
    failure, grab = cast.failure("D1"), cast.grab("D1")
    await ledger.post(failure, grab)
    folded = await ledger.fold()
    assert folded is not None
    assert [one.state for one in folded.settlements] == ["waiting", "processed"]
    await ledger.drain()
    assert await ledger.attempts() == [("failed", cast.download_id("D1"))]


async def test_folds_of_the_same_albums_in_opposite_orders_do_not_deadlock(database: str) -> None:
    async with await create_pool(database, min_size=4, max_size=8) as pool:
        ledger, dice = Ledger(pool, lidarr=True), random.Random(5)
        for round_ in range(12):
            casts = [Cast(100 * round_ + copy) for copy in range(1, 9)]
            for cast in casts:
                await ledger.ask(cast.wish())
            said = [
                [cast.grab("D1", 501, 502), cast.download("D1"), cast.failure("D1"), cast.import_failure()]
                for cast in casts
            ]
            parts = [[one[number] for one in said] for number in range(4)]
            for part in parts:
                dice.shuffle(part)
            await ledger.post(*(one for part in parts for one in part))
            await asyncio.gather(*(fold_just(ledger, *part) for part in parts))
        await ledger.drain()
        await ledger.is_sound()


async def test_an_event_is_folded_once_though_many_want_to(database: str) -> None:
    async with await create_pool(database, min_size=6, max_size=6) as pool:
        ledger = Ledger(pool, lidarr=False)
        casts = [Cast(copy) for copy in range(1, 101)]
        await ledger.post(*(cast.grab("D1") for cast in casts))
        await asyncio.gather(*(ledger.drain([number + 2]) for number in range(6)))
        assert await ledger.value("SELECT count(*) FROM decisions") == 100
        assert await ledger.value("SELECT count(*) FROM event_status WHERE state = 'processed'") == 100
        await ledger.is_sound()


async def test_hints_that_name_nothing_are_each_decided_about_the_peer(database: str) -> None:
    """Ten identical ImportFailures are ten events, and one look."""
    async with await create_pool(database, min_size=4, max_size=4) as pool:
        ledger, cast = Ledger(pool, lidarr=True), Cast()
        body = cast.import_failure()
        await ledger.post(*(replace(body, id=uuid7()) for _ in range(10)))
        await asyncio.gather(*(ledger.drain([2]) for _ in range(4)))
        assert await ledger.events() == {"ImportFailure": ["processed"] * 10}
        assert await ledger.value("SELECT sequence FROM peers WHERE name = 'lidarr'") == 10
        assert await ledger.commands() == ["ObservePeer"]
        await ledger.is_sound()


async def test_download_ids_are_one_in_any_case(pool: Any) -> None:
    ledger, cast = Ledger(pool, lidarr=False), Cast()
    await ledger.tell(cast.failure("É-hash"), cast.grab("É-HASH"))
    assert (await ledger.attempts())[0][0] == "failed"
    await ledger.tell(cast.grab("Ü", 502), cast.failure("Ü"))
    assert [state for state, _ in await ledger.attempts()] == ["failed", "failed"]
    await ledger.is_sound()


async def test_names_and_paths_of_any_length_and_script_are_kept(pool: Any) -> None:
    ledger, cast = Ledger(pool, lidarr=False), Cast()
    grab = json.loads(cast.grab("D1").body)
    grab["artist"]["name"] = "\x00" + "名" * 5000
    grab["release"]["releaseTitle"] = "題\x00" * 3000
    grab["albums"][0]["title"] = "盤" * 9000
    path = "@@music\\" + "曲" * 5000
    transfer = {"username": "ユ" * 400, "filename": path, "size": 2**40}
    file = {"type": "DownloadFileComplete", "id": str(uuid7()), "remoteFilename": path, "transfer": transfer}
    await ledger.tell(webhook(json.dumps(grab).encode()), webhook(json.dumps(file).encode(), "slskd"))
    assert await ledger.events() == {"Grab": ["processed"], "DownloadFileComplete": ["parked"]}
    await ledger.is_sound()


async def test_a_pack_of_thousands_does_not_fill_the_table_of_locks(database: str) -> None:
    """Anybody with the secret can send a Grab of 20,000 albums; Postgres has room for some 10,000 locks in all."""
    async with await create_pool(database, min_size=4, max_size=8) as pool:
        ledger, cast = Ledger(pool, lidarr=True), Cast()
        grab = json.loads(cast.grab("D1").body)
        grab["albums"] = [{"id": 1, "mbId": str(UUID(int=number)), "title": "x"} for number in range(1, 1_501)]
        huge, small = webhook(json.dumps(grab).encode()), [Cast(copy).grab("D1") for copy in range(2, 8)]
        await ledger.post(huge, *small)
        async with pool.acquire() as connection, connection.transaction():
            await ledger.folding.fold(connection, await claim_these(connection, [huge.id]))
            held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND granted"
            assert await connection.fetchval(held) == 1
            others = [asyncio.create_task(fold_just(ledger, one)) for one in small]
            waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            await until(lambda: pool.fetchval(f"SELECT ({waiting}) = 6"), what="the others to wait")
        await asyncio.gather(*others)
        assert await ledger.value("SELECT count(*) FROM acquisitions") == 1_506
        await ledger.is_sound()


async def test_replays_of_everything_change_no_album(pool: Any) -> None:
    ledger, cast = Ledger(pool, lidarr=False), Cast()
    await ledger.ask(cast.wish())
    said = [cast.grab("D1", 501, 502), cast.failure("D1"), cast.grab("D2"), cast.download("D2"), cast.import_failure()]
    await ledger.tell(*said)
    before = (await ledger.jobs(), await ledger.attempts())
    for one in said:
        for _ in range(2):
            await ledger.ask(Replayed(of=one.id))
    assert (await ledger.jobs(), await ledger.attempts()) == before
    await ledger.is_sound()


async def test_a_peer_that_many_make_at_once_is_made_once(database: str) -> None:
    """Two unique indexes stand in the way of the second one, and either may be the first to notice."""
    async with await create_pool(database, min_size=24, max_size=24) as pool:

        async def make() -> None:
            async with pool.acquire() as connection, connection.transaction():
                assert len(await store.lock_peers(connection, ["lidarr", "slskd"])) == 2

        for _ in range(60):
            await pool.execute("DELETE FROM peers")
            await asyncio.gather(*(make() for _ in range(24)))
