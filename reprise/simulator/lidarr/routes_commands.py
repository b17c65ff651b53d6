"""Commands, releases and manual import in the simulated Lidarr's API."""

from __future__ import annotations

from aiohttp import web

from reprise.simulator.lidarr import activity
from reprise.simulator.lidarr.answers import body_of, error, missing
from reprise.simulator.lidarr.commands import Commands
from reprise.simulator.lidarr.downloads import Downloads
from reprise.simulator.lidarr.imports import Imports
from reprise.simulator.lidarr.world import World
from reprise.simulator.peer import answer
from reprise.simulator.query import Query


class CommandRoutes:
    def __init__(self, world: World, commands: Commands, downloads: Downloads, imports: Imports) -> None:
        self._world = world
        self._commands = commands
        self._downloads = downloads
        self._imports = imports

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/api/v1/command", self.commands),
            web.post("/api/v1/command", self.start_command),
            web.get(r"/api/v1/command/{id:\d+}", self.command),
            web.delete(r"/api/v1/command/{id:\d+}", self.cancel_command),
            web.get("/api/v1/release", self.releases),
            web.post("/api/v1/release", self.grab_release),
            web.get("/api/v1/manualimport", self.candidates),
            web.post("/api/v1/manualimport", self.update_candidates),
        ]

    async def commands(self, _request: web.Request) -> web.Response:
        return answer([activity.command(one) for one in self._commands.all.values()])

    async def start_command(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        name = body.get("name")
        if not self._commands.knows(name):
            return error(500, "No command of that name")
        return answer(activity.command(self._commands.push(str(name), body)), 201)

    async def command(self, request: web.Request) -> web.Response:
        found = self._commands.all.get(int(request.match_info["id"]))
        if found is None:
            raise missing("CommandModel", request.match_info["id"])
        return answer(activity.command(found))

    async def cancel_command(self, request: web.Request) -> web.Response:
        found = self._commands.all.get(int(request.match_info["id"]))
        if found is None or found.status != "queued":
            return error(409, "The command can no longer be cancelled")
        found.status = "cancelled"
        return answer({})

    async def releases(self, request: web.Request) -> web.Response:
        query = Query(request)
        album_id, artist_id = query.number("albumId"), query.number("artistId")
        albums = [
            album
            for album in self._world.library.albums.values()
            if album.id == album_id or album.artist.id == artist_id
        ]
        found = [release for album in albums for release in self._downloads.releases(album)]
        shown = [activity.release(one, self._world, weight=weight) for weight, one in enumerate(found)]
        return answer(sorted(shown, key=lambda release: bool(release["rejected"])))

    async def grab_release(self, request: web.Request) -> web.Response:
        """Grab a release that a search showed before; the album's plan decides how it ends."""
        body = await body_of(request)
        for album in self._world.library.albums.values():
            for weight, release in enumerate(self._downloads.releases(album)):
                if (release.guid, release.indexer_id) == (body.get("guid"), body.get("indexerId")):
                    attempt = self._world.plans.take(album.mbid)
                    await self._downloads.grab(release, attempt, source="InteractiveSearch")
                    return answer(activity.release(release, self._world, weight=weight))
        return error(404, "That release is not in the cache: search again")

    async def candidates(self, request: web.Request) -> web.Response:
        query = Query(request)
        download_id = query.text("downloadId")
        download = self._world.ledger.find(download_id) if download_id else None
        folder = query.text("folder") or (download.output_path if download is not None else "")
        artist_id = query.number("artistId") or 0
        artist = self._world.library.artists.get(artist_id)
        if artist_id and artist is None:
            raise missing("Artist", artist_id)
        return answer(
            [
                activity.candidate(
                    file,
                    self._world,
                    self._imports,
                    artist=artist,
                    download_id=download_id,
                    replace=query.flag("replaceExistingFiles", True),
                )
                for file in self._imports.seen(folder)
            ]
        )

    async def update_candidates(self, request: web.Request) -> web.Response:
        """Look again at candidates whose album or tracks the caller chose."""
        return answer(await request.json(), 202)
