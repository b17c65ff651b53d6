"""The Lidarr client against the simulated Lidarr, over real HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from aiohttp import web

from reprise.simulator import LidarrSimulator
from shared.config import Secret
from worker.clients import lidarr_peer
from worker.clients.answers import NotFoundAtPeer, PeerAway, PeerFailed, PeerMisconfigured, PeerRefused
from worker.clients.lidarr import LidarrClient
from worker.clients.lidarr_answers import Album, AlbumStatistics
from worker.clients.lidarr_calls import HistoryType

MBID = "00000000-0000-4000-8000-000000000501"
PACKED = "00000000-0000-4000-8000-000000000502"


@pytest.fixture
async def simulator() -> AsyncIterator[LidarrSimulator]:
    found = LidarrSimulator(api_key="a-key")
    async with found.serve():
        yield found


@pytest.fixture
async def lidarr(simulator: LidarrSimulator) -> AsyncIterator[LidarrClient]:
    client = LidarrClient(simulator.url, Secret("a-key"))
    yield client
    await client.close()


async def added(lidarr: LidarrClient, mbid: str = MBID) -> Album:
    known = await lidarr.lookup_album(mbid)
    assert known is not None
    assert known.artist is not None
    (root, *_) = await lidarr.root_folders()
    return await lidarr.add_album(
        album_mbid=mbid,
        artist_mbid=known.artist.foreign_artist_id,
        artist_name=known.artist.artist_name,
        quality_profile_id=root.default_quality_profile_id,
        metadata_profile_id=root.default_metadata_profile_id,
        root_folder_path=root.path,
    )


async def test_it_says_who_it_is(lidarr: LidarrClient) -> None:
    await lidarr.ping()
    status = await lidarr.status()
    assert (status.app_name, status.instance_name) == ("Lidarr", "Lidarr")
    assert status.version
    assert status.start_time is not None


async def test_what_is_needed_to_add_an_album_can_be_read(lidarr: LidarrClient) -> None:
    (root, *_) = await lidarr.root_folders()
    assert root.path
    assert root.accessible
    assert root.free_space is not None
    assert root.default_quality_profile_id in {profile.id for profile in await lidarr.quality_profiles()}
    assert root.default_metadata_profile_id in {profile.id for profile in await lidarr.metadata_profiles()}
    config = await lidarr.download_client_config()
    assert config.enable_completed_download_handling


async def test_an_album_is_looked_up_added_and_found(lidarr: LidarrClient, simulator: LidarrSimulator) -> None:
    simulator.control(unknown=[PACKED])
    assert await lidarr.lookup_album(PACKED) is None
    known = await lidarr.lookup_album(MBID)
    assert known is not None
    assert (known.id, known.foreign_album_id) == (0, MBID)
    assert known.releases[0].track_count == 3
    assert await lidarr.album_by_mbid(MBID) is None

    album = await added(lidarr)
    assert album.id > 0
    assert album.monitored
    assert not album.complete
    found = await lidarr.album_by_mbid(MBID.upper())
    assert found is not None
    assert found.id == album.id
    assert found.artist is not None
    assert found.artist.monitored
    # Nothing was searched for behind our back.
    await simulator.quiet()
    assert await lidarr.queue() == ()


async def test_adding_what_is_there_gives_what_is_there(lidarr: LidarrClient, simulator: LidarrSimulator) -> None:
    first = await added(lidarr)
    await lidarr.monitor([first.id], monitored=False)
    again = await added(lidarr)
    assert again.id == first.id
    assert not again.monitored
    assert [call.status for call in simulator.calls if call.method == "POST"] == [201, 400]


async def test_adding_with_a_bad_folder_is_refused_with_the_reason(lidarr: LidarrClient) -> None:
    with pytest.raises(PeerRefused) as caught:
        await lidarr.add_album(
            album_mbid=MBID,
            artist_mbid=str(uuid4()),
            artist_name="Somebody",
            quality_profile_id=1,
            metadata_profile_id=1,
            root_folder_path="/nowhere",
        )
    assert caught.value.complaints
    assert all(complaint.message for complaint in caught.value.complaints)


async def test_albums_and_artists_are_monitored(lidarr: LidarrClient) -> None:
    album = await added(lidarr)
    for wanted in (False, True):
        await lidarr.monitor([album.id], monitored=wanted)
        await lidarr.monitor_artists([album.artist_id], monitored=wanted)
        found = await lidarr.album(album.id)
        assert found is not None
        assert found.artist is not None
        assert (found.monitored, found.artist.monitored) == (wanted, wanted)
        assert found.artist.quality_profile_id == (album.artist or found.artist).quality_profile_id


async def test_albums_are_read_by_id_even_when_one_is_gone(lidarr: LidarrClient) -> None:
    first, second = await added(lidarr, MBID), await added(lidarr, PACKED)
    assert {album.id for album in await lidarr.albums([first.id, second.id])} == {first.id, second.id}
    assert {album.id for album in await lidarr.albums([first.id, 99999])} == {first.id}
    assert await lidarr.albums([]) == ()
    assert await lidarr.album(99999) is None


async def test_a_search_ends_in_an_import_that_history_knows(lidarr: LidarrClient, simulator: LidarrSimulator) -> None:
    began = datetime.now(UTC) - timedelta(seconds=1)
    album = await added(lidarr)
    command = await lidarr.search_album(album.id)
    assert command.name == "AlbumSearch"
    await simulator.quiet()

    ended = await lidarr.command(command.id)
    assert ended is not None
    assert ended.over
    assert (ended.status, ended.result) == ("completed", "successful")
    assert "1 reports downloaded" in ended.message
    assert await lidarr.command(99999) is None
    found = await lidarr.album(album.id)
    assert found is not None
    assert found.complete

    (grab,) = await lidarr.history(album_id=album.id, event_types=[HistoryType.GRABBED])
    assert (grab.event_type, grab.album_id) == ("grabbed", album.id)
    assert grab.download_id
    rows = await lidarr.history(
        download_id=grab.download_id, event_types=[HistoryType.GRABBED, HistoryType.DOWNLOAD_IMPORTED]
    )
    assert [row.event_type for row in rows] == ["downloadImported", "grabbed"]
    assert rows[0].date >= rows[1].date
    assert await lidarr.history(download_id="nobody's") == ()
    everything = await lidarr.history_since(began)
    assert {row.id for row in rows} < {row.id for row in everything}
    assert await lidarr.history_since(began, event_type=HistoryType.DOWNLOAD_FAILED) == ()
    assert await lidarr.history_since(datetime.now(UTC) + timedelta(hours=1)) == ()
    assert {row["id"] for row in await lidarr.history_rows_since(began)} == {row.id for row in everything}


async def test_the_reason_of_a_failure_is_in_history(lidarr: LidarrClient, simulator: LidarrSimulator) -> None:
    simulator.control(plan={"album_mbid": MBID, "attempts": ["fail", "nothing_found"], "reason": "Archive is damaged"})
    album = await added(lidarr)
    await lidarr.search_album(album.id)
    await simulator.quiet()
    (failed,) = await lidarr.history(album_id=album.id, event_types=[HistoryType.DOWNLOAD_FAILED])
    assert failed.data["message"] == "Archive is damaged"


async def test_a_download_is_seen_in_the_queue_and_dropped(lidarr: LidarrClient, simulator: LidarrSimulator) -> None:
    simulator.control(plan={"album_mbid": MBID, "attempts": [{"outcome": "stall", "pack": [PACKED]}]})
    album, packed = await added(lidarr, MBID), await added(lidarr, PACKED)
    await lidarr.search_album(album.id)
    await simulator.quiet()

    items = await lidarr.queue()
    assert {item.album_id for item in items} == {album.id, packed.id}
    assert len({item.download_id for item in items}) == 1
    assert items[0].tracked_download_state == "downloading"
    (detail,) = await lidarr.queue_details([packed.id])
    assert detail.album_id == packed.id
    assert await lidarr.queue_details([]) == ()

    assert await lidarr.drop(items[0].id, blocklist=True, skip_redownload=True) is True
    assert await lidarr.queue() == ()
    assert await lidarr.drop(items[0].id, blocklist=True, skip_redownload=True) is False
    (deleted, _) = [call for call in simulator.calls if call.method == "DELETE"]
    assert deleted.query == {"removeFromClient": ["true"], "blocklist": ["true"], "skipRedownload": ["true"]}


async def test_all_pages_are_read(
    lidarr: LidarrClient, simulator: LidarrSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lidarr_peer, "PAGE_SIZE", 2)
    simulator.control(default_outcome="stall")
    albums = [await added(lidarr, str(uuid4())) for _ in range(5)]
    for album in albums:
        await lidarr.search_album(album.id)
    await simulator.quiet()
    assert {item.album_id for item in await lidarr.queue()} == {album.id for album in albums}
    assert len(await lidarr.history(event_types=[HistoryType.GRABBED])) == 5
    pages = [call.query["page"] for call in simulator.calls if call.path == "/api/v1/queue"]
    assert pages == [["1"], ["2"], ["3"]]


async def test_a_page_that_shows_less_than_is_counted_is_no_reading() -> None:
    """Lidarr's answer while its queue moves, held still here so that it stays wrong."""

    async def queue(request: web.Request) -> web.Response:
        return web.json_response({"page": 1, "pageSize": 500, "totalRecords": 2, "records": [{"id": 1}]})

    app = web.Application()
    app.add_routes([web.get("/api/v1/queue", queue)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    client = LidarrClient(f"http://127.0.0.1:{runner.addresses[0][1]}", None)
    try:
        with pytest.raises(PeerFailed, match=r"counts 2 .* shows 1"):
            await client.queue()
    finally:
        await client.close()
        await runner.cleanup()


async def test_a_connection_is_found_and_tested(lidarr: LidarrClient, simulator: LidarrSimulator) -> None:
    with pytest.raises(NotFoundAtPeer):
        await lidarr.test_notification(1)
    simulator.control(webhooks={"url": "http://127.0.0.1:1/webhooks/lidarr", "secret": "s3cret"})
    (ours,) = await lidarr.notifications()
    assert (ours.name, ours.implementation) == ("Reprise", "Webhook")
    assert ours.field("url") == "http://127.0.0.1:1/webhooks/lidarr"
    assert ours.on_grab
    with pytest.raises(PeerRefused):  # nobody listens there
        await lidarr.test_notification(ours.id)
    (tested,) = [call for call in simulator.calls if call.path.endswith("/test")]
    assert tested.body["id"] == ours.id
    assert {"fields", "configContract"} <= tested.body.keys()


async def test_a_lidarr_that_starts_or_is_gone_or_refuses_the_key_is_stepped_aside_for(
    lidarr: LidarrClient, simulator: LidarrSimulator
) -> None:
    simulator.control(starting=True)
    with pytest.raises(PeerAway, match="503"):
        await lidarr.status()
    simulator.control(starting=False, offline=True)
    with pytest.raises(PeerAway):
        await lidarr.queue()
    simulator.control(offline=False, bad_key=True)
    with pytest.raises(PeerMisconfigured, match="LIDARR_API_KEY"):
        await lidarr.search_album(1)


async def test_a_passing_failure_is_not_noticed(lidarr: LidarrClient, simulator: LidarrSimulator) -> None:
    simulator.control(fail_next={"status": 503, "count": 2, "path": "/api/v1/queue"})
    assert await lidarr.queue() == ()
    simulator.control(fail_next={"status": 500, "path": "/api/v1/queue"})
    with pytest.raises(PeerFailed):
        await lidarr.queue()


@pytest.mark.parametrize(
    ("files", "counted", "total", "complete"),
    [(3, 3, 3, True), (2, 3, 3, False), (1, 1, 10, False), (0, 0, 0, False), (4, 3, 3, True)],
)
def test_an_album_is_complete_when_every_track_has_its_file(
    files: int, counted: int, total: int, complete: bool
) -> None:
    statistics = AlbumStatistics(track_file_count=files, track_count=counted, total_track_count=total)
    assert Album(statistics=statistics).complete is complete
