"""What each command of a simulated Lidarr does once its turn has come."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from reprise.simulator.lidarr.commands import Command, Commands
from reprise.simulator.lidarr.downloads import Downloads
from reprise.simulator.lidarr.imports import Imports
from reprise.simulator.lidarr.ledger import Download
from reprise.simulator.lidarr.library import Album, Artist, Track
from reprise.simulator.lidarr.world import World

IDLE_COMMANDS = (
    "RefreshAlbum",
    "RefreshMonitoredDownloads",
    "RescanFolders",
    "RenameFiles",
    "RenameArtist",
    "RetagFiles",
    "RetagArtist",
    "CheckHealth",
    "RssSync",
    "Backup",
    "MessagingCleanup",
    "ApplicationUpdateCheck",
    "CutoffUnmetAlbumSearch",
)


class Work:
    """Teaches the command queue its commands."""

    def __init__(self, world: World, commands: Commands, downloads: Downloads, imports: Imports) -> None:
        self._world = world
        self._downloads = downloads
        self._imports = imports
        commands.teach("AlbumSearch", self._album_search)
        commands.teach("ArtistSearch", self._artist_search)
        commands.teach("MissingAlbumSearch", self._missing_search)
        commands.teach("RefreshArtist", self._refresh_artist)
        commands.teach("DownloadedAlbumsScan", self._scan)
        commands.teach("ManualImport", self._manual_import)
        for name in IDLE_COMMANDS:
            commands.teach(name, self._nothing)

    async def _nothing(self, command: Command) -> None:
        command.message = "Completed"

    async def _album_search(self, command: Command) -> None:
        for album_id in command.body.get("albumIds") or []:
            if album_id not in self._world.library.albums:
                raise LookupError(f"Album with ID {album_id} does not exist")
            source = "UserInvokedSearch" if command.trigger == "manual" else "Search"
            found = await self._downloads.search(self._world.library.albums[album_id], source=source)
            command.message = f"Searched for one album. {found} reports downloaded."

    async def _artist_search(self, command: Command) -> None:
        artist = self._world.library.artists[int(command.body["artistId"])]
        found = await self._search_each([album for album in self._world.library.albums_of(artist) if album.monitored])
        command.message = f"Searched for an artist. {found} reports downloaded."

    async def _missing_search(self, command: Command) -> None:
        missing = [
            album
            for album in self._world.library.albums.values()
            if album.monitored and album.artist.monitored and not album.complete
        ]
        found = await self._search_each(missing)
        command.message = f"Searched for {len(missing)} missing albums. {found} reports downloaded."

    async def _search_each(self, albums: list[Album]) -> int:
        return sum([await self._downloads.search(album) for album in albums])

    async def _refresh_artist(self, command: Command) -> None:
        """Bring in the artist's other albums, unmonitored, as the metadata server knows them."""
        wanted = command.body.get("artistId")
        for artist in list(self._world.library.artists.values()):
            if wanted in (None, artist.id):
                for known in self._world.catalogue.by_artist(artist.mbid):
                    if self._world.library.album(known.album_mbid) is None:
                        self._world.library.add_album(known, artist).monitored = False
        command.message = "Completed"

    async def _scan(self, command: Command) -> None:
        """Import a folder; completed either way, and `unsuccessful` when nothing came in."""
        path = str(command.body.get("path") or "")
        if not path:
            raise LookupError("No path was given")
        download = self._tracked(command.body.get("downloadClientId"))
        artist = download.release.album.artist if download is not None else self._artist_of(path)
        found: dict[int, list[tuple[Track, str]]] = {}
        for file in self._imports.seen(path):
            match = None if file.bad else self._imports.match(file)
            if match is not None and match[0].artist is artist:
                found.setdefault(match[0].id, []).append((match[1], file.path))
        for album_id, pairs in found.items():
            await self._take(self._world.library.albums[album_id], pairs, download, command)
        if download is not None and found:
            self._imports.finish(download)
        command.result = "successful" if found else "unsuccessful"
        command.message = "Completed" if found else "Failed to import"

    async def _manual_import(self, command: Command) -> None:
        """Import files as told; the webhook goes out only where existing files may be replaced."""
        files = command.body.get("files") or []
        by_album: dict[int, list[Any]] = {}
        for file in files:
            by_album.setdefault(int(file["albumId"]), []).append(file)
        for album_id, chosen in by_album.items():
            album = self._world.library.albums.get(album_id)
            if album is None:
                raise LookupError(f"Album with ID {album_id} does not exist")
            tracks = {track.id: track for track in album.tracks}
            pairs = []
            for file in chosen:
                if not self._imports.seen(file["path"]):
                    # One file that it can't see fails the whole command, after what came before it.
                    raise LookupError(f"Could not find file '{file['path']}'")
                pairs += [(tracks[one], file["path"]) for one in file.get("trackIds") or [] if one in tracks]
            download = self._tracked(next((file["downloadId"] for file in chosen if file.get("downloadId")), None))
            await self._take(album, pairs, download, command)
            if download is not None and pairs:
                self._imports.finish(download)
        # Lidarr reports success here even when nothing came in, and counts refused files, too; only history tells.
        command.message = f"Manually imported {len(files)} files"

    async def _take(
        self, album: Album, pairs: list[tuple[Track, str]], download: Download | None, command: Command
    ) -> None:
        announce = command.name != "ManualImport" or bool(command.body.get("replaceExistingFiles"))
        sources = [self._imports.seen(path)[0] for _, path in pairs]
        tracks = [track for track, _ in pairs]
        if tracks and (command.name != "ManualImport" or command.body.get("replaceExistingFiles")):
            # To replace means the whole album: files of other tracks go, too.
            self._world.library.remove_files(album, but=tracks)
        await self._imports.bring_in(album, tracks, download=download, sources=sources, announce=announce)
        if str(command.body.get("importMode", "auto")).casefold() != "copy":
            for _, path in pairs:
                self._imports.consume(path)

    def _artist_of(self, path: str) -> Artist | None:
        """Whose music a folder holds, going by its own name alone, as Lidarr does before it looks inside."""
        name = _plain(PurePosixPath(path).name)
        return next((one for one in self._world.library.artists.values() if _plain(one.name) in name), None)

    def _tracked(self, download_id: Any) -> Download | None:
        return self._world.ledger.find(str(download_id)) if download_id else None


def _plain(name: str) -> str:
    return "".join(filter(str.isalnum, name.casefold()))
