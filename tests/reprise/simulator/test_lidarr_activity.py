"""Queue, history, commands, releases and imports as the simulated Lidarr answers them."""

from __future__ import annotations

import pytest

from reprise.simulator import DiskFile, LidarrSimulator
from tests.reprise.simulator.stage import FIRST, SECOND, THIRD, Caller, Receiver, add_album, search_album


async def stalled(lidarr: LidarrSimulator, call: Caller) -> dict[str, object]:
    lidarr.control(default_outcome="stall")
    await add_album(call, FIRST, search=True)
    await lidarr.quiet()
    (row,) = (await call.get("/api/v1/queue"))["records"]
    return row


@pytest.mark.parametrize(
    ("query", "types", "last"),
    [
        ({"blocklist": True, "skipRedownload": True}, ["Grab", "DownloadFailure"], "downloadFailed"),
        ({"blocklist": True}, ["Grab", "DownloadFailure", "Grab"], "grabbed"),
        ({}, ["Grab"], "grabbed"),
        ({"removeFromClient": False}, ["Grab"], "downloadIgnored"),
    ],
)
async def test_dropping_a_download(
    lidarr: LidarrSimulator, call: Caller, receiver: Receiver, query: dict[str, bool], types: list[str], last: str
) -> None:
    row = await stalled(lidarr, call)
    assert await call("DELETE", f"/api/v1/queue/{row['id']}", **query) == (200, {})
    await lidarr.quiet()
    assert receiver.types == types
    rows = await call.get("/api/v1/history/since", date="2000-01-01")
    assert rows[-1]["eventType"] == last
    assert (await call("DELETE", f"/api/v1/queue/{row['id']}"))[0] == 404


async def test_dropping_one_row_drops_the_whole_pack(lidarr: LidarrSimulator, call: Caller, receiver: Receiver) -> None:
    lidarr.control(plan={"album_mbid": FIRST, "attempts": [{"pack": [SECOND, THIRD], "outcome": "stall"}]})
    await add_album(call, FIRST, search=True)
    await lidarr.quiet()
    rows = (await call.get("/api/v1/queue", includeArtist=True))["records"]
    assert len({row["id"] for row in rows}) == len({row["albumId"] for row in rows}) == 3
    assert len({row["downloadId"] for row in rows}) == 1
    query = {"blocklist": True, "skipRedownload": True}
    assert (await call("DELETE", "/api/v1/queue/bulk", {"ids": [rows[1]["id"], 5]}, **query))[0] == 200
    await lidarr.quiet()
    assert await call.get("/api/v1/queue/details") == []
    assert receiver.types == ["Grab", "DownloadFailure"]
    failed = await call.get("/api/v1/history", eventType=4, pageSize=50)
    assert sorted(row["albumId"] for row in failed["records"]) == sorted(row["albumId"] for row in rows)


async def test_a_removed_download_never_ends(lidarr: LidarrSimulator, call: Caller, receiver: Receiver) -> None:
    lidarr.control(pace="manual")
    await add_album(call, FIRST, search=True)
    lidarr.control(advance=1)
    await lidarr.quiet()
    (row,) = (await call.get("/api/v1/queue"))["records"]
    await call("DELETE", f"/api/v1/queue/{row['id']}")
    lidarr.control(advance=1)
    await lidarr.quiet()
    assert receiver.types == ["Grab"]


async def test_pages_hold_ten_unless_asked(lidarr: LidarrSimulator, call: Caller) -> None:
    lidarr.control(default_outcome="stall")
    for number in range(12):
        await add_album(call, f"00000000-0000-4000-8000-{number:012d}", search=True)
    await lidarr.quiet()
    first = await call.get("/api/v1/queue")
    assert (first["totalRecords"], len(first["records"]), first["pageSize"]) == (12, 10, 10)
    assert len((await call.get("/api/v1/queue", page=2))["records"]) == 2
    assert len((await call.get("/api/v1/queue", pageSize=500))["records"]) == 12
    lidarr.control(empty_queue_page=1)
    assert (await call.get("/api/v1/queue"))["totalRecords"] == 0
    assert (await call.get("/api/v1/queue"))["totalRecords"] == 12


