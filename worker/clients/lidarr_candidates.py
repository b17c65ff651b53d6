"""Files that Lidarr sees and might import, and what we tell it to import."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Literal

import msgspec

from worker.clients.lidarr_answers import Album, Answer, Artist, Command, Track

ImportMode = Literal["auto", "move", "copy"]


class PathKind(StrEnum):
    FOLDER = "folder"
    FILE = "file"
    MISSING = "missing"


class Entry(Answer, frozen=True, kw_only=True):
    """A folder or file; a folder's `path` ends with a separator, and its `size` is 0."""

    type: str = ""
    name: str = ""
    path: str = ""
    size: int = 0


class Contents(Answer, frozen=True, kw_only=True):
    """What a folder holds; nothing, too, if there is no such folder, or Lidarr may not look into it."""

    directories: tuple[Entry, ...] = ()
    files: tuple[Entry, ...] = ()


class AudioFile(Answer, frozen=True, kw_only=True):
    path: str = ""
    name: str = ""


class Rejection(Answer, frozen=True, kw_only=True):
    """Why Lidarr wouldn't import a file by itself; `type` is `permanent` or `temporary`."""

    reason: str = ""
    type: str = ""


class ImportCommand(Command, frozen=True, kw_only=True):
    """A command whole; `body` depends on its name, and is what it was ordered with."""

    body: Any = None

    @property
    def paths(self) -> tuple[str, ...]:
        """What a manual import brings in file by file, or the folder that is scanned; nothing for other commands."""
        body = self.body if isinstance(self.body, dict) else {}
        match self.name:
            case "ManualImport":
                files = body.get("files")
                return tuple(
                    str(file["path"])
                    for file in (files if isinstance(files, list) else ())
                    if isinstance(file, dict) and file.get("path")
                )
            case "DownloadedAlbumsScan":
                return (str(body["path"]),) if body.get("path") else ()
            case _:
                return ()


class ImportFile(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One file that Lidarr is to import as these tracks; `quality` is a candidate's, unchanged."""

    path: str
    artist_id: int
    album_id: int
    album_release_id: int
    track_ids: tuple[int, ...]
    quality: dict[str, Any]
    indexer_flags: int = 0
    disable_release_switching: bool = False


class ImportCandidate(Answer, frozen=True, kw_only=True):
    """A file with what Lidarr makes of it; it may be of no artist, album or track that Lidarr knows.

    `path` is as Lidarr sees it; `quality` is kept whole, to be sent back.
    """

    path: str = ""
    name: str = ""
    size: int = 0
    artist: Artist | None = None
    album: Album | None = None
    album_release_id: int = 0
    tracks: tuple[Track, ...] = ()
    quality: dict[str, Any] = {}
    indexer_flags: int = 0
    rejections: tuple[Rejection, ...] = ()
    additional_file: bool = False

    @property
    def reasons(self) -> tuple[str, ...]:
        """What speaks against importing it; nothing, when Lidarr would do it by itself."""
        return tuple(rejection.reason for rejection in self.rejections)

    def chosen(
        self,
        *,
        artist_id: int,
        album_id: int,
        album_release_id: int,
        track_ids: Sequence[int],
        disable_release_switching: bool = False,
    ) -> ImportFile:
        """This file, to be imported as these tracks."""
        return ImportFile(
            path=self.path,
            artist_id=artist_id,
            album_id=album_id,
            album_release_id=album_release_id,
            track_ids=tuple(track_ids),
            quality=self.quality,
            indexer_flags=self.indexer_flags,
            disable_release_switching=disable_release_switching,
        )
