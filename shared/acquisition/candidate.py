"""What Soulseek offers for an album: one peer's folder, with exactly the files that are wanted of it."""

from __future__ import annotations

import msgspec


class WantedFile(msgspec.Struct, frozen=True, omit_defaults=True):
    """A file of a candidate by its full remote name. local is where slskd put it, once it has arrived."""

    filename: str
    size_bytes: int
    local: str | None = None


class Candidate(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One peer's folder that may be the album. score from 0 to 1; explanation says for people how it came about.

    release_id is Lidarr's number of the release whose tracks it holds, where Lidarr told of any.
    """

    username: str
    folder: str
    files: tuple[WantedFile, ...]
    format: str
    score: float
    explanation: tuple[str, ...] = ()
    release_id: int | None = None

    @property
    def size_bytes(self) -> int:
        """All of its files together."""
        return sum(file.size_bytes for file in self.files)
