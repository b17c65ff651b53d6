"""The journeys of an album through Lidarr, with every webhook once, doubled, in any order, or lost."""

from __future__ import annotations

import asyncio

from tests.journeys.stage import Stage, new_album


async def finished(stage: Stage) -> None:
    """Let everything come that is going to come: held webhooks, a look at Lidarr, and what they lead to."""
    for _ in range(3):
        await stage.settled()
        stage.lidarr.control(release=True)
        await stage.look()
        await stage.settled()


async def test_asked_grabbed_imported(any_delivery: Stage) -> None:
    """An album asked for is added to Lidarr, searched, grabbed and imported, once each."""
    stage = any_delivery
    album = new_album()
    await stage.ask(album)
    await finished(stage)
    job = await stage.job_in(album, "completed")
    assert job["attempts"] == 1
    assert job["source"] == "lidarr"
    assert len(stage.mutations("/api/v1/album")) == 1
    assert len(stage.searches()) == 1
    history = (await stage.get(f"/api/v1/jobs/{job['id']}"))["history"]
    assert {one["signal"] for one in history} >= {"JobRequested", "AlbumReady", "AlbumChecked"}


async def test_a_pack_completes_each_of_its_albums(any_delivery: Stage) -> None:
    """One Grab, three Downloads, one download id: three albums."""
    stage = any_delivery
    first, second, third = albums = [new_album() for _ in range(3)]
    stage.lidarr.control(
        plans=[
            {"album_mbid": str(first), "attempts": [{"outcome": "import", "pack": [str(second), str(third)]}]},
            {"album_mbid": str(second), "attempts": ["stall"]},
            {"album_mbid": str(third), "attempts": ["stall"]},
        ]
    )
    await stage.ask(first)
    await finished(stage)
    for album in albums:
        job = await stage.job_in(album, "completed")
        assert job["origin"] == ("api" if album == first else "lidarr")


async def test_a_failed_download_leads_to_the_next_attempt(any_delivery: Stage) -> None:
    """The first download fails, the second is imported."""
    stage = any_delivery
    album = new_album()
    stage.lidarr.control(plan={"album_mbid": str(album), "attempts": ["fail", "import"]})
    await stage.ask(album)
    await finished(stage)
    job = await stage.job_in(album, "completed")
    assert job["attempts"] == 2


async def test_failing_for_ever_ends(any_delivery: Stage) -> None:
    """An album whose downloads always fail ends failed after the attempts that the settings allow."""
    stage = any_delivery
    album = new_album()
    stage.lidarr.control(plan={"album_mbid": str(album), "attempts": ["fail"]}, auto_redownload_failed=False)
    await stage.ask(album)
    for _ in range(3):
        await finished(stage)
    job = await stage.job_in(album, "failed")
    assert job["reason"].startswith("attempts_spent: download_failed")
    assert job["attempts"] == 3
    assert len(stage.searches()) == 3


async def test_nothing_found(any_delivery: Stage) -> None:
    """A search that finds nothing fails the job at once."""
    stage = any_delivery
    album = new_album()
    stage.lidarr.control(plan={"album_mbid": str(album), "attempts": ["nothing_found"]})
    await stage.ask(album)
    await finished(stage)
    assert (await stage.job_in(album, "failed"))["reason"] == "nothing_found"


async def test_the_same_hash_again_and_again(any_delivery: Stage) -> None:
    """Grab, fail, grab, fail, grab, import: one download id all the time."""
    stage = any_delivery
    album = new_album()
    stage.lidarr.control(
        plan={"album_mbid": str(album), "attempts": ["fail", "fail", "import"], "same_download_id": True},
        auto_redownload_failed=False,
    )
    await stage.ask(album)
    for _ in range(2):
        await finished(stage)
    job = await stage.job_in(album, "completed")
    assert job["attempts"] == 3


async def test_a_partial_import_is_not_an_album(any_delivery: Stage) -> None:
    """Some tracks come in, the rest can't: the next release is tried."""
    stage = any_delivery
    album = new_album()
    stage.lidarr.control(plan={"album_mbid": str(album), "attempts": ["partial", "import"], "tracks": 1})
    await stage.ask(album)
    for _ in range(2):
        await finished(stage)
    job = await stage.job_in(album, "completed")
    assert job["attempts"] == 2


async def test_a_short_release_is_not_an_album(any_delivery: Stage) -> None:
    """The release holds too few tracks, and Lidarr is content with it: we aren't."""
    stage = any_delivery
    album = new_album()
    stage.lidarr.control(plan={"album_mbid": str(album), "attempts": ["short", "import"], "tracks": 1})
    await stage.ask(album)
    for _ in range(2):
        await finished(stage)
    job = await stage.job_in(album, "completed")
    assert job["attempts"] == 2


