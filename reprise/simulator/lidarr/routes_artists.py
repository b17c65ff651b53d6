"""Artists, their tracks and files in the simulated Lidarr's API."""

from __future__ import annotations

from aiohttp import web

from reprise.simulator.knobs import Json
from reprise.simulator.lidarr import bodies, resources
from reprise.simulator.lidarr.answers import body_of, invalid, missing, number_of
from reprise.simulator.lidarr.arrivals import apply, check_artist, new_artist
from reprise.simulator.lidarr.catalogue import KnownAlbum
from reprise.simulator.lidarr.commands import Commands
from reprise.simulator.lidarr.library import Album, Artist
from reprise.simulator.lidarr.world import World
from reprise.simulator.peer import answer
from reprise.simulator.query import Query


class ArtistRoutes:
    def __init__(self, world: World, commands: Commands) -> None:
        self._world = world
        self._commands = commands

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/api/v1/artist", self.artists),
            web.post("/api/v1/artist", self.add_artist),
            web.get(r"/api/v1/artist/{id:\d+}", self.artist),
            web.put(r"/api/v1/artist/{id:\d+}", self.update_artist),
            web.put("/api/v1/artist", self.update_artist),
            web.put("/api/v1/artist/editor", self.edit_artists),
            web.delete(r"/api/v1/artist/{id:\d+}", self.delete_artist),
            web.get("/api/v1/track", self.tracks),
            web.get("/api/v1/trackfile", self.track_files),
        ]

    async def artists(self, request: web.Request) -> web.Response:
        wanted = Query(request).text("mbId")
        artists = [one for one in self._world.library.artists.values() if wanted in ("", one.mbid)]
        return answer([resources.artist(one, self._world) for one in artists])

    async def artist(self, request: web.Request) -> web.Response:
        return answer(resources.artist(self._artist(request), self._world))

    async def add_artist(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        check_artist(body, self._world)
        mbid = str(body["foreignArtistId"])
        if self._world.library.artist(mbid) is not None:
            message = "This artist has already been added."
            return invalid("ForeignArtistId", message, mbid, "ArtistExistsValidator")
        albums = self._world.catalogue.by_artist(mbid)
        name = albums[0].artist_name if albums else str(body.get("artistName") or f"Artist {mbid[-6:]}")
        if not albums and not self._world.catalogue.all_known:
            return invalid("MusicbrainzId", "No artist of this id was found", mbid, "")
        known = KnownAlbum(album_mbid="", artist_mbid=mbid, artist_name=name)
        artist = new_artist(known, body, self._world)
        self._commands.push("RefreshArtist", {"artistId": artist.id}, trigger="unspecified")
        return answer(resources.artist(artist, self._world), 201)

    async def update_artist(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        artist = self._artist(request, body)
        apply(artist, body)
        return answer(resources.artist(artist, self._world), 202)

    async def edit_artists(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        known = self._world.library.artists
        artists = [known[number] for number in body.get("artistIds") or [] if number in known]
        for artist in artists:
            apply(artist, body)
        return answer([resources.artist(artist, self._world) for artist in artists], 202)

    async def delete_artist(self, request: web.Request) -> web.Response:
        artist = self._artist(request)
        files = Query(request).flag("deleteFiles")
        labels = self._world.labels(artist)
        body = bodies.artist_delete(artist, labels, files=files, instance=self._world.instance)
        self._world.library.remove_artist(artist)
        self._world.ledger.forget_artist(artist)
        self._world.pace.spawn(self._world.announce("ArtistDelete", body, artist))
        return answer({})

    async def tracks(self, request: web.Request) -> web.Response:
        return answer([resources.track(track, album) for album in self._chosen(request) for track in album.tracks])

    async def track_files(self, request: web.Request) -> web.Response:
        return answer([resources.track_file(file, album) for album in self._chosen(request) for file in album.files])

    def _chosen(self, request: web.Request) -> list[Album]:
        query = Query(request)
        album_ids, artist_id = query.numbers("albumId"), query.number("artistId")
        release_id = query.number("albumReleaseId")
        return [
            album
            for album in self._world.library.albums.values()
            if album.id in album_ids or album.artist.id == artist_id or album.release_id == release_id
        ]

    def _artist(self, request: web.Request, body: Json | None = None) -> Artist:
        number = number_of(request, body)
        if number not in self._world.library.artists:
            raise missing("Artist", number)
        return self._world.library.artists[number]
