"""What the simulated Lidarr sees of the disk, which qualities it allows, and what replacing files does."""

from __future__ import annotations

from typing import Any

import pytest

from reprise.simulator import KnobError, LidarrSimulator
from tests.reprise.simulator.stage import FIRST, Caller, add_album

FILES = "/api/v1/filesystem"


async def names(call: Caller, path: str, **query: Any) -> tuple[list[str], list[str]]:
    found = await call.get(FILES, path=path, includeFiles=True, **query)
    return [one["path"] for one in found["directories"]], [one["path"] for one in found["files"]]


async def test_folders_and_files_are_listed(lidarr: LidarrSimulator, call: Caller) -> None:
    lidarr.control(folder={"path": "/downloads/job-1/CD1", "tracks": ["01.flac"]})
    lidarr.control(folder={"path": "/downloads/job-1", "tracks": ["cover.jpg"]})
    assert await names(call, "/") == (["/downloads/", "/music/"], [])
    assert await names(call, "/downloads/job-1/") == (["/downloads/job-1/CD1/"], ["/downloads/job-1/cover.jpg"])
    (file,) = (await call.get(FILES, path="/downloads/job-1/CD1/", includeFiles=True))["files"]
    assert (file["name"], file["extension"], file["size"]) == ("01.flac", ".flac", 30_000_001)
    assert (await call.get(FILES, path="/downloads/job-1/"))["files"] == []
    # Without a slash a path is what somebody has typed so far, unless asked otherwise.
    assert await names(call, "/downloads/job-1") == (["/downloads/job-1/"], [])
    assert (await names(call, "/downloads/job-1", allowFoldersWithoutTrailingSlashes=True))[1] != []
    assert await names(call, "job-1") == ([], [])


async def test_a_folder_that_is_not_there_looks_empty(lidarr: LidarrSimulator, call: Caller) -> None:
    assert await call.get(FILES, path="/gone/job-1/") == {"parent": "/gone/", "directories": [], "files": []}
    assert await call.get(f"{FILES}/type", path="/gone/job-1") == {"type": "folder"}
    assert await call.get(f"{FILES}/mediafiles", path="/gone/job-1") == []


async def test_only_what_is_mounted_is_seen(lidarr: LidarrSimulator, call: Caller) -> None:
    lidarr.control(
        folder={"path": "/downloads/job-1", "tracks": ["01.flac", "01.log"]},
        mounts=[{"disk": "/downloads", "seen_as": "/data/soulseek"}],
    )
    assert await names(call, "/") == (["/data/", "/music/"], [])
    assert await names(call, "/data/soulseek/") == (["/data/soulseek/job-1/"], [])
    assert await call.get(f"{FILES}/type", path="/data/soulseek/job-1/01.flac") == {"type": "file"}
    assert await call.get(f"{FILES}/type", path="/downloads/job-1/01.flac") == {"type": "folder"}
    seen = {"path": "/data/soulseek/job-1/01.flac", "name": "01.flac"}
    assert await call.get(f"{FILES}/mediafiles", path="/data/soulseek") == [seen]


async def test_free_space_is_a_knob(lidarr: LidarrSimulator, call: Caller) -> None:
    lidarr.control(free_space=12_345)
    assert {one["path"]: one["freeSpace"] for one in await call.get("/api/v1/diskspace")} == {
        "/": 12_345,
        "/music": 12_345,
    }
    assert [one["freeSpace"] for one in await call.get("/api/v1/rootfolder")] == [12_345]


async def test_quality_profiles_are_a_knob(lidarr: LidarrSimulator, call: Caller) -> None:
    assert [one["name"] for one in await call.get("/api/v1/qualityprofile")] == ["Any", "Lossless"]
    allowed = ["MP3-320", ["FLAC", "ALAC"]]
    lidarr.control(quality_profiles=[{"id": 7, "name": "Ours", "allowed": allowed, "cutoff": "ALAC"}])
    profile = await call.get("/api/v1/qualityprofile/7")
    *_, single, group = profile["items"]
    assert [one for one in profile["items"] if one["allowed"]] == [single, group]
    assert single["quality"] == {"id": 4, "name": "MP3-320"}
    assert [one["quality"]["name"] for one in group["items"]] == ["FLAC", "ALAC"]
    assert profile["cutoff"] == group["id"] >= 1000
    assert (await call("GET", "/api/v1/qualityprofile/1"))[0] == 404
    for wrong in (["Cassette"], []):
        with pytest.raises(KnobError, match="no quality"):
            lidarr.control(quality_profiles=[{"id": 1, "name": "Ours", "allowed": wrong}])


async def chosen(call: Caller, folder: str, *, more: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    files = [
        {
            "path": one["path"],
            "artistId": one["artist"]["id"],
            "albumId": one["album"]["id"],
            "albumReleaseId": one["albumReleaseId"],
            "trackIds": [track["id"] for track in one["tracks"]],
            "quality": one["quality"],
        }
        for one in await call.get("/api/v1/manualimport", folder=folder)
    ]
    return [*files, *(files[0] | {"path": path} for path in more)]


async def manual_import(lidarr: LidarrSimulator, call: Caller, files: list[dict[str, Any]]) -> dict[str, Any]:
    body = {"name": "ManualImport", "importMode": "move", "replaceExistingFiles": True, "files": files}
    _, command = await call("POST", "/api/v1/command", body)
    await lidarr.quiet()
    ended: dict[str, Any] = await call.get(f"/api/v1/command/{command['id']}")
    return ended


async def test_replacing_means_the_whole_album(lidarr: LidarrSimulator, call: Caller) -> None:
    lidarr.control(album={"album_mbid": FIRST, "in_library": True, "files": 3})
    lidarr.control(folder={"path": "/downloads/job-1", "album_mbid": FIRST, "tracks": 2})
    ended = await manual_import(lidarr, call, await chosen(call, "/downloads/job-1"))
    assert (ended["status"], ended["result"], ended["message"]) == (
        "completed",
        "successful",
        "Manually imported 2 files",
    )
    assert (await call.get("/api/v1/album/1"))["statistics"]["trackFileCount"] == 2


async def test_a_file_that_cannot_be_seen_fails_the_import(lidarr: LidarrSimulator, call: Caller) -> None:
    await add_album(call, FIRST)
    lidarr.control(folder={"path": "/downloads/job-1", "album_mbid": FIRST})
    files = await chosen(call, "/downloads/job-1", more=("/downloads/job-1/gone.flac",))
    ended = await manual_import(lidarr, call, files)
    assert (ended["status"], ended["message"]) == ("failed", "Failed")
    assert "gone.flac" in ended["exception"]
    assert (await call.get("/api/v1/album/1"))["statistics"]["trackFileCount"] == 0