async def test_a_manual_import_without_id_completes(any_delivery: Stage) -> None:
    """A person imports the files while our download stalls."""
    stage = any_delivery
    album = new_album()
    stage.lidarr.control(plan={"album_mbid": str(album), "attempts": ["stall"]})
    await stage.ask(album)
    await stage.job_in(album, "downloading", "searching")
    await finished(stage)
    stage.lidarr.control(manual_import={"album_mbid": str(album)})
    await finished(stage)
    await stage.job_in(album, "completed")


async def test_an_upgrade_changes_nothing(stage: Stage) -> None:
    """Better files for a completed album are history, not a new job."""
    album = new_album()
    job = await stage.ask(album)
    await stage.job_in(album, "completed")
    stage.lidarr.control(grab={"album_mbid": str(album), "outcome": "upgrade"})
    await finished(stage)
    found = await stage.get(f"/api/v1/jobs?album_mbid={album}&origin=api")
    assert [(one["id"], one["state"]) for one in found["items"]] == [(job["id"], "completed")]


async def test_a_grab_that_nobody_asked_for_is_watched(any_delivery: Stage) -> None:
    """History is whole: Lidarr's own grab becomes a job of Lidarr's own, and nothing is driven."""
    stage = any_delivery
    album = new_album()
    stage.lidarr.control(grab={"album_mbid": str(album)})
    await finished(stage)
    job = await stage.job_in(album, "completed")
    assert (job["origin"], job["user_id"]) == ("lidarr", "lidarr")
    assert not stage.searches()


async def test_download_before_its_grab(stage: Stage) -> None:
    """A slow Grab arrives after the Download: the album is complete all the same, and stays so."""
    album = new_album()
    stage.lidarr.control(delivery="held")
    await stage.ask(album)
    await stage.settled()
    held = {one.event_type: one for one in stage.lidarr.outbox.held}
    await stage.lidarr.outbox.transmit(held["Download"])
    await stage.job_in(album, "completed")
    await stage.lidarr.outbox.transmit(held["Grab"])
    await stage.settled()
    jobs = (await stage.get(f"/api/v1/jobs?album_mbid={album}"))["items"]
    assert [job["state"] for job in jobs] == ["completed"]


async def test_an_album_already_in_the_library(stage: Stage) -> None:
    """What Lidarr has complete is completed at once, and nothing is searched."""
    album = new_album()
    await stage.ask(album)
    await stage.job_in(album, "completed")
    searches = len(stage.searches())
    await stage.ask(album, user="you")
    await stage.settled()
    jobs = (await stage.get(f"/api/v1/jobs?album_mbid={album}&user_id=you"))["items"]
    assert [(job["state"], job["reason"]) for job in jobs] == [("completed", "already_in_library")]
    assert len(stage.searches()) == searches


async def test_an_album_nobody_knows(stage: Stage) -> None:
    """An id that Lidarr's metadata server doesn't know fails with a reason that says so."""
    album = new_album()
    stage.lidarr.control(unknown=[str(album)])
    await stage.ask(album)
    job = await stage.job_in(album, "failed")
    assert job["reason"].startswith("album_unknown_to_lidarr")


async def test_fifty_at_once_are_one_job(stage: Stage) -> None:
    """The same wish fifty times at once: one job, one acquisition, one search."""
    album = new_album()
    stage.lidarr.control(plan={"album_mbid": str(album), "attempts": ["stall"]})
    wish = {"album_mbid": str(album), "artist_name": "Example Ensemble", "album_title": "First Light"}

    async def ask() -> tuple[int, str]:
        async with stage.http.post("/api/v1/jobs", json=wish) as answer:
            return answer.status, (await answer.json())["id"]

    answers = await asyncio.gather(*(ask() for _ in range(50)))
    assert sorted(status for status, _ in answers) == [200] * 49 + [201]
    assert len({job for _, job in answers}) == 1
    await stage.job_in(album, "downloading")
    assert len(stage.searches()) == 1


async def test_the_last_cancel_abandons_the_download(stage: Stage) -> None:
    """Two people want one album; when both have cancelled, its download leaves Lidarr's queue."""
    album = new_album()
    stage.lidarr.control(plan={"album_mbid": str(album), "attempts": ["stall"]})
    mine, yours = await stage.ask(album), await stage.ask(album, user="you")
    await stage.job_in(album, "downloading")
    await stage.send(f"/api/v1/jobs/{mine['id']}/cancel", status=202)
    assert (await stage.get(f"/api/v1/jobs/{yours['id']}"))["state"] == "downloading"
    await stage.send(f"/api/v1/jobs/{yours['id']}/cancel", status=202)
    await stage.settled()
    assert [call for call in stage.mutations() if call.method == "DELETE"]
    assert (await stage.get(f"/api/v1/jobs/{yours['id']}"))["state"] == "cancelled"
