"""What happens to albums in the simulated Lidarr, from search to import or failure."""

from __future__ import annotations

import pytest

from reprise.simulator import LidarrSimulator
from tests.reprise.simulator.stage import FIRST, SECOND, THIRD, Caller, Receiver, add_album, search_album


async def history(call: Caller) -> list[str]:
    return [row["eventType"] for row in await call.get("/api/v1/history/since", date="2000-01-01T00:00:00Z")]


async def statistics(call: Caller, album_id: int) -> dict[str, int]:
    return (await call.get(f"/api/v1/album/{album_id}"))["statistics"]


async def test_asked_grabbed_imported(lidarr: LidarrSimulator, call: Caller, receiver: Receiver) -> None:
    album = await add_album(call, FIRST)
    command = await search_album(call, album["id"])
    await lidarr.quiet()

    assert receiver.types == ["Grab", "Download"]
    grab, download = (one.json for one in receiver.received)
    assert grab["albums"][0]["mbId"] == download["album"]["mbId"] == FIRST
    assert grab["downloadId"] == download["downloadId"]
    assert download["isUpgrade"] is False
    assert await history(call) == ["grabbed", *["trackFileImported"] * 3, "downloadImported"]
    assert (await statistics(call, album["id"]))["trackFileCount"] == 3
    assert (await call.get("/api/v1/queue"))["totalRecords"] == 0
    ended = await call.get(f"/api/v1/command/{command['id']}")
    assert (ended["status"], ended["result"]) == ("completed", "successful")
    assert ended["message"] == "Searched for one album. 1 reports downloaded."


async def test_search_on_adding(lidarr: LidarrSimulator, call: Caller, receiver: Receiver) -> None:
    await add_album(call, FIRST, search=True)
    await lidarr.quiet()
    assert receiver.types == ["Grab", "Download"]


async def test_failure_leads_to_another_search(lidarr: LidarrSimulator, call: Caller, receiver: Receiver) -> None:
    lidarr.control(plan={"album_mbid": FIRST, "attempts": ["fail", "import"], "reason": "Archive is damaged"})
    await add_album(call, FIRST, search=True)
    await lidarr.quiet()

    assert receiver.types == ["Grab", "DownloadFailure", "Grab", "Download"]
    first, second = (body["downloadId"] for body in receiver.bodies("Grab"))
    assert first != second
    assert receiver.bodies("DownloadFailure")[0]["downloadId"] == first
    (failed,) = await call.get("/api/v1/history/since", date="2000-01-01", eventType="downloadFailed")
    assert failed["data"]["message"] == "Archive is damaged"
    assert (await call.get("/api/v1/blocklist"))["totalRecords"] == 1


async def test_failure_alone_when_redownload_is_off(lidarr: LidarrSimulator, call: Caller, receiver: Receiver) -> None:
    lidarr.control(auto_redownload_failed=False, plan={"album_mbid": FIRST, "attempts": ["fail"]})
    assert (await call.get("/api/v1/config/downloadclient"))["autoRedownloadFailed"] is False
    await add_album(call, FIRST, search=True)
    await lidarr.quiet()
    assert receiver.types == ["Grab", "DownloadFailure"]


async def test_the_last_attempt_repeats(lidarr: LidarrSimulator, call: Caller, receiver: Receiver) -> None:
    lidarr.control(auto_redownload_failed=False, plan={"album_mbid": FIRST, "attempts": ["nothing_found", "fail"]})
    album = await add_album(call, FIRST)
    for _ in range(3):
        await search_album(call, album["id"])
        await lidarr.quiet()
    assert receiver.types == ["Grab", "DownloadFailure"] * 2


async def test_same_hash_twice(lidarr: LidarrSimulator, call: Caller, receiver: Receiver) -> None:
    lidarr.control(
        plan={
            "album_mbid": FIRST,
            "attempts": ["fail", "fail", "import"],
            "client": "qBittorrent",
            "same_download_id": True,
        }
    )
    await add_album(call, FIRST, search=True)
    await lidarr.quiet()
    assert receiver.types == ["Grab", "DownloadFailure", "Grab", "DownloadFailure", "Grab", "Download"]
    assert len({one.json["downloadId"] for one in receiver.received}) == 1
    assert receiver.received[0].body == receiver.received[2].body