async def test_history_filters(lidarr: LidarrSimulator, call: Caller, receiver: Receiver) -> None:
    first, second = [await add_album(call, mbid, search=True) for mbid in (FIRST, SECOND)]
    await lidarr.quiet()
    newest = await call.get("/api/v1/history", pageSize=100)
    assert newest["totalRecords"] == 10
    ids = [row["id"] for row in newest["records"]]
    assert ids == sorted(ids, reverse=True)
    imported = await call.get("/api/v1/history", eventType=[1, 8], albumId=first["id"], includeArtist=True)
    assert [row["eventType"] for row in imported["records"]] == ["downloadImported", "grabbed"]
    download_id = receiver.bodies("Grab")[1]["downloadId"]
    mine = await call.get("/api/v1/history", downloadId=download_id.upper(), includeAlbum=True, includeTrack=True)
    assert {row["albumId"] for row in mine["records"]} == {second["id"]}
    named = await call.get("/api/v1/history/artist", artistId=first["artistId"], eventType="grabbed")
    assert len(named) == 1


async def test_history_since_a_moment(lidarr: LidarrSimulator, call: Caller) -> None:
    await add_album(call, FIRST, search=True)
    await lidarr.quiet()
    lidarr.control(shift_clock=3600)
    await add_album(call, SECOND, search=True)
    await lidarr.quiet()
    rows = await call.get("/api/v1/history/since", date="2000-01-01T00:00:00Z")
    later = await call.get("/api/v1/history/since", date=rows[5]["date"])
    assert [row["id"] for row in later] == [row["id"] for row in rows[5:]]
    assert (await call("GET", "/api/v1/history/since", date="yesterday"))[0] == 400


async def test_commands(lidarr: LidarrSimulator, call: Caller) -> None:
    for name in ("RefreshMonitoredDownloads", "missingalbumsearch"):
        status, command = await call("POST", "/api/v1/command", {"name": name})
        assert status == 201
    await lidarr.quiet()
    assert (await call.get(f"/api/v1/command/{command['id']}"))["name"] == "MissingAlbumSearch"
    assert len(await call.get("/api/v1/command")) == 2
    assert (await call("POST", "/api/v1/command", {"name": "Dance"}))[0] == 500
    assert (await call("GET", "/api/v1/command/99"))[0] == 404
    assert (await call("DELETE", f"/api/v1/command/{command['id']}"))[0] == 409
    failed = await search_album(call, 99)
    await lidarr.quiet()
    assert (await call.get(f"/api/v1/command/{failed['id']}"))["status"] == "failed"


async def test_a_restart_orphans_commands(lidarr: LidarrSimulator, call: Caller, receiver: Receiver) -> None:
    lidarr.control(pace="manual")
    album = await add_album(call, FIRST)
    command = await search_album(call, album["id"])
    lidarr.control(restart=True)
    assert (await call.get(f"/api/v1/command/{command['id']}"))["status"] == "orphaned"
    lidarr.control(advance=5)
    await lidarr.quiet()
    assert receiver.types == []


async def test_interactive_search(lidarr: LidarrSimulator, call: Caller, receiver: Receiver) -> None:
    lidarr.control(plan={"album_mbid": FIRST, "attempts": ["fail", "import"]}, auto_redownload_failed=False)
    album = await add_album(call, FIRST)
    offered = await call.get("/api/v1/release", albumId=album["id"])
    assert [one["rejected"] for one in offered] == [False, False]
    chosen = {name: offered[0][name] for name in ("guid", "indexerId")}
    assert (await call("POST", "/api/v1/release", chosen))[0] == 200
    await lidarr.quiet()
    again = await call.get("/api/v1/release", albumId=album["id"])
    assert again[-1]["guid"] == chosen["guid"]
    assert again[-1]["rejections"] == ["Blocklisted before"]
    assert (await call("POST", "/api/v1/release", {"guid": "x", "indexerId": 1}))[0] == 404
    await call("POST", "/api/v1/release", {name: again[0][name] for name in ("guid", "indexerId")})
    await lidarr.quiet()
    assert receiver.types == ["Grab", "DownloadFailure", "Grab", "Download"]
    lidarr.control(plan={"album_mbid": SECOND, "attempts": ["nothing_found"]})
    other = await add_album(call, SECOND)
    assert await call.get("/api/v1/release", albumId=other["id"]) == []


async def test_folder_scan(lidarr: LidarrSimulator, call: Caller, receiver: Receiver) -> None:
    await add_album(call, FIRST)
    for name in ("job-1", "Artist 000501 - Job 1"):
        lidarr.control(folder={"path": f"/downloads/{name}", "album_mbid": FIRST})

    async def scan(path: str) -> tuple[str, str]:
        body = {"name": "DownloadedAlbumsScan", "path": path, "importMode": "move"}
        _, command = await call("POST", "/api/v1/command", body)
        await lidarr.quiet()
        ended = await call.get(f"/api/v1/command/{command['id']}")
        return ended["status"], ended["result"]

    assert await scan("/elsewhere") == ("completed", "unsuccessful")
    assert await scan("/downloads/job-1") == ("completed", "unsuccessful")  # whose music would that be
    assert await scan("/downloads/Artist 000501 - Job 1") == ("completed", "successful")
    assert receiver.types == ["Download"]
    assert await call.get("/api/v1/manualimport", folder="/downloads/Artist 000501 - Job 1") == []  # moved away


