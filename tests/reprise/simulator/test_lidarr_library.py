"""Albums, artists and lookups as the simulated Lidarr answers them."""

from __future__ import annotations

from typing import Any

import pytest

from reprise.simulator import KnobError, LidarrSimulator
from tests.reprise.simulator.stage import FIRST, SECOND, THIRD, Caller, Receiver, add_album


async def test_any_mbid_is_known_unless_told_otherwise(lidarr: LidarrSimulator, call: Caller) -> None:
    lidarr.control(unknown=[SECOND])
    for prefix in ("lidarr:", "lidarrid:", "mbid:"):
        (found,) = await call.get("/api/v1/album/lookup", term=prefix + FIRST)
        assert found["foreignAlbumId"] == FIRST
        assert await call.get("/api/v1/album/lookup", term=prefix + SECOND) == []
    assert "id" not in found
    assert await call.get("/api/v1/album/lookup", term="lidarr:no-mbid") == []
    lidarr.control(all_known=False)
    assert await call.get("/api/v1/album/lookup", term="lidarr:" + THIRD) == []


async def test_a_lookup_carries_the_id_of_what_was_added(call: Caller) -> None:
    album = await add_album(call, FIRST)
    (found,) = await call.get("/api/v1/album/lookup", term=f"lidarr:{FIRST}")
    assert found["id"] == album["id"]
    (artist,) = await call.get("/api/v1/artist/lookup", term=f"lidarr:{album['artist']['foreignArtistId']}")
    assert artist["id"] == album["artistId"]


async def test_words_find_known_albums(lidarr: LidarrSimulator, call: Caller) -> None:
    lidarr.control(album={"album_mbid": FIRST, "title": "First Light", "artist_name": "Éxample"})
    (found,) = await call.get("/api/v1/album/lookup", term="éxample light")
    assert found["title"] == "First Light"
    assert [one.get("foreignId") for one in await call.get("/api/v1/search", term="light")][-1] == FIRST
    assert await call.get("/api/v1/album/lookup", term="dark") == []


async def test_adding_twice_is_refused_in_lidarrs_words(call: Caller) -> None:
    album = await add_album(call, FIRST)
    status, faults = await call("POST", "/api/v1/album", album)
    assert status == 400
    assert faults[0]["propertyName"] == "ForeignAlbumId"
    assert faults[0]["errorMessage"] == "This album has already been added."
    assert faults[0]["attemptedValue"] == FIRST
    status, faults = await call("POST", "/api/v1/artist", album["artist"])
    assert (status, faults[0]["propertyName"]) == (400, "ForeignArtistId")


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"rootFolderPath": "/nowhere"}, "Artist.RootFolderPath"),
        ({"qualityProfileId": 0}, "Artist.QualityProfileId"),
        ({"metadataProfileId": 99}, "Artist.MetadataProfileId"),
        ({"foreignArtistId": ""}, "Artist.ForeignArtistId"),
    ],
)
async def test_an_artist_needs_its_settings(call: Caller, change: dict[str, Any], fault: str) -> None:
    (found,) = await call.get("/api/v1/album/lookup", term=f"lidarr:{FIRST}")
    found["artist"] |= {"qualityProfileId": 1, "metadataProfileId": 1, "rootFolderPath": "/music/"} | change
    status, faults = await call("POST", "/api/v1/album", found)
    assert (status, faults[0]["propertyName"]) == (400, fault)


async def test_an_unknown_album_cannot_be_added(lidarr: LidarrSimulator, call: Caller) -> None:
    (found,) = await call.get("/api/v1/album/lookup", term=f"lidarr:{FIRST}")
    lidarr.control(unknown=[FIRST])
    found["artist"] |= {"qualityProfileId": 1, "metadataProfileId": 1, "rootFolderPath": "/music"}
    status, faults = await call("POST", "/api/v1/album", found)
    assert (status, faults[0]["propertyName"]) == (400, "MusicbrainzId")


async def test_albums_are_found_by_every_filter(lidarr: LidarrSimulator, call: Caller) -> None:
    artist = {"artist_name": "Example Ensemble"}
    lidarr.control(albums=[{"album_mbid": mbid, "in_library": True} | artist for mbid in (FIRST, SECOND)])
    await add_album(call, THIRD)
    every = await call.get("/api/v1/album")
    assert len(every) == 3
    (first,) = await call.get("/api/v1/album", foreignAlbumId=FIRST)
    both = await call.get("/api/v1/album", foreignAlbumId=FIRST, includeAllArtistAlbums=True)
    assert both == await call.get("/api/v1/album", artistId=first["artistId"]) == every[:2]
    assert await call.get("/api/v1/album", albumIds=[first["id"], every[2]["id"]]) == [first, every[2]]
    assert await call.get("/api/v1/album", ALBUMIDS=[first["id"]]) == [first]
    assert await call.get("/api/v1/album", foreignAlbumId="unheard-of") == []
    assert (await call("GET", "/api/v1/album/99"))[0] == 404


