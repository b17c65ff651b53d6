"""Albums, wanted albums and lookups of the simulated Lidarr's API."""

from __future__ import annotations

from aiohttp import web

from reprise.simulator.knobs import Json
from reprise.simulator.lidarr import bodies, resources
from reprise.simulator.lidarr.answers import body_of, invalid, missing, number_of, page
from reprise.simulator.lidarr.arrivals import check_artist, new_artist
from reprise.simulator.lidarr.catalogue import KnownAlbum, is_uuid
from reprise.simulator.lidarr.commands import Commands
from reprise.simulator.lidarr.library import Album
from reprise.simulator.lidarr.world import World
from reprise.simulator.peer import answer
from reprise.simulator.query import Query

PREFIXES = ("lidarr:", "lidarrid:", "mbid:")


class AlbumRoutes:
    def __init__(self, world: World, commands: Commands) -> None:
        self._world = world
        self._commands = commands

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/api/v1/album/lookup", self.lookup_album),
            web.get("/api/v1/artist/lookup", self.lookup_artist),
            web.get("/api/v1/search", self.search),
            web.get("/api/v1/album", self.albums),
            web.post("/api/v1/album", self.add_album),
            web.put("/api/v1/album/monitor", self.monitor),
            web.get(r"/api/v1/album/{id:\d+}", self.album),
            web.put(r"/api/v1/album/{id:\d+}", self.update_album),
            web.put("/api/v1/album", self.update_album),
            web.delete(r"/api/v1/album/{id:\d+}", self.delete_album),
            web.get("/api/v1/wanted/missing", self.missing),
            web.get("/api/v1/wanted/cutoff", self.cutoff),
        ]

    async def lookup_album(self, request: web.Request) -> web.Response:
        found = self._look_up(Query(request).text("term"))
        return answer([resources.found_album(known, self._world) for known in found])

    async def lookup_artist(self, request: web.Request) -> web.Response:
        return answer(list(self._artists_for(Query(request).text("term")).values()))

    async def search(self, request: web.Request) -> web.Response:
        term = Query(request).text("term")
        results: list[Json] = [{"foreignId": mbid, "artist": found} for mbid, found in self._artists_for(term).items()]
        results += [
            {"foreignId": known.album_mbid, "album": resources.found_album(known, self._world)}
            for known in self._look_up(term)
        ]
        return answer([{"id": number} | result for number, result in enumerate(results, 1)])

    async def albums(self, request: web.Request) -> web.Response:
        query = Query(request)
        library = self._world.library
        albums = list(library.albums.values())
        if (artist_id := query.number("artistId")) is not None:
            albums = [album for album in albums if album.artist.id == artist_id]
        elif mbid := query.text("foreignAlbumId"):
            one = library.album(mbid)
            albums = [] if one is None else [one]
            if one is not None and query.flag("includeAllArtistAlbums"):
                albums = library.albums_of(one.artist)
        elif ids := query.numbers("albumIds"):
            albums = [library.albums[one] for one in ids if one in library.albums]
        return answer([resources.album(album, self._world) for album in albums])

    async def album(self, request: web.Request) -> web.Response:
        return answer(resources.album(self._album(request), self._world))

    async def add_album(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        mbid = str(body.get("foreignAlbumId") or "")
        if self._world.library.album(mbid) is not None:
            message = "This album has already been added."
            return invalid("ForeignAlbumId", message, mbid, "AlbumExistsValidator")
        check_artist(body.get("artist"), self._world)
        asked: Json = body["artist"]
        known = self._world.catalogue.find(mbid)
        if known is None:
            return invalid("MusicbrainzId", "No album of this id was found", mbid, "")
        artist = self._world.library.artist(known.artist_mbid) or new_artist(known, asked, self._world)
        album = self._world.library.add_album(known, artist)
        album.monitored = bool(body.get("monitored", False))
        album.any_release_ok = bool(body.get("anyReleaseOk", True))
        options = body.get("addOptions") or {}
        if options.get("searchForNewAlbum") and not self._searches_all(asked):
            self._commands.push("AlbumSearch", {"albumIds": [album.id]}, trigger="unspecified")
        return answer(resources.album(album, self._world), 201)

    async def update_album(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        album = self._album(request, body)
        album.monitored = bool(body.get("monitored", album.monitored))
        album.any_release_ok = bool(body.get("anyReleaseOk", album.any_release_ok))
        return answer(resources.album(album, self._world), 202)

    async def monitor(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        albums = [self._world.library.albums.get(one) for one in body.get("albumIds") or []]
        known = [album for album in albums if album is not None]
        for album in known:
            album.monitored = bool(body.get("monitored"))
        return answer([resources.album(album, self._world) for album in known], 202)

    async def delete_album(self, request: web.Request) -> web.Response:
        album = self._album(request)
        files = Query(request).flag("deleteFiles")
        labels = self._world.labels(album.artist)
        body = bodies.album_delete(album, labels, files=files, instance=self._world.instance)
        self._world.library.remove_album(album)
        self._world.pace.spawn(self._world.announce("AlbumDelete", body, album.artist))
        return answer({})

    async def missing(self, request: web.Request) -> web.Response:
        return self._wanted(request, [one for one in self._world.library.albums.values() if not one.complete])

    async def cutoff(self, request: web.Request) -> web.Response:
        below = [
            album
            for album in self._world.library.albums.values()
            if album.files and any(file.quality != "FLAC" for file in album.files)
        ]
        return self._wanted(request, below)

    def _wanted(self, request: web.Request, albums: list[Album]) -> web.Response:
        query = Query(request)
        monitored = query.flag("monitored", True)
        now = self._world.clock.now()
        records = [
            resources.album(album, self._world, with_artist=query.flag("includeArtist"))
            for album in albums
            if (album.monitored and album.artist.monitored) == monitored and album.released_at <= now
        ]
        newest_first = sorted(records, key=lambda record: str(record["releaseDate"]), reverse=True)
        return page(newest_first, query, sort_key="releaseDate")

    def _look_up(self, term: str) -> list[KnownAlbum]:
        wanted = term.strip()
        for prefix in PREFIXES:
            if wanted.startswith(prefix):
                known = self._world.catalogue.find(wanted.removeprefix(prefix).strip())
                return [] if known is None else [known]
        return self._world.catalogue.search(wanted) if wanted else []

    def _artists_for(self, term: str) -> dict[str, Json]:
        wanted = term.strip()
        for prefix in PREFIXES:
            if wanted.startswith(prefix):
                mbid = wanted.removeprefix(prefix).strip()
                known = self._world.catalogue.by_artist(mbid)[:1]
                if not known and self._world.catalogue.all_known and is_uuid(mbid):
                    known = [KnownAlbum(album_mbid="", artist_mbid=mbid, artist_name=f"Artist {mbid[-6:]}")]
                return {one.artist_mbid: resources.found_artist(one, self._world) for one in known}
        found = self._world.catalogue.search(wanted) if wanted else []
        return {one.artist_mbid: resources.found_artist(one, self._world) for one in found}

    def _searches_all(self, asked: Json) -> bool:
        return bool((asked.get("addOptions") or {}).get("searchForMissingAlbums"))

    def _album(self, request: web.Request, body: Json | None = None) -> Album:
        number = number_of(request, body)
        if number not in self._world.library.albums:
            raise missing("Album", number)
        return self._world.library.albums[number]
