"""Two drivers and one album, on Postgres: Lidarr's own grabs before, beside and after ours; cancels; spent budgets."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from shared.acquisition.rollup import roll_up
from shared.acquisition.signals import BatchRequested, JobCancelled, JobRetried
from tests.shared.acquisition.cast import Cast
from tests.shared.acquisition.ledger import Ledger
from tests.shared.acquisition.lidarr_side import Brought, LidarrSide
from tests.shared.acquisition.slskd_side import Fate, SlskdSide

WHOLE, HALF, ANOTHER, REJECTED = Fate.WHOLE, Fate.HALF, Fate.ANOTHER, Fate.REJECTED
# How far an attempt at Soulseek has come, by the command that is held back.
STAGES = {
    "waits for its turn": "SearchSoulseek",
    "searches": "FollowSoulseekSearch",
    "downloads": "EnqueueDownload",
    "is handed over": "ImportAlbum",
    "is imported": "FollowImport",
}
HAS_A_DOWNLOAD = ("downloads", "is handed over", "is imported")


class Stage:
    """One album, with Lidarr and slskd beside it."""

    def __init__(self, pool: Any, *offers: tuple[str, Fate], **settings: Any) -> None:
        self.cast = Cast()
        how = {"download_source": "soulseek", "fallback": "none", **settings}
        self.ledger = Ledger(pool, lidarr=True, slskd=True, **how)
        self.side, album = LidarrSide(), self.cast.mbid()
        self.side.soulseek = SlskdSide({album: self.cast}, {album: list(offers)}, self.side.files, self.side.rows)

    async def asked(self, *, until: str | None = None, user: str = "ann") -> None:
        """Somebody asks, and everything goes on up to that stage, or to the end."""
        await self.ledger.ask(self.cast.wish(user=user))
        await self.go_on(until=until)

    async def go_on(self, *, until: str | None = None) -> None:
        await self.side.serve(self.ledger, holding=[STAGES[until]] if until else ())

    async def lidarr_imports(self, download: str) -> None:
        """Lidarr grabs and imports the whole album by itself."""
        await self.ledger.tell(self.cast.grab(download))
        self.side.files[self.cast.mbid()] = 10
        await self.ledger.tell(self.cast.download(download))

    async def attempts(self) -> list[tuple[str, str]]:
        rows = await self.ledger.pool.fetch("SELECT source, state FROM attempts ORDER BY started_at, number")
        return [tuple(row) for row in rows]

    async def states(self) -> list[str]:
        """The states of the acquisitions, the oldest first."""
        rows = await self.ledger.pool.fetch("SELECT state FROM acquisitions ORDER BY created_at")
        return [row["state"] for row in rows]

    async def ordered(self, kind: str) -> int:
        """How often a kind of command was ordered, whatever became of it."""
        return int(await self.ledger.value("SELECT count(*) FROM commands WHERE kind = $1", kind))

    async def job(self) -> UUID:
        found: UUID = await self.ledger.value("SELECT id FROM download_jobs ORDER BY created_at LIMIT 1")
        return found


@pytest.mark.parametrize("stage", STAGES)
async def test_a_cancel_leaves_the_peer_at_every_stage_and_what_comes_late_changes_nothing(
    pool: Any, stage: str
) -> None:
    play = Stage(pool, ("ann", WHOLE))
    await play.asked(until=stage)
    late = await pool.fetch("SELECT kind FROM commands WHERE state = 'waiting'")
    assert [row["kind"] for row in late] == [STAGES[stage]]
    await play.ledger.ask(JobCancelled(job_id=await play.job()))
    waiting = await play.ledger.commands()
    assert waiting.count("DropTransfers") == (stage in HAS_A_DOWNLOAD)
    assert STAGES[stage] not in waiting
    await pool.execute("UPDATE commands SET state = 'waiting', finished_at = NULL WHERE kind = $1", STAGES[stage])
    await play.go_on()  # as if a worker had begun it just before
    assert await play.states() == ["cancelled"]
    assert await play.attempts() == [("soulseek", "abandoned")]
    await play.ledger.is_sound()


@pytest.mark.parametrize("stage", STAGES)
async def test_lidarrs_own_download_comes_in_first(pool: Any, stage: str) -> None:
    play = Stage(pool, ("ann", WHOLE))
    await play.asked(until=stage)
    await play.lidarr_imports("D9")
    await play.side.serve(play.ledger, holding=[STAGES[stage]])
    assert await play.states() == ["completed"]
    ended = [("lidarr", "completed")]
    assert await play.attempts() == (ended if stage == "waits for its turn" else [("soulseek", "abandoned"), *ended])
    assert await play.ordered("DropTransfers") == (stage in HAS_A_DOWNLOAD)
    assert await play.ordered("AbandonDownload") == 0
    await play.ledger.is_sound()


@pytest.mark.parametrize("stage", [stage for stage in STAGES if stage != "waits for its turn"])
async def test_ours_comes_in_first_and_lidarrs_is_abandoned(pool: Any, stage: str) -> None:
    play = Stage(pool, ("ann", WHOLE))
    await play.asked(until=stage)
    await play.ledger.tell(play.cast.grab("D9"))
    await play.go_on()
    assert await play.states() == ["completed"]
    assert await play.attempts() == [("soulseek", "completed"), ("lidarr", "abandoned")]
    assert await play.ordered("AbandonDownload") == 1
    await play.ledger.tell(play.cast.download("D9"))
    assert await play.states() == ["completed"]
    await play.ledger.is_sound()


async def test_lidarr_was_first_and_delivers(pool: Any) -> None:
    play = Stage(pool, ("ann", WHOLE))
    await play.ledger.tell(play.cast.grab("D9"))
    await play.asked()
    assert await play.attempts() == [("lidarr", "downloading")]
    play.side.files[play.cast.mbid()] = 10
    await play.ledger.tell(play.cast.download("D9"))
    await play.go_on()
    assert await play.attempts() == [("lidarr", "completed")]
    assert await play.ledger.jobs() == [("ann", "completed"), ("lidarr", "completed")]
    assert await play.ordered("SearchSoulseek") == 0
    await play.ledger.is_sound()


async def test_lidarr_was_first_and_fails_so_soulseek_is_next(pool: Any) -> None:
    play = Stage(pool, ("ann", WHOLE))
    await play.ledger.tell(play.cast.row(1, "grabbed", "D9"))
    await play.asked()
    await play.ledger.tell(play.cast.row(2, "downloadFailed", "D9"))
    await play.go_on()
    assert await play.attempts() == [("lidarr", "failed"), ("soulseek", "completed")]
    assert await play.states() == ["completed"]
    await play.ledger.is_sound()


async def test_an_upgrade_afterwards_is_watched_and_takes_nothing_back(pool: Any) -> None:
    play = Stage(pool, ("ann", WHOLE))
    await play.asked()
    await play.lidarr_imports("D9")
    await play.go_on()
    assert await play.states() == ["completed", "completed"]
    assert await play.ledger.jobs() == [("ann", "completed"), ("lidarr", "completed")]
    await play.ledger.is_sound()


@pytest.mark.parametrize("comes_in", [True, False], ids=["comes in", "fails, too"])
async def test_lidarrs_own_next_download_in_the_grace_takes_the_waiting_attempt_over(pool: Any, comes_in: bool) -> None:
    play = Stage(pool, ("ann", WHOLE), download_source="lidarr", fallback="soulseek", album_max_attempts=2)
    album, cast = play.cast.mbid(), play.cast
    failing = Brought(0, [cast.row(1, "grabbed", "D1"), cast.row(2, "downloadFailed", "D1")])
    play.side.brings = {album: [lambda: failing]}
    await play.asked(until="waits for its turn")
    assert await play.attempts() == [("lidarr", "failed"), ("soulseek", "searching")]
    await play.ledger.tell(cast.grab("D2"), cast.row(3, "grabbed", "D2"))
    if comes_in:
        play.side.files[album] = 10
        await play.ledger.tell(cast.download("D2"))
    else:
        await play.ledger.tell(cast.row(4, "downloadFailed", "D2"))
    await play.go_on()
    assert await play.attempts() == [("lidarr", "failed"), ("lidarr", "completed" if comes_in else "failed")]
    assert await play.states() == ["completed" if comes_in else "failed"]
    assert await play.ordered("EnqueueDownload") == 0
    await play.ledger.is_sound()


# --- spent budgets ---


async def spent(pool: Any) -> Stage:
    """Every one of nine peers delivers rubbish; three are tried."""
    play = Stage(pool, *((f"peer {number}", (REJECTED, HALF, ANOTHER)[number % 3]) for number in range(9)))
    await play.asked()
    assert (await play.states(), len(await play.attempts())) == (["failed"], 3)
    return play


async def test_whoever_asks_anew_is_told_at_once_and_nothing_is_downloaded(pool: Any) -> None:
    play = await spent(pool)
    commands = await play.ledger.value("SELECT count(*) FROM commands")
    again = await play.ledger.ask(play.cast.wish(user="ann"))
    assert (again.settlement.state, again.settlement.reason) == ("ignored", "budget_spent")
    for _ in range(2):
        await play.ledger.ask(play.cast.wish(user="bob"))
    assert await play.ledger.jobs() == [("ann", "failed"), ("bob", "failed")]
    assert await play.ledger.value("SELECT count(*) FROM commands") == commands
    await play.ledger.is_sound()


async def test_a_batch_counts_what_was_asked_in_vain(pool: Any) -> None:
    play = await spent(pool)
    await play.ledger.ask(BatchRequested(user_id="bob", albums=(play.cast.wish().album, Cast(2).wish().album)))
    batch = await play.ledger.value("SELECT id FROM discovery_batches")
    counted = await roll_up(pool, batch, datetime.now(UTC))
    assert (counted.state, counted.total, counted.failed) == ("active", 2, 1)
    assert "RollUpBatch" in await play.ledger.commands()
    await play.ledger.is_sound()


async def test_a_person_opens_it_again_with_a_reason_and_nobody_is_tried_twice(pool: Any) -> None:
    play = await spent(pool)
    refused = await play.ledger.ask(JobRetried(job_id=await play.job()))
    assert (refused.settlement.state, refused.settlement.reason) == ("ignored", "budget_spent")
    await play.ledger.ask(JobRetried(job_id=await play.job(), reason="more peers are online"))
    await play.go_on()
    assert await play.states() == ["failed"]
    tried = await pool.fetch("SELECT peer, folder FROM attempts")
    assert len(tried) == len({tuple(row) for row in tried}) == 6
    assert await play.ledger.value("SELECT count(*) FROM blocklist") == 6
    assert await play.ledger.value("SELECT budget_from FROM acquisitions") == 3
    await play.ledger.is_sound()
