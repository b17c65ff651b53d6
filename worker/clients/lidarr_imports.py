"""Handing files over to Lidarr: whether it sees them, what it makes of them, and having it import them."""

from __future__ import annotations

from collections.abc import Sequence

from worker.clients import lidarr_calls as calls
from worker.clients.lidarr_answers import Command
from worker.clients.lidarr_candidates import (
    Contents,
    Entry,
    ImportCandidate,
    ImportCommand,
    ImportFile,
    ImportMode,
    PathKind,
)
from worker.clients.lidarr_peer import LidarrPeer


class LidarrImports(LidarrPeer):
    async def path_kind(self, path: str) -> PathKind:
        """What Lidarr itself sees at an absolute path of its own machine.

        Lidarr shows a folder that isn't there like an empty one (and its `/filesystem/type` calls anything that is
        no file a folder), so what looks empty is looked for in the folder above it.
        """
        separator = "/" if "/" in path else "\\"
        whole = path.rstrip(separator)
        above, _, name = whole.rpartition(separator)
        async with self._peer.bounded(calls.FILE_SYSTEM):
            inside = await self._contents(whole + separator)
            if inside.directories or inside.files or not name:
                return PathKind.FOLDER
            beside = await self._contents(above + separator)
        if _has(beside.directories, name, separator):
            return PathKind.FOLDER
        return PathKind.FILE if _has(beside.files, name, separator) else PathKind.MISSING

    async def audio_files(self, folder: str) -> tuple[str, ...]:
        """The paths of all audio files that Lidarr sees at any depth of a folder; none, if there is no such folder."""
        found = await self._peer.fetch(calls.AUDIO_FILES, query=[("path", folder)])
        return tuple(file.path for file in found)

    async def manual_import_candidates(
        self, folder: str, *, artist_id: int | None = None
    ) -> tuple[ImportCandidate, ...]:
        """Every audio file at any depth of a folder with what Lidarr takes it for; none, if there is no such folder.

        Say whose music it is, or Lidarr guesses by the folder's name. Lidarr reads every file for this: it may take
        as long as `IMPORT_PATIENCE_S`.
        """
        query: list[tuple[str, str | int]] = [("folder", folder)]
        query += [("artistId", artist_id)] if artist_id is not None else []
        query += [("filterExistingFiles", "true"), ("replaceExistingFiles", "true")]
        return await self._peer.fetch(calls.CANDIDATES, query=query)

    async def imports(self) -> tuple[ImportCommand, ...]:
        """The imports by hand and scans that wait, run, or ended within the last minutes, the newest first."""
        found = await self._peer.fetch(calls.COMMANDS)
        return tuple(sorted((one for one in found if one.paths), key=lambda one: -one.id))

    async def start_manual_import(self, files: Sequence[ImportFile], *, import_mode: ImportMode = "move") -> Command:
        """Have Lidarr import files as exactly these tracks, whatever speaks against it, and send a Download webhook.

        All files that the album has are deleted first, so hand over the album whole. The command's result is
        `successful` even if nothing came in, and its message counts what was refused, too: only history and the
        album tell. A file that Lidarr can't see fails the command. An identical one that hasn't ended is returned.
        """
        body = {"name": "ManualImport", "importMode": import_mode, "replaceExistingFiles": True, "files": files}
        return await self._peer.fetch(calls.START_COMMAND, body=body)

    async def start_scan(self, path: str, *, import_mode: ImportMode = "move") -> Command:
        """Have Lidarr import what it likes of a folder; the command ends `unsuccessful` if that is nothing.

        Lidarr takes the artist from the folder's own name, and gives up where it can't. It deletes the files of every
        album that it imports to, as a manual import does.
        """
        body = {"name": "DownloadedAlbumsScan", "path": path, "importMode": import_mode}
        return await self._peer.fetch(calls.START_COMMAND, body=body)

    async def _contents(self, folder: str) -> Contents:
        return await self._peer.fetch(calls.FILE_SYSTEM, query=[("path", folder), ("includeFiles", "true")])


def _has(entries: Sequence[Entry], name: str, separator: str) -> bool:
    if separator == "\\":  # Windows, where case doesn't matter
        return any(entry.name.casefold() == name.casefold() for entry in entries)
    return any(entry.name == name for entry in entries)
