"""Bringing files into the simulated Lidarr's library: from a finished download, by hand, or from a folder."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from reprise.simulator.disk import DiskFile
from reprise.simulator.lidarr import bodies
from reprise.simulator.lidarr.ledger import Download, HistoryType
from reprise.simulator.lidarr.library import TRACK_BYTES, Album, Track, TrackFile
from reprise.simulator.lidarr.world import World


class Imports:
    """Every way in which tracks get files."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def bring_in(
        self,
        album: Album,
        tracks: Sequence[Track],
        *,
        download: Download | None = None,
        quality: str = "FLAC",
        sources: Sequence[DiskFile] = (),
        announce: bool = True,
    ) -> None:
        """Import `tracks` of one album in one pass: files, history rows, then the webhook."""
        if not tracks:
            return
        replaced = [
            self._place(album, track, source=source, download=download, quality=quality)
            for track, source in zip_longest(tracks, sources)
        ]
        if announce:
            body = bodies.imported(
                album,
                tracks,
                replaced=[file for file in replaced if file is not None],
                download=download,
                labels=self._world.labels(album.artist),
                instance=self._world.instance,
            )
            await self._world.announce("Download", body, album.artist)

    def _place(
        self,
        album: Album,
        track: Track,
        *,
        source: DiskFile | None,
        download: Download | None,
        quality: str,
    ) -> TrackFile | None:
        """Give one track its file and history row; returns the file it replaced."""
        old = track.file
        release = download.release if download is not None else None
        quality = release.quality if release is not None and source is None else quality
        size = source.size if source is not None else TRACK_BYTES + track.id
        group = release.release_group if release is not None else None
        new = self._world.library.add_file(album, track, quality=quality, size=size, release_group=group)
        folder = download.output_path if download is not None else "/downloads/manual"
        dropped = source.path if source is not None else f"{folder}/{new.path.rpartition('/')[2]}"
        self._world.ledger.write(
            HistoryType.TRACK_FILE_IMPORTED,
            album,
            track=track,
            source_title=dropped.rpartition("/")[2].rpartition(".")[0],
            quality=quality,
            download_id=download.download_id if download is not None else None,
            data={
                "fileId": str(new.id),
                "droppedPath": dropped,
                "importedPath": new.path,
                "downloadClient": release.client.name if release is not None else None,
                "releaseGroup": group,
                "size": str(size),
                "indexerFlags": "0",
            },
        )
        return old

    def finish(self, download: Download) -> None:
        """The download is wholly imported: one history row per album, and it leaves the queue."""
        data: dict[str, str | None] = {"releaseGroup": download.release.release_group}
        self._world.ledger.write_each(HistoryType.DOWNLOAD_IMPORTED, download, download.albums, data)
        self._world.ledger.drop(download)

    def visible(self) -> list[DiskFile]:
        """Every file that Lidarr sees, with the path that it sees."""
        mounts = self._world.settings.mounts or [("/", "/")]
        return [file for _, seen_as in mounts for file in self.seen(seen_as)]

    def seen(self, folder: str) -> list[DiskFile]:
        """Files that Lidarr sees below `folder`, with the paths that it sees."""
        mounts = self._world.settings.mounts
        if not mounts:
            return self._world.disk.under(folder)
        found = []
        for on_disk, seen_as in mounts:
            if folder == seen_as or folder.startswith(seen_as.rstrip("/") + "/"):
                inside = on_disk.rstrip("/") + folder[len(seen_as.rstrip("/")) :]
                for file in self._world.disk.under(inside):
                    path = seen_as.rstrip("/") + file.path[len(on_disk.rstrip("/")) :]
                    found.append(
                        DiskFile(path=path, size=file.size, album_mbid=file.album_mbid, track=file.track, bad=file.bad)
                    )
        return found

    def consume(self, path: str) -> None:
        """Take a file, by the path that Lidarr sees, off the disk."""
        for on_disk, seen_as in self._world.settings.mounts or [("", "")]:
            if path.startswith(seen_as):
                self._world.disk.take(on_disk + path[len(seen_as) :])

    def match(self, file: DiskFile) -> tuple[Album, Track] | None:
        """The album and track that a file is, going by its tags, else by titles in its path."""
        library = self._world.library
        album = library.album(file.album_mbid) if file.album_mbid else None
        if album is None and not file.album_mbid:
            text = file.path.casefold()
            album = next((one for one in library.albums.values() if one.title.casefold() in text), None)
        if album is None:
            return None
        if not file.track:
            name = file.path.rpartition("/")[2].casefold()
            track = next((one for one in album.tracks if one.title.casefold() in name), None)
        else:
            track = next((one for one in album.tracks if one.absolute == file.track), None)
        return None if track is None else (album, track)
