"""Two simulated peers over one disk: what slskd saves, Lidarr imports."""

from __future__ import annotations

from reprise.simulator import Disk, LidarrSimulator, SlskdSimulator
from tests.reprise.simulator.stage import FIRST, Receiver, add_album, calling

KEY = "a-key-of-sixteen-characters"
FOLDER = "@@abcde\\Music\\Example Ensemble\\Second Wind"


async def test_what_slskd_saves_lidarr_imports(receiver: Receiver) -> None:
    disk = Disk()
    slskd, lidarr = SlskdSimulator(api_key=KEY, disk=disk), LidarrSimulator(api_key=KEY, disk=disk)
    async with slskd.serve(), lidarr.serve(), calling(slskd.url, KEY) as ask, calling(lidarr.url, KEY) as call:
        lidarr.control(mounts=[{"disk": "/downloads", "seen_as": "/data"}], webhooks={"url": receiver.url})
        slskd.control(peer={"username": "one", "folders": [{"path": FOLDER, "album_mbid": FIRST}]})
        album = await add_album(call, FIRST)
        _, found = await ask("POST", "/api/v0/searches", {"searchText": "example second wind"})
        await slskd.quiet()
        (response,) = await ask.get(f"/api/v0/searches/{found['id']}/responses")
        wanted = {"username": "one", "files": response["files"], "options": {"destination": "Artist 000501 - Job 1"}}
        assert (await ask("POST", "/api/v0/transfers/downloads/batches", wanted))[0] == 201
        await slskd.quiet()
        assert len(disk.under("/downloads/Artist 000501 - Job 1")) == 3

        await call("POST", "/api/v1/command", {"name": "DownloadedAlbumsScan", "path": "/data/Artist 000501 - Job 1"})
        await lidarr.quiet()
        assert (await call.get(f"/api/v1/album/{album['id']}"))["statistics"]["percentOfTracks"] == 100
        assert disk.under("/downloads") == []
    assert receiver.types == ["ArtistAdd", "Download"]
