"""An imaginary disk that simulated peers share: what slskd saves there, Lidarr can import."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskFile:
    """A file as its tags tell it; `bad` ones are refused at import."""

    path: str
    size: int
    album_mbid: str = ""
    track: int = 0
    bad: bool = False


class Disk:
    """Files by absolute path."""

    def __init__(self) -> None:
        self._files: dict[str, DiskFile] = {}

    def put(self, file: DiskFile) -> None:
        self._files[file.path] = file

    def get(self, path: str) -> DiskFile | None:
        return self._files.get(path)

    def take(self, path: str) -> DiskFile | None:
        return self._files.pop(path, None)

    def under(self, folder: str) -> list[DiskFile]:
        """Files below `folder`, or the file of that very path, in order of path."""
        root = PurePosixPath(folder)
        return [
            file for path, file in sorted(self._files.items()) if path == folder or root in PurePosixPath(path).parents
        ]

    def clear(self) -> None:
        self._files.clear()
