"""The journeys of an album through Soulseek, alone and as Lidarr's fallback."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from shared.acquisition import rebuild
from shared.config import Config
from shared.sources import interpret
from tests.harness.waiting import until
from tests.journeys.stage import Stage, new_album, staged

ARTIST, TITLE = "Example Ensemble", "First Light"
TRACKS = ["Opening", "Slow Water", "Closing"]
DELIVERIES = ["once", "doubled", "doubled+shuffled", "lost"]


@pytest.fixture
async def stage(config: Config, pool: Any) -> AsyncIterator[Stage]:
    """One receiver, one worker, one Lidarr, one slskd; at the end the log explains every stored row."""
    async with staged(config, pool, soulseek=True) as ready:
        yield ready
        await ready.settled()
    report = await rebuild.check(pool, interpret)
    assert not report.differences


@pytest.fixture(params=DELIVERIES)
async def any_delivery(stage: Stage, request: pytest.FixtureRequest) -> Stage:
    """The same stage, once for each way in which webhooks may reach us."""
    stage.lidarr.control(delivery=request.param)
    stage.slskd.control(delivery=request.param)
    return stage


def known(stage: Stage, *, title: str = TITLE, at_lidarr: str = "nothing_found") -> UUID:
    """An album that Lidarr's metadata server knows with its tracks, and how Lidarr fares with it."""
    album = new_album()
    stage.lidarr.control(
        album={
            "album_mbid": str(album),
            "title": title,
            "artist_name": ARTIST,
            "tracks": TRACKS,
        },
        plan={"album_mbid": str(album), "attempts": [at_lidarr]},
    )
    return album


def shares(
    album: UUID, user: str = "ann", *, title: str = TITLE, bad: bool = False, tracks: int = len(TRACKS)
) -> dict[str, Any]:
    """Somebody on Soulseek who shares the album."""
    names = [f"{number:02d} {name}.flac" for number, name in enumerate(TRACKS[:tracks], 1)]
    files = [
        {"name": name, "size": 30_000_000 + len(name), "bit_depth": 16, "sample_rate": 44100, "length": 210}
        for name in names
    ]
    folder = {"path": folder_of(user, title), "files": files, "album_mbid": str(album), "bad": bad}
    return {"username": user, "folders": [folder]}


def folder_of(user: str, title: str = TITLE) -> str:
    return f"@@{user}\\Music\\{ARTIST}\\{title}"


async def ended(stage: Stage, album: UUID, state: str) -> dict[str, Any]:
    """Let everything come that is going to come, and answer the job in its end."""

    async def over() -> dict[str, Any] | None:
        await stage.settled()
        stage.lidarr.control(release=True)
        stage.slskd.control(release=True)
        await stage.look()
        job = await stage.job(album)
        return job if job and job["finished_at"] else None

    job = await until(over, what=f"the job to be {state}", within_s=60)
    assert job["state"] == state, job
    return await stage.get(f"/api/v1/jobs/{job['id']}")


async def test_lidarr_finds_nothing_soulseek_delivers_lidarr_imports(any_delivery: Stage) -> None:
    stage = any_delivery
    album = known(stage)
    stage.slskd.control(peer=shares(album))
    await stage.ask(album)
    job = await ended(stage, album, "completed")
    assert job["source"] == "soulseek"
    assert job["attempts"] == 2
    assert len(stage.searches()) == 1
    imports = [call for call in stage.mutations("/api/v1/command") if call.body["name"] == "ManualImport"]
    assert len(imports) == 1
    await stage.settled()
    assert not stage.slskd.transfers.shown(), "finished transfers leave slskd's list"


async def test_soulseek_finds_nothing_lidarr_delivers(any_delivery: Stage) -> None:
    """The mirror image."""
    stage = any_delivery
    await stage.set(download_source="soulseek", fallback="lidarr")
    album = known(stage, at_lidarr="import")
    await stage.ask(album)
    job = await ended(stage, album, "completed")
    assert job["source"] == "lidarr"
    assert len(stage.searches()) == 1
    assert not stage.slskd.transfers.all


async def test_no_fallback_is_respected(stage: Stage) -> None:
    await stage.set(download_source="lidarr", fallback="none")
    album = known(stage)
    stage.slskd.control(peer=shares(album))
    await stage.ask(album)
    job = await ended(stage, album, "failed")
    assert job["reason"] == "nothing_found"
    assert not stage.slskd.searches.begun_at


async def test_a_bad_album_ends_within_its_budget_and_nothing_is_tried_twice(stage: Stage) -> None:
    """Everybody's copy is refused by Lidarr."""
    await stage.set(download_source="soulseek", fallback="none", album_max_attempts=3)
    album = known(stage)
    stage.slskd.control(peers=[shares(album, user, bad=True) for user in ("ann", "bob", "cat", "dan")])
    await stage.ask(album)
    job = await ended(stage, album, "failed")
    assert job["reason"].startswith("attempts_spent: import_refused")
    rows = await stage.pool.fetch("SELECT peer, folder, size_bytes, state FROM attempts ORDER BY number")
    assert [row["state"] for row in rows] == ["failed"] * 3
    assert len({(row["peer"], row["folder"]) for row in rows}) == 3
    assert all(row["size_bytes"] > 90_000_000 for row in rows)
    assert all(row["peer"] in job["reason"] for row in rows), "the reason lists what was tried"
    # Whoever asks anew is told so, and only a person's reason opens it again.
    again = await stage.ask(album, user="you")
    assert (again["state"], again["reason"][:12]) == ("failed", "budget_spent")
    await stage.send(f"/api/v1/jobs/{job['id']}/retry", status=409)
    stage.slskd.control(peer=shares(album, "dan"))
    await stage.send(f"/api/v1/jobs/{job['id']}/retry", {"reason": "dan has a better copy now"}, status=202)

    async def opened_again_and_completed() -> bool:
        await stage.settled()
        return bool((await stage.get(f"/api/v1/jobs/{job['id']}"))["state"] == "completed")

    await until(opened_again_and_completed, within_s=60)
    assert await stage.pool.fetchval("SELECT peer FROM attempts WHERE state = 'completed'") == "dan"


