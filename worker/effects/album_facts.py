"""What Lidarr knows of an album that helps to recognise it on Soulseek: its releases, tracks and wished formats."""

from __future__ import annotations

from collections.abc import Sequence

from shared.acquisition.model import Acquisition
from worker.clients.lidarr import LidarrClient
from worker.clients.lidarr_answers import Album, AlbumRelease
from worker.effects.effect import Tools
from worker.matching import DEFAULT_FORMATS, Release, Track, Wanted, formats_from_profile

# Editions differ mostly in their number of tracks; the tracks of one of each are enough to tell them apart.
_MOST_RELEASES = 6


async def wanted_album(acquisition: Acquisition, tools: Tools) -> Wanted:
    """The album as matching needs it. Without Lidarr only its names are known."""
    names = Wanted(artist_name=acquisition.artist_name, album_title=acquisition.album_title)
    album = await _album(acquisition, tools.lidarr)
    if tools.lidarr is None or album is None:
        return names
    return Wanted(
        artist_name=(album.artist.artist_name if album.artist else "") or names.artist_name,
        album_title=album.title or names.album_title,
        releases=tuple([await _release(one, tools.lidarr) for one in _editions(album.releases)]),
        year=album.release_date.year if album.release_date else None,
    )


async def wished_formats(acquisition: Acquisition, tools: Tools) -> tuple[str, ...]:
    """The setting formats, or else what the artist's quality profile allows in Lidarr."""
    if wished := tools.settings().formats:
        return wished
    album = await _album(acquisition, tools.lidarr)
    if tools.lidarr is None or album is None:
        return DEFAULT_FORMATS
    artist = await tools.lidarr.artist(album.artist_id)
    profile = None if artist is None else await tools.lidarr.quality_profile(artist.quality_profile_id)
    if profile is None:
        return DEFAULT_FORMATS
    worst_first = [quality.name for group in reversed(profile.allowed) for quality in group]
    return formats_from_profile((name, True) for name in worst_first)


async def _album(acquisition: Acquisition, lidarr: LidarrClient | None) -> Album | None:
    if lidarr is None or acquisition.lidarr_album_id is None:
        return None
    return await lidarr.album(acquisition.lidarr_album_id)


def _editions(releases: Sequence[AlbumRelease]) -> list[AlbumRelease]:
    """The monitored release, and one of each other number of tracks."""
    by_count: dict[int, AlbumRelease] = {}
    for release in sorted(releases, key=lambda one: (not one.monitored, one.id)):
        by_count.setdefault(release.track_count, release)
    return list(by_count.values())[:_MOST_RELEASES]


async def _release(release: AlbumRelease, lidarr: LidarrClient) -> Release:
    tracks = await lidarr.tracks(album_release_id=release.id)
    return Release(
        id=release.id,
        track_count=release.track_count or len(tracks),
        disc_count=max(1, release.medium_count),
        tracks=tuple(Track(one.title, max(1, one.medium_number), one.duration / 1000 or None) for one in tracks),
    )