async def test_tracks_of_unmonitored_albums_count_only_with_files(lidarr: LidarrSimulator, call: Caller) -> None:
    lidarr.control(album={"album_mbid": FIRST, "in_library": True, "monitored": False, "files": 1})
    (album,) = await call.get("/api/v1/album", foreignAlbumId=FIRST)
    counts = album["statistics"]
    assert (counts["trackFileCount"], counts["trackCount"], counts["totalTrackCount"]) == (1, 1, 3)
    status, (album,) = await call("PUT", "/api/v1/album/monitor", {"albumIds": [album["id"]], "monitored": True})
    assert status == 202
    assert album["monitored"] is True
    assert album["statistics"]["trackCount"] == 3


async def test_tracks_and_files(lidarr: LidarrSimulator, call: Caller) -> None:
    lidarr.control(album={"album_mbid": FIRST, "in_library": True, "tracks": ["A", "B", "C"], "discs": 2, "files": 2})
    (album,) = await call.get("/api/v1/album", foreignAlbumId=FIRST)
    tracks = await call.get("/api/v1/track", albumId=album["id"])
    assert [(one["mediumNumber"], one["trackNumber"], one["title"]) for one in tracks] == [
        (1, "1", "A"),
        (1, "2", "B"),
        (2, "1", "C"),
    ]
    assert [one["hasFile"] for one in tracks] == [True, True, False]
    assert len(await call.get("/api/v1/trackfile", albumId=album["id"])) == 2


async def test_updates_and_deletions(lidarr: LidarrSimulator, call: Caller, receiver: Receiver) -> None:
    album = await add_album(call, FIRST)
    other = await add_album(call, SECOND)
    status, changed = await call("PUT", f"/api/v1/album/{album['id']}", album | {"monitored": False})
    assert (status, changed["monitored"]) == (202, False)
    artist = await call.get(f"/api/v1/artist/{album['artistId']}")
    status, changed = await call("PUT", "/api/v1/artist", artist | {"monitored": False})
    assert (status, changed["monitored"]) == (202, False)
    assert await call("DELETE", f"/api/v1/album/{album['id']}") == (200, {})
    assert await call("DELETE", f"/api/v1/artist/{other['artistId']}", deleteFiles=True) == (200, {})
    await lidarr.quiet()
    assert [one["foreignArtistId"] for one in await call.get("/api/v1/artist")] == [artist["foreignArtistId"]]
    assert receiver.bodies("AlbumDelete")[0]["deletedFiles"] is False
    assert receiver.bodies("ArtistDelete")[0]["deletedFiles"] is True
    assert (await call("DELETE", "/api/v1/album/99"))[0] == 404


async def test_history_goes_with_its_artist(lidarr: LidarrSimulator, call: Caller) -> None:
    album = await add_album(call, FIRST, search=True)
    await lidarr.quiet()
    assert len(await call.get("/api/v1/history/artist", artistId=album["artistId"])) == 5
    await call("DELETE", f"/api/v1/album/{album['id']}")
    assert await call.get("/api/v1/history/since", date="2000-01-01") == []


async def test_wanted_albums(lidarr: LidarrSimulator, call: Caller) -> None:
    lidarr.control(
        albums=[
            {"album_mbid": FIRST, "in_library": True},
            {"album_mbid": SECOND, "in_library": True, "files": 3},
            {"album_mbid": THIRD, "in_library": True, "monitored": False},
        ]
    )
    missing = await call.get("/api/v1/wanted/missing", monitored=True, includeArtist=True)
    assert [one["foreignAlbumId"] for one in missing["records"]] == [FIRST]
    assert missing["records"][0]["artist"]["monitored"] is True
    unmonitored = await call.get("/api/v1/wanted/missing", monitored=False)
    assert [one["foreignAlbumId"] for one in unmonitored["records"]] == [THIRD]
    cutoff = await call.get("/api/v1/wanted/cutoff")
    assert [one["foreignAlbumId"] for one in cutoff["records"]] == [SECOND]


async def test_set_up(lidarr: LidarrSimulator, call: Caller) -> None:
    assert (await call.get("/ping"))["status"] == "OK"
    assert (await call.get("/api/v1/system/status"))["appName"] == "Lidarr"
    assert [one["path"] for one in await call.get("/api/v1/rootfolder")] == ["/music"]
    assert [one["id"] for one in await call.get("/api/v1/qualityprofile")] == [1, 2]
    assert [one["id"] for one in await call.get("/api/v1/metadataprofile")] == [1, 2]
    mapping = {"host": "slskd", "remotePath": "/downloads/", "localPath": "/data/"}
    lidarr.control(path_mappings=[mapping])
    assert await call.get("/api/v1/remotepathmapping") == [{"id": 1} | mapping]
    assert await call("POST", "/api/v1/tag", {"label": "Reprise"}) == (201, {"id": 1, "label": "reprise"})
    assert await call("POST", "/api/v1/tag", {"label": "reprise"}) == (201, {"id": 1, "label": "reprise"})
    assert await call.get("/api/v1/tag") == [{"id": 1, "label": "reprise"}]
    lidarr.control(health=[{"source": "IndexerStatusCheck", "type": "error", "message": "down"}])
    assert (await call.get("/api/v1/health"))[0]["message"] == "down"
    with pytest.raises(KnobError, match="nothing"):
        lidarr.control(nothing=1)