@pytest.mark.parametrize("replace", [True, False])
async def test_manual_import_with_explicit_ids(
    lidarr: LidarrSimulator, call: Caller, receiver: Receiver, replace: bool
) -> None:
    album = await add_album(call, FIRST)
    lidarr.control(mounts=[{"disk": "/downloads", "seen_as": "/data/soulseek"}])
    lidarr.control(folder={"path": "/downloads/job-1", "album_mbid": FIRST})
    assert await call.get("/api/v1/manualimport", folder="/downloads/job-1") == []
    found = await call.get(
        "/api/v1/manualimport", folder="/data/soulseek/job-1", artistId=album["artistId"], replaceExistingFiles=True
    )
    assert [one["rejections"] for one in found] == [[], [], []]
    assert (await call("POST", "/api/v1/manualimport", found))[0] == 202
    files = [
        {
            "path": one["path"],
            "artistId": album["artistId"],
            "albumId": album["id"],
            "albumReleaseId": album["releases"][0]["id"],
            "trackIds": [track["id"] for track in one["tracks"]],
            "quality": one["quality"],
            "indexerFlags": 0,
        }
        for one in found
    ]
    body = {"name": "ManualImport", "importMode": "copy", "replaceExistingFiles": replace, "files": files}
    _, command = await call("POST", "/api/v1/command", body)
    await lidarr.quiet()
    assert (await call.get(f"/api/v1/command/{command['id']}"))["status"] == "completed"
    assert receiver.types == ["Download"] * replace
    assert (await call.get(f"/api/v1/album/{album['id']}"))["statistics"]["trackFileCount"] == 3
    assert len(await call.get("/api/v1/manualimport", folder="/data/soulseek/job-1")) == 3  # copied


async def test_bad_and_unknown_files_are_refused(lidarr: LidarrSimulator, call: Caller, receiver: Receiver) -> None:
    album = await add_album(call, FIRST)
    lidarr.control(folder={"path": "/downloads/bad", "album_mbid": FIRST, "bad": True})
    lidarr.world.disk.put(DiskFile(path="/downloads/odd/what.mp3", size=1))
    reasons = [
        one["rejections"][0]["reason"]
        for folder in ("/downloads/bad", "/downloads/odd")
        for one in await call.get("/api/v1/manualimport", folder=folder)
    ]
    assert reasons == ["A track has no match"] * 3 + ["No album resembles this file"]
    by_name = f"/downloads/{album['title']}/01 Track 1.flac"
    lidarr.world.disk.put(DiskFile(path=by_name, size=1))
    (guessed,) = await call.get("/api/v1/manualimport", folder=by_name)
    assert guessed["tracks"][0]["absoluteTrackNumber"] == 1
    assert receiver.types == []


async def test_nothing_is_imported_without_completed_download_handling(
    lidarr: LidarrSimulator, call: Caller, receiver: Receiver
) -> None:
    lidarr.control(completed_download_handling=False)
    await add_album(call, FIRST, search=True)
    await lidarr.quiet()
    assert receiver.types == ["Grab"]
    assert (await call.get("/api/v1/queue"))["records"] == [], "and what is complete is no longer followed"


async def test_a_download_as_it_stands_in_its_client(lidarr: LidarrSimulator, call: Caller) -> None:
    lidarr.control(default_outcome="stall")
    await add_album(call, FIRST, search=True)
    await lidarr.quiet()
    lidarr.control(in_client={"album_mbid": FIRST, "status": "paused", "sizeleft": 12})
    (row,) = (await call.get("/api/v1/queue"))["records"]
    assert (row["status"], row["sizeleft"]) == ("paused", 12)
    lidarr.control(client_away=True)
    assert (await call.get("/api/v1/queue"))["records"] == []
    (problem,) = await call.get("/api/v1/health")
    assert problem["source"] == "DownloadClientCheck"
    lidarr.control(client_away=False)
    assert len((await call.get("/api/v1/queue"))["records"]) == 1


async def test_json_must_be_declared(lidarr: LidarrSimulator, call: Caller) -> None:
    async with call._session.post(
        f"{call.base}/api/v1/command", data="name=AlbumSearch", headers={"X-Api-Key": "a-key"}
    ) as answer:
        assert answer.status == 415