async def test_partial_import(lidarr: LidarrSimulator, call: Caller, receiver: Receiver) -> None:
    lidarr.control(plan={"album_mbid": FIRST, "attempts": ["partial"], "tracks": 1})
    album = await add_album(call, FIRST, search=True)
    await lidarr.quiet()

    assert receiver.types == ["Grab", "Download", "ImportFailure"]
    assert (await statistics(call, album["id"]))["trackFileCount"] == 1
    assert (await history(call))[-1] == "albumImportIncomplete"
    (row,) = (await call.get("/api/v1/queue", includeAlbum=True))["records"]
    assert (row["trackedDownloadState"], row["trackedDownloadStatus"]) == ("importFailed", "warning")
    assert row["statusMessages"][1]["messages"] == ["A track has no match"]


async def test_short_release_completes_nothing(lidarr: LidarrSimulator, call: Caller, receiver: Receiver) -> None:
    lidarr.control(plan={"album_mbid": FIRST, "attempts": ["short"]})
    album = await add_album(call, FIRST, search=True)
    await lidarr.quiet()
    assert receiver.types == ["Grab", "Download"]
    assert (await statistics(call, album["id"]))["trackFileCount"] == 2


async def test_discography_pack(lidarr: LidarrSimulator, call: Caller, receiver: Receiver) -> None:
    lidarr.control(plan={"album_mbid": FIRST, "attempts": [{"pack": [SECOND, THIRD]}], "client": "qBittorrent"})
    await add_album(call, FIRST, search=True)
    await lidarr.quiet()

    assert receiver.types == ["Grab", "Download", "Download", "Download"]
    assert [album["mbId"] for album in receiver.bodies("Grab")[0]["albums"]] == [FIRST, SECOND, THIRD]
    assert [body["album"]["mbId"] for body in receiver.bodies("Download")] == [FIRST, SECOND, THIRD]
    assert len({one.json["downloadId"] for one in receiver.received}) == 1
    assert len({one.json["artist"]["id"] for one in receiver.received}) == 1
    assert (await history(call))[:3] == ["grabbed"] * 3
    assert (await history(call))[-3:] == ["downloadImported"] * 3


@pytest.mark.parametrize(
    ("outcome", "state", "types"),
    [("stall", "downloading", ["Grab"]), ("blocked", "importBlocked", ["Grab"])],
)
async def test_stuck_downloads_stay_in_the_queue(
    lidarr: LidarrSimulator, call: Caller, receiver: Receiver, outcome: str, state: str, types: list[str]
) -> None:
    lidarr.control(default_outcome=outcome)
    album = await add_album(call, FIRST, search=True)
    await lidarr.quiet()
    assert receiver.types == types
    (row,) = await call.get("/api/v1/queue/details", albumIds=[album["id"]])
    assert row["trackedDownloadState"] == state
    # What is queued isn't grabbed a second time.
    await search_album(call, album["id"])
    await lidarr.quiet()
    assert receiver.types == types


async def test_vanished_download_leaves_no_trace(lidarr: LidarrSimulator, call: Caller, receiver: Receiver) -> None:
    lidarr.control(default_outcome="vanish")
    await add_album(call, FIRST, search=True)
    await lidarr.quiet()
    assert receiver.types == ["Grab"]
    assert await history(call) == ["grabbed"]
    assert (await call.get("/api/v1/queue/status"))["totalCount"] == 0


async def test_blackhole_has_no_download_id(lidarr: LidarrSimulator, call: Caller, receiver: Receiver) -> None:
    lidarr.control(plan={"album_mbid": FIRST, "client": "Blackhole"})
    await add_album(call, FIRST, search=True)
    await lidarr.quiet()
    assert receiver.types == ["Grab", "Download"]
    assert receiver.bodies("Grab")[0]["downloadClientType"] == "Torrent Blackhole"
    assert not {"downloadId", "downloadClient"} & set(receiver.bodies("Download")[0])
    assert "downloadId" not in receiver.bodies("Grab")[0]


