"""The metadata server behind a simulated Lidarr: which albums exist, and what they are called."""

from __future__ import annotations

import uuid

import msgspec

NAMESPACE = uuid.UUID("6f1d3f6e-8f0b-4a7b-9a0e-2f8a52c6c001")


class KnownAlbum(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """An album (release group) as the metadata server knows it; knob `album`.

    `in_library` adds it to Lidarr at once, with the first `files` tracks present in `quality`.
    """

    album_mbid: str
    title: str = ""
    artist_mbid: str = ""
    artist_name: str = ""
    tracks: int | list[str] = 3
    discs: int = 1
    release_date: str = "2021-02-18"
    album_type: str = "Album"
    in_library: bool = False
    monitored: bool = True
    files: int = 0
    quality: str = "MP3-320"

    @property
    def titles(self) -> list[str]:
        if isinstance(self.tracks, list):
            return self.tracks
        return [f"Track {number}" for number in range(1, self.tracks + 1)]


def made_up(*parts: object) -> str:
    """A UUID that depends on nothing but `parts`."""
    return str(uuid.uuid5(NAMESPACE, "/".join(map(str, parts))))


class Catalogue:
    """Knows every MBID, unless told otherwise; what it wasn't told, it makes up, always alike."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._albums: dict[str, KnownAlbum] = {}
        self.unknown: set[str] = set()
        self.all_known = True

    def add(self, album: KnownAlbum) -> KnownAlbum:
        """Tell the catalogue about an album; fields left empty are made up."""
        short = album.album_mbid.rpartition("-")[2][-6:] or album.album_mbid
        album.title = album.title or f"Album {short}"
        album.artist_name = album.artist_name or f"Artist {short}"
        album.artist_mbid = album.artist_mbid or made_up("artist", album.artist_name)
        self._albums[album.album_mbid] = album
        self.unknown.discard(album.album_mbid)
        return album

    def find(self, mbid: str) -> KnownAlbum | None:
        if mbid in self.unknown:
            return None
        if mbid in self._albums:
            return self._albums[mbid]
        if not self.all_known or not is_uuid(mbid):
            return None
        return self.add(KnownAlbum(album_mbid=mbid))

    def search(self, words: str) -> list[KnownAlbum]:
        """Albums whose artist and title hold every word."""
        wanted = words.casefold().split()
        return [
            album
            for album in self._albums.values()
            if album.album_mbid not in self.unknown
            and all(word in f"{album.artist_name} {album.title}".casefold() for word in wanted)
        ]

    def by_artist(self, mbid: str) -> list[KnownAlbum]:
        return [album for album in self._albums.values() if album.artist_mbid == mbid]


def is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False
