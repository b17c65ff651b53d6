"""Clients that nobody here wrote get along with the simulators."""

from __future__ import annotations

import asyncio
import uuid

import pytest
import requests
from pyarr import LidarrAPI
from pyarr.exceptions import PyarrBadRequest, PyarrResourceNotFound, PyarrUnauthorizedError
from slskd_api import SlskdClient

from reprise.simulator import LidarrSimulator, SlskdSimulator
from tests.reprise.simulator.stage import FIRST, Receiver

PEER = "peer_one"
FOLDER = "@@abcde\\Music\\Example Ensemble\\Second Wind"


async def test_pyarr_gets_an_album(lidarr: LidarrSimulator, receiver: Receiver) -> None:
    lidarr.control(plan={"album_mbid": FIRST, "attempts": ["fail", "partial"]})

    def drive() -> dict[str, object]:
        api = LidarrAPI(lidarr.url, "a-key")
        assert api.get_system_status()["appName"] == "Lidarr"
        assert api.get_root_folder()[0]["path"] == "/music"
        (found,) = api.lookup_album(f"lidarr:{FIRST}")
        added = api.add_album(found, "/music", search_for_new_album=False)
        with pytest.raises(PyarrBadRequest, match="already been added"):
            api.add_album(found, "/music")
        assert api.get_album(foreignAlbumId=FIRST)[0]["id"] == added["id"]  # type: ignore[arg-type]
        assert api.get_artist(added["artistId"])["foreignArtistId"] == found["artist"]["foreignArtistId"]
        assert api.upd_album(added | {"monitored": True})["monitored"] is True
        assert api.get_wanted()["totalRecords"] == 1
        api.create_tag("reprise")
        command = api.post_command("AlbumSearch", albumIds=[added["id"]])
        return {"album": added["id"], "command": command["id"]}

    ids = await asyncio.to_thread(drive)
    await lidarr.quiet()
    assert receiver.types == ["Grab", "DownloadFailure", "Grab", "Download", "ImportFailure"]

    def look() -> None:
        api = LidarrAPI(lidarr.url, "a-key")
        assert api.get_command(ids["command"])["status"] == "completed"  # type: ignore[arg-type]
        history = api.get_history(page=1, page_size=50, sort_key="date", sort_dir="descending")
        assert history["records"][0]["eventType"] == "albumImportIncomplete"
        (row,) = api.get_queue()["records"]
        assert row["trackedDownloadState"] == "importFailed"
        api.del_queue(row["id"], remove_from_client=True, blocklist=False)
        assert api.get_queue()["totalRecords"] == 0
        assert len(api.get_tracks(albumId=ids["album"])) == 3  # type: ignore[arg-type]
        assert len(api.get_track_file(albumId=ids["album"])) == 2  # type: ignore[arg-type]
        assert api.get_blocklist()["totalRecords"] == 1
        assert api.get_notification()[0]["implementation"] == "Webhook"
        api.delete_album(ids["album"])  # type: ignore[arg-type]
        with pytest.raises(PyarrResourceNotFound):
            api.get_album(ids["album"])  # type: ignore[arg-type]
        with pytest.raises(PyarrUnauthorizedError):
            LidarrAPI(lidarr.url, "wrong").get_system_status()

    await asyncio.to_thread(look)


async def test_slskd_api_gets_a_folder(slskd: SlskdSimulator, receiver: Receiver) -> None:
    slskd.control(peer={"username": PEER, "folders": [{"path": FOLDER, "tracks": 2}]})
    search_id = str(uuid.uuid4())

    def search() -> None:
        api = SlskdClient(slskd.url, slskd.api_key)
        assert api.application.state()["version"]["current"] == "0.26.0"
        assert api.server.state()["isLoggedIn"] is True
        assert api.options.get()["directories"]["downloads"] == "/downloads"
        assert api.shares.get_all()["local"][0]["files"] > 0
        assert api.searches.search_text("Example Ensemble Second Wind", id=search_id)["id"] == search_id

    await asyncio.to_thread(search)
    await slskd.quiet()

    def enqueue() -> None:
        api = SlskdClient(slskd.url, slskd.api_key)
        state = api.searches.state(search_id)
        assert (state["state"], state["isComplete"], state["responseCount"]) == ("Completed, TimedOut", True, 1)
        (response,) = api.searches.search_responses(search_id)
        assert api.users.status(PEER)["presence"] == "Online"
        assert api.users.browse(PEER)["directoryCount"] == 1
        assert api.users.directory(PEER, FOLDER)[0]["fileCount"] == 2
        assert api.transfers.enqueue(PEER, response["files"])

    await asyncio.to_thread(enqueue)
    await slskd.quiet()
    assert sorted(receiver.types) == ["DownloadDirectoryComplete", "DownloadFileComplete", "DownloadFileComplete"]

    def look() -> None:
        api = SlskdClient(slskd.url, username="slskd", password="slskd")
        (user,) = api.transfers.get_all_downloads()
        assert {file["state"] for file in user["directories"][0]["files"]} == {"Completed, Succeeded"}
        one = user["directories"][0]["files"][0]
        assert api.transfers.get_download(PEER, one["id"])["bytesRemaining"] == 0
        assert len(api.events.get()) == 3
        assert api.events.create("Noop")
        assert api.transfers.cancel_download(PEER, one["id"], remove=True)
        assert api.transfers.remove_completed_downloads()
        with pytest.raises(requests.HTTPError, match="404"):
            api.transfers.get_downloads(PEER)
        assert api.searches.delete(search_id)
        assert api.searches.get_all() == []
        assert api.session.auth_valid()
        with pytest.raises(requests.HTTPError, match="401"):
            SlskdClient(slskd.url, "wrong").application.state()

    await asyncio.to_thread(look)
    await slskd.quiet()
    assert receiver.types[-1] == "Noop"