async def test_upgrade_replaces_files(lidarr: LidarrSimulator, call: Caller, receiver: Receiver) -> None:
    lidarr.control(album={"album_mbid": FIRST, "in_library": True, "files": 3})
    (album,) = await call.get("/api/v1/album", foreignAlbumId=FIRST)
    await search_album(call, album["id"])
    await lidarr.quiet()
    assert receiver.types == []  # complete: there is nothing to find

    lidarr.control(plan={"album_mbid": FIRST, "attempts": ["upgrade"]})
    await search_album(call, album["id"])
    await lidarr.quiet()
    (download,) = receiver.bodies("Download")
    assert download["isUpgrade"] is True
    assert [file["quality"] for file in download["deletedFiles"]] == ["MP3-320"] * 3
    assert [file["quality"] for file in download["trackFiles"]] == ["FLAC"] * 3


@pytest.mark.parametrize("webhook", [True, False])
async def test_manual_import_without_id(
    lidarr: LidarrSimulator, call: Caller, receiver: Receiver, webhook: bool
) -> None:
    lidarr.control(manual_import={"album_mbid": FIRST, "webhook": webhook})
    await lidarr.quiet()
    assert receiver.types == ["Download"] * webhook
    assert all("downloadId" not in body for body in receiver.bodies("Download"))
    assert await history(call) == ["trackFileImported"] * 3
    (album,) = await call.get("/api/v1/album", foreignAlbumId=FIRST)
    assert album["statistics"]["percentOfTracks"] == 100


async def test_a_grab_that_nobody_asked_for(lidarr: LidarrSimulator, call: Caller, receiver: Receiver) -> None:
    answer = lidarr.control(grab={"album_mbid": FIRST, "pack": [SECOND], "outcome": "import"})
    await lidarr.quiet()
    assert receiver.types == ["Grab", "Download", "Download"]
    assert receiver.bodies("Grab")[0]["release"]["releaseTitle"] == answer["grab"]["release"]
    rows = await call.get("/api/v1/history/since", date="2000-01-01", eventType="grabbed")
    assert {row["data"]["releaseSource"] for row in rows} == {"Rss"}


async def test_steps_happen_only_when_told(lidarr: LidarrSimulator, call: Caller, receiver: Receiver) -> None:
    lidarr.control(pace="manual")
    album = await add_album(call, FIRST)
    command = await search_album(call, album["id"])
    again = await search_album(call, album["id"])
    assert again["id"] == command["id"]  # identical and waiting: one command
    await lidarr.quiet()
    assert receiver.types == []

    lidarr.control(advance=1)
    await lidarr.quiet()
    assert receiver.types == ["Grab"]
    (row,) = (await call.get("/api/v1/queue"))["records"]
    assert row["status"] == "downloading"
    assert row["sizeleft"] > 0

    status, _ = await call("POST", "/_control", {"advance": 5})
    assert status == 200
    await lidarr.quiet()
    assert receiver.types == ["Grab", "Download"]
    assert (await search_album(call, album["id"]))["id"] != command["id"]


async def test_a_refreshed_artist_brings_its_other_albums(lidarr: LidarrSimulator, call: Caller) -> None:
    artist = {"artist_mbid": "00000000-0000-4000-8000-0000000000a1", "artist_name": "Example Ensemble"}
    lidarr.control(albums=[{"album_mbid": mbid} | artist for mbid in (FIRST, SECOND)])
    status, added = await call(
        "POST",
        "/api/v1/artist",
        {
            "foreignArtistId": artist["artist_mbid"],
            "artistName": "ignored",
            "qualityProfileId": 1,
            "metadataProfileId": 1,
            "rootFolderPath": "/music",
        },
    )
    assert status == 201
    assert added["artistName"] == "Example Ensemble"
    await lidarr.quiet()
    albums = await call.get("/api/v1/album", artistId=added["id"])
    assert [album["monitored"] for album in albums] == [False, False]
    assert albums[0]["statistics"] | {"trackCount": 0, "totalTrackCount": 3} == albums[0]["statistics"]
