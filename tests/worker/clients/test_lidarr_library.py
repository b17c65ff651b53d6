"""Artists, tracks, what is wanted, and what a profile allows, read from the simulated Lidarr over real HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from reprise.simulator import LidarrSimulator
from tests.worker.clients.pairs import FIRST, SECOND, album_of, lidarr_pair
from worker.clients import lidarr_library
from worker.clients.lidarr import LidarrClient
from worker.clients.lidarr_answers import DiskSpace, free_bytes


@pytest.fixture
async def pair() -> AsyncIterator[tuple[LidarrClient, LidarrSimulator]]:
    async with lidarr_pair() as found:
        yield found


Pair = tuple[LidarrClient, LidarrSimulator]


async def test_tracks_come_in_the_order_of_the_release(pair: Pair) -> None:
    lidarr, simulator = pair
    simulator.control(album={"album_mbid": FIRST, "in_library": True, "tracks": 5, "discs": 2, "files": 1})
    album = await album_of(lidarr, FIRST)
    (release,) = album.releases
    assert (release.track_count, release.medium_count, release.format, release.monitored) == (5, 2, "2xCD", True)
    assert [medium.medium_number for medium in release.media] == [1, 2]
    assert release.media[0].medium_format == "CD"
    tracks = await lidarr.tracks(album_id=album.id)
    places = [(track.medium_number, track.track_number, track.absolute_track_number) for track in tracks]
    assert places == [(1, "1", 1), (1, "2", 2), (1, "3", 3), (2, "1", 4), (2, "2", 5)]
    assert [track.has_file for track in tracks] == [True, False, False, False, False]
    assert (tracks[0].title, tracks[0].duration, tracks[0].album_id) == ("Track 1", 210_000, album.id)
    assert await lidarr.tracks(album_release_id=release.id) == tracks
    assert await lidarr.tracks(album_id=99) == ()
    assert await lidarr.tracks() == ()


async def test_an_artist_names_its_profile_and_the_profile_its_qualities(pair: Pair) -> None:
    lidarr, simulator = pair
    profile = {"id": 1, "name": "Ours", "allowed": ["MP3-256", ["MP3-VBR-V0", "MP3-320"], "FLAC"], "cutoff": "FLAC"}
    simulator.control(album={"album_mbid": FIRST, "in_library": True}, quality_profiles=[profile])
    artist = await lidarr.artist((await album_of(lidarr, FIRST)).artist_id)
    assert artist is not None
    found = await lidarr.quality_profile(artist.quality_profile_id)
    assert found is not None
    assert (found.name, found.upgrade_allowed, found.cutoff) == ("Ours", True, 6)
    names = [[quality.name for quality in equals] for equals in found.allowed]
    assert names == [["FLAC"], ["MP3-VBR-V0", "MP3-320"], ["MP3-256"]]
    assert await lidarr.quality_profiles() == (found,)
    assert await lidarr.quality_profile(9) is None
    assert await lidarr.artist(99) is None


def dated(number: int, *, files: int = 0, monitored: bool = True, year: int = 0) -> dict[str, object]:
    mbid = f"00000000-0000-4000-8000-0000000009{number:02d}"
    date = f"{year or 2000 + number}-01-01"
    known = {"album_mbid": mbid, "release_date": date, "files": files, "monitored": monitored}
    return known | {"in_library": True, "tracks": 2}


async def test_what_is_missing_is_read_newest_first_and_no_more_than_asked(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    lidarr, simulator = pair
    monkeypatch.setattr(lidarr_library, "WANTED_PAGE_SIZE", 2)
    several = [dated(number) for number in (3, 1, 5, 4, 2)]
    others = [dated(11, files=2), dated(12, monitored=False), dated(13, year=2999), dated(14, files=1, year=1990)]
    simulator.control(albums=[*several, *others])

    async def wanted(limit: int, *skip: int) -> list[int]:
        barred = {f"00000000-0000-4000-8000-0000000009{number:02d}" for number in skip}
        found = await lidarr.wanted_missing(limit, skip=barred)
        assert all(album.artist is not None and album.artist.artist_name for album in found)
        return [int(album.foreign_album_id[-2:]) for album in found]

    assert await wanted(20) == [5, 4, 3, 2, 1, 14]
    assert await wanted(0) == []
    before = len(simulator.calls)
    assert await wanted(2) == [5, 4]
    assert len(simulator.calls) - before == 1
    assert await wanted(3, 5, 4, 2) == [3, 1, 14]


async def test_lidarr_tells_its_health_and_its_space(pair: Pair) -> None:
    lidarr, simulator = pair
    assert await lidarr.health() == ()
    simulator.control(
        health=[{"source": "IndexerCheck", "type": "warning", "message": "None answers", "wikiUrl": "https://wiki"}],
        free_space=5_000,
    )
    (found,) = await lidarr.health()
    assert (found.source, found.type, found.message, found.wiki_url) == (
        "IndexerCheck",
        "warning",
        "None answers",
        "https://wiki",
    )
    spaces = await lidarr.disk_space()
    assert {space.path: space.free_space for space in spaces} == {"/": 5_000, "/music": 5_000}
    assert free_bytes("/music/Somebody", spaces) == 5_000


@pytest.mark.parametrize(
    ("path", "free"),
    [("/music", 2), ("/music/a", 2), ("/musical/a", 1), ("/", 1), ("D:\\music\\a", 3), ("E:\\", None)],
)
def test_free_space_is_that_of_the_nearest_disk(path: str, free: int | None) -> None:
    spaces = [
        DiskSpace(path="/", free_space=1),
        DiskSpace(path="/music/", free_space=2),
        DiskSpace(path="D:\\", free_space=3),
    ]
    assert free_bytes(path, spaces) == free


async def test_what_isnt_there_is_none_and_not_an_error(pair: Pair) -> None:
    lidarr, simulator = pair
    assert await lidarr.wanted_missing(20) == ()
    assert free_bytes("/music", ()) is None
    simulator.control(unknown=[SECOND])
    assert await lidarr.album_by_mbid(SECOND) is None
