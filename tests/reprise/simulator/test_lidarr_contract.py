"""Every route of the simulated Lidarr answers as Lidarr's published API description says."""

from __future__ import annotations

import re

import pytest

from reprise.simulator import LidarrSimulator
from tests.reprise.simulator import openapi_contract
from tests.reprise.simulator.stage import FIRST, SECOND, THIRD, Caller, add_album, search_album

# Lidarr takes these without the id in the path, too; its description doesn't tell.
UNDESCRIBED = {("PUT", "/api/v1/album"), ("PUT", "/api/v1/artist"), ("PUT", "/api/v1/notification")}


def described(lidarr: LidarrSimulator) -> set[tuple[str, str]]:
    routes = {(route.method, re.sub(r"{(\w+):[^}]*}", r"{\1}", route.path)) for route in lidarr.routes()}
    return routes - UNDESCRIBED


async def a_full_life(lidarr: LidarrSimulator, call: Caller) -> None:
    """Bring every kind of record into being."""
    lidarr.control(
        plans=[
            {"album_mbid": FIRST, "attempts": ["partial"], "client": "qBittorrent"},
            {"album_mbid": SECOND, "attempts": ["fail", "import"]},
            {"album_mbid": THIRD, "attempts": ["stall"]},
        ],
        folder={"path": "/downloads/job", "album_mbid": FIRST},
        health=[{"source": "IndexerStatusCheck", "type": "error", "message": "down", "wikiUrl": "http://wiki"}],
    )
    for mbid in (FIRST, SECOND, THIRD):
        await add_album(call, mbid, search=True)
    await search_album(call, 99)
    await lidarr.quiet()


async def test_every_answer_is_within_the_contract(lidarr: LidarrSimulator, call: Caller) -> None:
    await a_full_life(lidarr, call)
    (connection,) = await call.get("/api/v1/notification")
    album, artist = await call.get("/api/v1/album/1"), await call.get("/api/v1/artist/1")
    include = {"includeArtist": True, "includeAlbum": True, "includeTrack": True}
    assert (await call.get("/api/v1/queue", **include))["totalRecords"] == 2
    (offered, *_) = await call.get("/api/v1/release", albumId=2)
    found = await call.get("/api/v1/manualimport", folder="/downloads/job")
    assert found

    for path, query in [
        ("/ping", {}),
        ("/api/v1/system/status", {}),
        ("/api/v1/health", {}),
        ("/api/v1/rootfolder", {}),
        ("/api/v1/qualityprofile", {}),
        ("/api/v1/qualityprofile/2", {}),
        ("/api/v1/diskspace", {}),
        ("/api/v1/filesystem", {}),
        ("/api/v1/filesystem", {"path": "/downloads/job/", "includeFiles": True}),
        ("/api/v1/filesystem/type", {"path": "/downloads/job"}),
        ("/api/v1/filesystem/mediafiles", {"path": "/downloads"}),
        ("/api/v1/metadataprofile", {}),
        ("/api/v1/tag", {}),
        ("/api/v1/remotepathmapping", {}),
        ("/api/v1/config/downloadclient", {}),
        ("/api/v1/notification/schema", {}),
        ("/api/v1/notification/1", {}),
        ("/api/v1/artist/lookup", {"term": f"lidarr:{artist['foreignArtistId']}"}),
        ("/api/v1/search", {"term": "album"}),
        ("/api/v1/album", {}),
        ("/api/v1/artist", {}),
        ("/api/v1/track", {"albumId": 1}),
        ("/api/v1/trackfile", {"albumId": 1}),
        ("/api/v1/wanted/missing", {"includeArtist": True}),
        ("/api/v1/wanted/cutoff", {}),
        ("/api/v1/command", {}),
        ("/api/v1/command/1", {}),
        ("/api/v1/queue/details", include),
        ("/api/v1/queue/status", {}),
        ("/api/v1/history", include | {"pageSize": 100}),
        ("/api/v1/history/since", include | {"date": "2000-01-01"}),
        ("/api/v1/history/artist", include | {"artistId": 1}),
        ("/api/v1/blocklist", {}),
    ]:
        assert await call.get(path, **query) is not None

    (row, other) = (await call.get("/api/v1/queue"))["records"]
    lidarr.control(pace="manual")
    _, waiting = await call("POST", "/api/v1/command", {"name": "RssSync"})
    new_artist = artist | {"id": 0, "foreignArtistId": "00000000-0000-4000-8000-0000000000a9"}
    for method, path, body in [
        ("POST", "/api/v1/release", {name: offered[name] for name in ("guid", "indexerId")}),
        ("POST", "/api/v1/manualimport", found),
        ("POST", "/api/v1/tag", {"label": "x"}),
        ("POST", "/api/v1/artist", new_artist),
        ("POST", "/api/v1/notification", connection | {"name": "Another"}),
        ("POST", "/api/v1/notification/test", connection),
        ("PUT", "/api/v1/notification/1", connection),
        ("PUT", "/api/v1/album/1", album),
        ("PUT", "/api/v1/album/monitor", {"albumIds": [1], "monitored": True}),
        ("PUT", "/api/v1/artist/1", artist),
        ("PUT", "/api/v1/artist/editor", {"artistIds": [1], "monitored": True}),
        ("DELETE", f"/api/v1/command/{waiting['id']}", None),
        ("DELETE", f"/api/v1/queue/{row['id']}", None),
        ("DELETE", "/api/v1/queue/bulk", {"ids": [other["id"]]}),
        ("DELETE", "/api/v1/notification/2", None),
        ("DELETE", "/api/v1/album/1", None),
        ("DELETE", "/api/v1/artist/1", None),
    ]:
        status, answer = await call(method, path, body)
        assert status in (200, 201, 202), (method, path, answer)
    await lidarr.quiet()

    heard = {(one.method, openapi_contract.template_of(one.path)) for one in lidarr.calls if one.status < 300}
    assert described(lidarr) - heard == set()


def test_every_route_is_one_of_lidarrs() -> None:
    known = {
        (method.upper(), path)
        for path, methods in openapi_contract.excerpt()["responses"].items()
        for method in methods
    }
    assert described(LidarrSimulator()) == known


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        ({"status": "OK", "strange": 1}, "strange"),
        ({"status": 1}, "not of type"),
    ],
)
def test_the_contract_bites(answer: object, fault: str) -> None:
    openapi_contract.check("GET", "/ping", {"status": None})
    with pytest.raises(AssertionError, match=fault):
        openapi_contract.check("GET", "/ping", answer)
