"""Files that arrive, on Postgres: before anybody knows whose they are, doubled, shuffled, from one peer for several."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import pytest

from shared.acquisition.candidate import WantedFile
from shared.acquisition.findings import AlbumReady, SoulseekSearched, SoulseekSearchStarted
from shared.acquisition.model import Attempt, AttemptState
from shared.acquisition.signals import JobCancelled, Replayed
from shared.acquisition.soulseek import batch_id_for
from shared.acquisition.store import read_acquisitions
from shared.eventlog.event import Delivery
from shared.eventlog.identity import uuid7
from shared.eventlog.store import claim_these
from shared.postgres.pool import create_pool
from tests.shared.acquisition.cast import Cast, arriving
from tests.shared.acquisition.ledger import Ledger, own
from tests.shared.acquisition.slskd_side import candidate, file_event


def of(pool: Any) -> Ledger:
    return Ledger(pool, lidarr=True, slskd=True, download_source="soulseek", fallback="none")


async def searching(ledger: Ledger, cast: Cast) -> UUID:
    """An album that is searched on Soulseek; answers its acquisition."""
    await ledger.ask(cast.wish())
    acquisition: UUID = await ledger.value("SELECT id FROM acquisitions WHERE album_mbid = $1", cast.mbid())
    ready = AlbumReady(acquisition_id=acquisition, lidarr_album_id=501, track_file_count=0, track_count=10)
    started = SoulseekSearchStarted(acquisition_id=acquisition, attempt=1, rung=0, text="x", search_id=UUID(int=1))
    await ledger.tell(own(ready), own(started))
    return acquisition


def chosen(acquisition: UUID, cast: Cast, peer: str = "ann", *, tracks: int = 2, attempt: int = 1) -> Delivery:
    found = SoulseekSearched(
        acquisition_id=acquisition,
        attempt=attempt,
        rung=0,
        rungs=1,
        text="x",
        responses=1,
        candidate=candidate(cast, peer, tracks=tracks),
    )
    return own(found)


async def first_attempt(ledger: Ledger, acquisition: UUID) -> Attempt:
    async with ledger.pool.acquire() as connection:
        (known,) = await read_acquisitions(connection, [acquisition])
    return known.attempts[0]


def files(acquisition: UUID, cast: Cast, peer: str = "ann", *, tracks: int = 2, batch: bool = True) -> list[Delivery]:
    """slskd's events for all files of the first attempt, before anybody has decided that it is one."""
    found = candidate(cast, peer, tracks=tracks)
    attempt = Attempt(
        number=1,
        source="soulseek",
        state=AttemptState.DOWNLOADING,
        started_at=datetime.now(UTC),
        download_id=str(batch_id_for(acquisition, 1)),
        peer=found.username,
        files=found.files,
    )
    return [file_event(attempt, file, batch=batch) for file in found.files]


def now(delivery: Delivery) -> Delivery:
    return replace(delivery, id=uuid7(), received_at=datetime.now(UTC))


@pytest.mark.parametrize("batch", [True, False], ids=["with its batch", "by peer and name"])
async def test_a_file_that_comes_before_its_attempt_is_known_waits_for_it(pool: Any, batch: bool) -> None:
    ledger, cast = of(pool), Cast()
    acquisition = await searching(ledger, cast)
    await ledger.tell(*files(acquisition, cast, batch=batch))
    assert (await ledger.events())["DownloadFileComplete"] == ["parked", "parked"]
    await ledger.tell(now(chosen(acquisition, cast)))
    assert (await ledger.events())["DownloadFileComplete"] == ["processed", "processed"]
    attempt = await first_attempt(ledger, acquisition)
    assert (attempt.state, attempt.files_arrived) == ("importing", 2)
    assert (await ledger.commands()).count("ImportAlbum") == 1
    await ledger.is_sound()


async def test_a_file_and_its_attempt_in_one_fold(pool: Any) -> None:
    ledger, cast = of(pool), Cast()
    acquisition = await searching(ledger, cast)
    await ledger.post(*files(acquisition, cast, batch=False), now(chosen(acquisition, cast)))
    folded = await ledger.fold()
    assert folded is not None
    assert [one.state for one in folded.settlements] == ["waiting", "waiting", "processed"]
    await ledger.drain()
    assert (await first_attempt(ledger, acquisition)).state == "importing"
    await ledger.is_sound()


@pytest.mark.parametrize("batch", [True, False], ids=["with its batch", "by peer and name"])
async def test_parking_and_binding_at_once(database: str, batch: bool) -> None:
    """Twenty albums: a file parks while, in the same moment, what it waits for is decided."""
    async with await create_pool(database, min_size=4, max_size=8) as pool:
        ledger = of(pool)

        async def fold_just(*deliveries: Delivery) -> None:
            async with pool.acquire() as connection, connection.transaction():
                events = await claim_these(connection, [one.id for one in deliveries])
                await ledger.folding.fold(connection, events)

        for copy in range(1, 21):
            cast = Cast(copy)
            acquisition = await searching(ledger, cast)
            parts = [*files(acquisition, cast, batch=batch), chosen(acquisition, cast)]
            await ledger.post(*parts)
            await asyncio.gather(*(fold_just(part) for part in parts))
            await ledger.drain()
            assert (await first_attempt(ledger, acquisition)).state == "importing"
        await ledger.is_sound()


