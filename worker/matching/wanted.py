"""What is looked for, and what was found: the nouns of matching."""

from __future__ import annotations

import msgspec


class Track(msgspec.Struct, frozen=True):
    """A track of a release, in the order of its disc; `length_s` in seconds."""

    title: str
    disc: int = 1
    length_s: float | None = None


class Release(msgspec.Struct, frozen=True):
    """One edition of an album, by Lidarr's id; `tracks` in order, or empty when only their number is known."""

    id: int
    track_count: int
    disc_count: int = 1
    tracks: tuple[Track, ...] = ()


class Wanted(msgspec.Struct, frozen=True):
    """An album: any of its releases will do. Without releases nothing but the names can be compared.

    `aliases` are other names of the artist; `year` is when the album first came out.
    """

    artist_name: str
    album_title: str
    releases: tuple[Release, ...] = ()
    aliases: tuple[str, ...] = ()
    year: int | None = None


class WantedFile(msgspec.Struct, frozen=True):
    """A file to download, by its full remote name."""

    filename: str
    size_bytes: int


class Candidate(msgspec.Struct, frozen=True):
    """Files of one peer that are, together, a complete album in one format.

    `folder` is the remote folder that holds them all; `format` is the wished format that they meet; `release_id` says
    which release they make up (None when no release is known). `score` is from 0 to 1, `explanation` says why.
    """

    username: str
    folder: str
    files: tuple[WantedFile, ...]
    release_id: int | None
    format: str
    size_bytes: int
    score: float
    explanation: tuple[str, ...]


class Refused(msgspec.Struct, frozen=True):
    """A folder that isn't the album, or can't be had; `reason` is for a person, `kind` for counting."""

    username: str
    folder: str
    reason: str
    kind: str


class Ranking(msgspec.Struct, frozen=True):
    """Candidates, best first; the refused that came nearest; and how many were refused in all, by kind."""

    candidates: tuple[Candidate, ...] = ()
    refused: tuple[Refused, ...] = ()
    refused_by_kind: tuple[tuple[str, int], ...] = ()

    @property
    def best(self) -> Candidate | None:
        return self.candidates[0] if self.candidates else None

    @property
    def refused_count(self) -> int:
        return sum(count for _, count in self.refused_by_kind)
