"""The simulated Lidarr's own records of artists, albums, tracks and files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count

from reprise.simulator.clock import Clock
from reprise.simulator.lidarr.catalogue import KnownAlbum, made_up

EXTENSIONS = {"FLAC": "flac", "MP3-320": "mp3", "MP3-VBR-V0": "mp3", "AAC-256": "m4a"}
TRACK_BYTES = 30_000_000


@dataclass(slots=True, kw_only=True, eq=False)
class TrackFile:
    id: int
    path: str
    quality: str
    size: int
    added_at: datetime
    release_group: str | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class Track:
    id: int
    mbid: str
    title: str
    number: str
    absolute: int
    disc: int
    file: TrackFile | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class Artist:
    id: int
    mbid: str
    name: str
    path: str
    root: str
    added_at: datetime
    quality_profile_id: int = 1
    metadata_profile_id: int = 1
    monitored: bool = True
    monitor_new_items: str = "none"
    tags: list[int] = field(default_factory=list)


@dataclass(slots=True, kw_only=True, eq=False)
class Album:
    id: int
    mbid: str
    title: str
    album_type: str
    released_at: datetime
    artist: Artist
    tracks: list[Track]
    discs: int
    release_id: int
    release_mbid: str
    monitored: bool = True
    any_release_ok: bool = True
    last_search_at: datetime | None = None

    @property
    def files(self) -> list[TrackFile]:
        return [track.file for track in self.tracks if track.file is not None]

    @property
    def complete(self) -> bool:
        return len(self.files) == len(self.tracks)

    @property
    def folder(self) -> str:
        return f"{self.artist.path}/{self.title} ({self.released_at.year})"

    def track_path(self, track: Track, quality: str) -> str:
        name = f"{self.artist.name} - {self.title} - {track.absolute:02d} - {track.title}"
        return f"{self.folder}/{name}.{EXTENSIONS.get(quality, 'flac')}"


class Library:
    """Artists and albums, findable by id and by MBID."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.reset()

    def reset(self) -> None:
        self.artists: dict[int, Artist] = {}
        self.albums: dict[int, Album] = {}
        self._artist_ids: dict[str, int] = {}
        self._album_ids: dict[str, int] = {}
        self._ids = {kind: count(1) for kind in ("artist", "album", "release", "track", "file")}

    def artist(self, mbid: str) -> Artist | None:
        found = self._artist_ids.get(mbid)
        return None if found is None else self.artists[found]

    def album(self, mbid: str) -> Album | None:
        found = self._album_ids.get(mbid)
        return None if found is None else self.albums[found]

    def albums_of(self, artist: Artist) -> list[Album]:
        return [album for album in self.albums.values() if album.artist is artist]

    def add_artist(self, *, mbid: str, name: str, root: str = "/music") -> Artist:
        artist = Artist(
            id=next(self._ids["artist"]),
            mbid=mbid,
            name=name,
            root=root,
            path=f"{root.rstrip('/')}/{name}",
            added_at=self._clock.now(),
        )
        self.artists[artist.id] = artist
        self._artist_ids[mbid] = artist.id
        return artist

    def add_album(self, known: KnownAlbum, artist: Artist) -> Album:
        titles = known.titles
        per_disc = -(-len(titles) // known.discs) or 1
        tracks = [
            Track(
                id=next(self._ids["track"]),
                mbid=made_up("track", known.album_mbid, index),
                title=title,
                number=str(index % per_disc + 1),
                absolute=index + 1,
                disc=index // per_disc + 1,
            )
            for index, title in enumerate(titles)
        ]
        album = Album(
            id=next(self._ids["album"]),
            mbid=known.album_mbid,
            title=known.title,
            album_type=known.album_type,
            released_at=datetime.fromisoformat(known.release_date).replace(tzinfo=UTC),
            artist=artist,
            tracks=tracks,
            discs=known.discs,
            release_id=next(self._ids["release"]),
            release_mbid=made_up("release", known.album_mbid),
            monitored=known.monitored,
        )
        self.albums[album.id] = album
        self._album_ids[album.mbid] = album.id
        return album

    def add_file(self, album: Album, track: Track, *, quality: str, size: int, release_group: str | None) -> TrackFile:
        """Give `track` a new file; the one it had, if any, is no longer its own."""
        track.file = TrackFile(
            id=next(self._ids["file"]),
            path=album.track_path(track, quality),
            quality=quality,
            size=size,
            added_at=self._clock.now(),
            release_group=release_group,
        )
        return track.file

    def remove_files(self, album: Album, *, but: Sequence[Track]) -> None:
        for track in album.tracks:
            if track not in but:
                track.file = None

    def remove_album(self, album: Album) -> None:
        del self.albums[album.id], self._album_ids[album.mbid]

    def remove_artist(self, artist: Artist) -> None:
        for album in self.albums_of(artist):
            self.remove_album(album)
        del self.artists[artist.id], self._artist_ids[artist.mbid]