async def test_what_came_for_nobody_is_told_so_after_a_while_and_wakes_for_nobody_else(pool: Any) -> None:
    ledger, cast, other = of(pool), Cast(1), Cast(2)
    await ledger.tell(*files(UUID(int=1), cast, batch=False))
    acquisition = await searching(ledger, other)
    await ledger.tell(chosen(acquisition, other))
    assert (await ledger.events())["DownloadFileComplete"] == ["parked", "parked"]
    assert (await first_attempt(ledger, acquisition)).files_arrived == 0
    await ledger.is_sound()


@pytest.mark.parametrize("batch", [True, False], ids=["with batches", "by peer and name"])
async def test_several_albums_from_one_peer_at_once_keep_their_files_apart(database: str, batch: bool) -> None:
    """Six albums of nine tracks from one peer, every event three times, in any order, folded by three workers."""
    async with await create_pool(database, min_size=4, max_size=4) as pool:
        ledger, dice = of(pool), random.Random(11)
        casts = [Cast(copy) for copy in range(1, 7)]
        acquisitions = [await searching(ledger, cast) for cast in casts]
        said: list[Delivery] = []
        for cast, acquisition in zip(casts, acquisitions, strict=True):
            await ledger.tell(chosen(acquisition, cast, tracks=9))
            said += files(acquisition, cast, tracks=9, batch=batch)
        last = said.pop()
        await ledger.post(*arriving(said * 3, dice))
        await asyncio.gather(*(ledger.drain([dice.randint(1, 7) for _ in range(5)]) for _ in range(3)))
        attempts = [await first_attempt(ledger, one) for one in acquisitions]
        assert [attempt.files_arrived for attempt in attempts] == [9, 9, 9, 9, 9, 8]
        assert [attempt.state for attempt in attempts] == ["importing"] * 5 + ["downloading"]
        await ledger.tell(now(last))
        assert (await first_attempt(ledger, acquisitions[-1])).state == "importing"
        assert (await ledger.commands()).count("ImportAlbum") == 6
        await ledger.is_sound()


async def test_a_file_that_slskd_brings_again_counts_once(pool: Any) -> None:
    """A second download of a file is a new event: its first place is kept, and so is what was counted."""
    ledger, cast = of(pool), Cast()
    acquisition = await searching(ledger, cast)
    await ledger.tell(chosen(acquisition, cast))
    first, _ = files(acquisition, cast)
    await ledger.tell(now(first))
    again = replace(now(first), dedupe_key="event:another", body=first.body.replace(b"/downloads/1", b"/downloads/x"))
    await ledger.tell(again)
    attempt = await first_attempt(ledger, acquisition)
    assert (attempt.files_arrived, attempt.files[0].local) == (1, "/downloads/1/01.flac")
    assert (await ledger.events())["DownloadFileComplete"] == ["processed", "ignored"]
    await ledger.is_sound()


async def test_a_file_of_a_cancelled_download_is_nobodys_and_a_replay_counts_nothing(pool: Any) -> None:
    ledger, cast = of(pool), Cast()
    acquisition = await searching(ledger, cast)
    await ledger.tell(chosen(acquisition, cast))
    first, second = (now(one) for one in files(acquisition, cast))
    await ledger.tell(first)
    await ledger.ask(Replayed(of=first.id))
    assert (await first_attempt(ledger, acquisition)).files_arrived == 1
    await ledger.ask(JobCancelled(job_id=await ledger.value("SELECT id FROM download_jobs")))
    await ledger.tell(second)
    assert (await ledger.events())["DownloadFileComplete"] == ["processed", "ignored"]
    assert await ledger.commands() == ["DropTransfers", "RemoveLeftovers"]
    await ledger.is_sound()


async def test_a_name_that_no_column_takes_harms_nobody(pool: Any) -> None:
    """Peers name their files as they like: with U+0000, in any script, longer than an index row."""
    ledger, cast = of(pool), Cast()
    acquisition = await searching(ledger, cast)
    odd = "\x00" + "曲" * 1500 + ".flac"
    found = candidate(cast, "ann\x00")
    strange = WantedFile(f"{found.folder}\\{odd}", 5)
    searched = SoulseekSearched(
        acquisition_id=acquisition,
        attempt=1,
        rung=0,
        rungs=1,
        text="x",
        responses=1,
        candidate=msgspec.structs.replace(found, folder=found.folder + "\x00", files=(strange,)),
    )
    await ledger.tell(own(searched))
    assert (await first_attempt(ledger, acquisition)).peer == "ann\ufffd"
    attempt = await first_attempt(ledger, acquisition)
    await ledger.tell(file_event(attempt, attempt.files[0]))
    assert (await first_attempt(ledger, acquisition)).state == "importing"
    await ledger.is_sound()
