"""Downloads as they go in a simulated Lidarr: searched, grabbed, and after a step imported, failed or stuck."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import partial
from typing import assert_never

import msgspec

from reprise.simulator.lidarr import bodies
from reprise.simulator.lidarr.commands import Commands
from reprise.simulator.lidarr.imports import Imports
from reprise.simulator.lidarr.ledger import CLIENTS, Download, HistoryType, ReleaseFound
from reprise.simulator.lidarr.library import TRACK_BYTES, Album
from reprise.simulator.lidarr.plans import Attempt, Outcome
from reprise.simulator.lidarr.world import World

MISSING = "Some tracks of this release were not imported"


class Downloads:
    """Grabs releases and lets each download meet its planned end."""

    def __init__(self, world: World, imports: Imports, commands: Commands) -> None:
        self._world = world
        self._imports = imports
        self._commands = commands

    def releases(self, album: Album) -> list[ReleaseFound]:
        """What indexers offer for an album, best first; nothing where its plan says so."""
        if self._world.plans.peek(album.mbid).outcome is Outcome.NOTHING_FOUND:
            return []
        plan = self._world.plans.of(album.mbid)
        offered = max(plan.releases, self._world.plans.used(album.mbid) + 1)
        return [self._release(album, number) for number in range(1, offered + 1)]

    async def search(self, album: Album, *, source: str = "UserInvokedSearch") -> int:
        """Search automatically for one album; returns how many releases were grabbed (0 or 1)."""
        album.last_search_at = self._world.clock.now()
        wanted = self._world.plans.peek(album.mbid).outcome
        if self._world.ledger.queued(album) or (album.complete and wanted is not Outcome.UPGRADE):
            return 0
        release = self.offer(album)
        attempt = self._world.plans.take(album.mbid)
        if attempt.outcome is Outcome.NOTHING_FOUND:
            return 0
        await self.grab(release, attempt, source=source)
        return 1

    def offer(self, album: Album) -> ReleaseFound:
        """The release that the next attempt at an album would take."""
        again = self._world.plans.of(album.mbid).same_download_id
        return self._release(album, 1 if again else self._world.plans.used(album.mbid) + 1)

    async def grab(self, release: ReleaseFound, attempt: Attempt, *, source: str) -> Download:
        """Send a release to its download client: queue, history rows, webhook; its end is a step away."""
        albums = [release.album, *self._pack(release.album, attempt.pack)]
        known = release.client.name != "Blackhole"
        nzo = f"SABnzbd_nzo_{release.info_hash[:8].lower()}"
        download = Download(
            download_id=(release.info_hash if release.client.protocol == "torrent" else nzo) if known else None,
            release=release,
            albums=albums,
            outcome=attempt.outcome,
            added_at=self._world.clock.now(),
            sizeleft=release.size,
            source=source,
        )
        if known:
            self._world.ledger.downloads.append(download)
        self._world.ledger.write_each(HistoryType.GRABBED, download, albums, self._grab_data(download))
        artist = release.album.artist
        body = bodies.grab(download, self._world.labels(artist), self._world.instance)
        await self._world.announce("Grab", body, artist)
        if attempt.outcome is not Outcome.STALL:
            self._world.pace.schedule(partial(self.settle, download))
        return download

    async def settle(self, download: Download) -> None:
        """Let a download meet its end, unless it was removed meanwhile."""
        if download.download_id is not None and download not in self._world.ledger.downloads:
            return
        download.sizeleft = 0
        if not self._world.settings.completed_download_handling and download.outcome is not Outcome.FAIL:
            return
        plan = self._world.plans.of(download.release.album.mbid)
        match download.outcome:
            case Outcome.IMPORT | Outcome.UPGRADE:
                await self.complete(download)
            case Outcome.FAIL:
                await self.fail(download, plan.reason)
            case Outcome.PARTIAL:
                await self._partial(download, plan.tracks)
            case Outcome.SHORT:
                album = download.albums[0]
                count = plan.tracks or max(1, len(album.tracks) - 1)
                await self._imports.bring_in(album, album.tracks[:count], download=download)
                self._imports.finish(download)
            case Outcome.BLOCKED:
                download.state, download.status = "importBlocked", "warning"
                download.messages = [
                    (download.release.title, ["The artist is not the one expected: import it by hand."])
                ]
            case Outcome.VANISH:
                self._world.ledger.drop(download)
            case Outcome.STALL | Outcome.NOTHING_FOUND:
                pass
            case _:
                assert_never(download.outcome)

    async def complete(self, download: Download) -> None:
        """Import every album of the download: files and a webhook for each, then the last history rows."""
        download.state = "importing"
        for album in download.albums:
            await self._imports.bring_in(album, album.tracks, download=download)
        self._imports.finish(download)

    async def fail(self, download: Download, reason: str, *, skip_redownload: bool = False) -> None:
        """The download failed: history, blocklist, webhook, and maybe a search that nobody asked for."""
        release = download.release
        self._world.ledger.drop(download)
        data: dict[str, str | None] = {
            "downloadClient": release.client.name,
            "message": reason,
            "releaseGroup": release.release_group,
            "size": str(release.size),
            "indexer": release.indexer,
        }
        self._world.ledger.write_each(HistoryType.DOWNLOAD_FAILED, download, download.albums, data)
        self._world.ledger.block(release, download.albums, reason)
        body = bodies.download_failure(download, self._world.instance)
        await self._world.announce("DownloadFailure", body, release.album.artist)
        if self._world.settings.auto_redownload_failed and not skip_redownload:
            self._commands.push(
                "AlbumSearch", {"albumIds": [album.id for album in download.albums]}, trigger="unspecified"
            )

    def ignore(self, download: Download) -> None:
        """The operator took the download out of Lidarr's sight, leaving it in the client; no webhook."""
        data: dict[str, str | None] = {
            "downloadClient": download.release.client.name,
            "message": "Ignored by hand",
            "releaseGroup": download.release.release_group,
        }
        self._world.ledger.write_each(HistoryType.DOWNLOAD_IGNORED, download, download.albums, data)
        self._world.ledger.drop(download)

    async def _partial(self, download: Download, tracks: int | None) -> None:
        album = download.albums[0]
        count = tracks if tracks is not None else max(1, len(album.tracks) - 1)
        await self._imports.bring_in(album, album.tracks[:count], download=download)
        refused = [(f"{track.title}.flac", ["A track has no match"]) for track in album.tracks[count:]]
        download.state, download.status = "importFailed", "warning"
        download.messages = [(MISSING, []), *refused]
        messages = [{"title": title, "messages": why} for title, why in download.messages]
        data: dict[str, str | None] = {
            "statusMessages": msgspec.json.encode(messages).decode(),
            "releaseGroup": download.release.release_group,
            "indexerFlags": "0",
        }
        self._world.ledger.write_each(HistoryType.ALBUM_IMPORT_INCOMPLETE, download, download.albums, data)
        await self._world.announce("ImportFailure", bodies.import_failure(self._world.instance))

    def _pack(self, first: Album, mbids: Sequence[str]) -> list[Album]:
        known = [self._world.catalogue.find(mbid) for mbid in mbids if mbid != first.mbid]
        return [self._world.ensure_album(one) for one in known if one is not None]

    def _release(self, album: Album, number: int) -> ReleaseFound:
        plan = self._world.plans.of(album.mbid)
        client = CLIENTS.get(plan.client, CLIENTS["SABnzbd"])
        title = f"{album.artist.name} - {album.title} ({album.released_at.year}) [{plan.quality}]"
        guid = f"https://indexer.example/details/{album.mbid}/{number}"
        return ReleaseFound(
            guid=guid,
            title=title if number == 1 else f"{title}-GRP{number}",
            size=plan.size or TRACK_BYTES * len(album.tracks),
            quality=plan.quality,
            release_group=f"GRP{number}",
            album=album,
            client=client,
            info_hash=hashlib.sha1(guid.encode(), usedforsecurity=False).hexdigest().upper(),
        )

    def _grab_data(self, download: Download) -> dict[str, str | None]:
        release = download.release
        torrent = release.client.protocol == "torrent"
        return {
            "indexer": release.indexer,
            "nzbInfoUrl": release.guid,
            "releaseGroup": release.release_group,
            "age": "10",
            "ageHours": "240.5",
            "ageMinutes": "14430.5",
            "publishedDate": "2025-09-25T12:00:00Z",
            "downloadClient": release.client.name,
            "size": str(release.size),
            "downloadUrl": f"{release.guid}/download",
            "guid": release.guid,
            "protocol": "2" if release.client.protocol == "torrent" else "1",
            "downloadForced": "False",
            "customFormatScore": "0",
            "releaseSource": download.source,
            "indexerFlags": "0",
            "torrentInfoHash": release.info_hash if torrent else None,
        }