async def test_two_users_one_album_two_batches(stage: Stage) -> None:
    """One download, and both batches count it."""
    await stage.set(download_source="soulseek")
    album = known(stage)
    stage.slskd.control(peer=shares(album))
    wish = {"album_mbid": str(album), "artist_name": ARTIST, "album_title": TITLE}
    batches = [
        await stage.send("/api/v1/batches", {"user_id": user, "albums": [wish]}, status=201) for user in ("me", "you")
    ]
    await ended(stage, album, "completed")
    await stage.settled()
    for batch in batches:
        found = await stage.get(f"/api/v1/batches/{batch['id']}")
        assert (found["state"], found["completed"], found["total"]) == ("completed", 1, 1)
    assert len(stage.slskd.transfers.all) == len(TRACKS)


@pytest.mark.parametrize("outcome", ["reject", "timeout", "error", "cancel", "moved_file_missing"])
async def test_a_peer_that_fails_is_followed_by_the_next(stage: Stage, outcome: str) -> None:
    await stage.set(download_source="soulseek", deadline_materialise=5)
    album = known(stage)
    first = shares(album, "ann") | {"speed": 9_000_000}
    second = shares(album, "bob") | {"speed": 1_000}
    stage.slskd.control(
        peers=[first, second],
        plan={"username": "ann", "folder": folder_of("ann"), "attempts": [outcome]},
    )
    await stage.ask(album)
    await ended(stage, album, "completed")
    attempts = await stage.pool.fetch("SELECT peer, state FROM attempts ORDER BY number")
    assert [tuple(row) for row in attempts] == [("ann", "failed"), ("bob", "completed")]


async def test_a_timed_out_transfer_that_revives_is_waited_for(stage: Stage) -> None:
    """Up to slskd 0.26.0 a transfer may come back from `Completed, TimedOut`."""
    await stage.set(download_source="soulseek")
    album = known(stage)
    stage.slskd.control(
        peer=shares(album),
        plan={"username": "ann", "folder": folder_of("ann"), "attempts": ["timeout_then_revive"]},
    )
    await stage.ask(album)
    await ended(stage, album, "completed")
    assert await stage.pool.fetchval("SELECT count(*) FROM attempts") == 1


async def test_an_older_slskd_without_batches(any_delivery: Stage) -> None:
    stage = any_delivery
    await stage.set(download_source="soulseek")
    stage.slskd.control(version="0.24.5")
    album = known(stage)
    stage.slskd.control(peer=shares(album))
    await stage.ask(album)
    await ended(stage, album, "completed")
    assert all(transfer.batch_id is None for transfer in stage.slskd.transfers.all.values())


async def test_a_cancelled_job_leaves_its_peer(stage: Stage) -> None:
    await stage.set(download_source="soulseek")
    album = known(stage)
    stage.slskd.control(peer=shares(album), plan={"username": "ann", "folder": folder_of("ann"), "attempts": ["stall"]})
    job = await stage.ask(album)
    await stage.job_in(album, "downloading")

    async def transferring() -> bool:
        return any(one.state == "InProgress" for one in stage.slskd.transfers.all.values())

    await until(transferring)
    await stage.send(f"/api/v1/jobs/{job['id']}/cancel", status=202)
    await ended(stage, album, "cancelled")
    await stage.settled()
    assert not stage.slskd.transfers.shown()
    assert all("Cancelled" in one.state for one in stage.slskd.transfers.all.values())


async def test_lidarr_must_see_the_files(stage: Stage) -> None:
    """A missing path mapping is told; once it is there, the import goes on without another download."""
    await stage.set(download_source="soulseek")
    stage.lidarr.control(mounts=[{"disk": "/downloads", "seen_as": "/data/soulseek"}])
    album = known(stage)
    stage.slskd.control(peer=shares(album))
    await stage.ask(album)

    async def blocked() -> bool:
        job = await stage.job(album)
        return bool(job and (job["reason"] or "").startswith("path_not_visible_to_lidarr"))

    await until(blocked)
    await stage.set(path_mappings=[{"from": "/downloads", "to": "/data/soulseek"}])
    await ended(stage, album, "completed")
    assert await stage.pool.fetchval("SELECT count(*) FROM attempts") == 1


async def test_slskd_away_is_skipped_after_a_while_and_costs_nothing(stage: Stage) -> None:
    await stage.set(download_source="soulseek", fallback="lidarr", deadline_no_source=5)
    stage.slskd.control(offline=True)
    album = known(stage, at_lidarr="import")
    await stage.ask(album)
    job = await ended(stage, album, "completed")
    assert job["source"] == "lidarr"
    skipped = await stage.pool.fetchrow("SELECT state, reason FROM attempts WHERE source = 'soulseek'")
    assert skipped["state"] == "abandoned"
    assert skipped["reason"].startswith("source_away")
