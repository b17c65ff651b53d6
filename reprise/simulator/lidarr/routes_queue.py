"""Queue, history and blocklist of the simulated Lidarr's API."""

from __future__ import annotations

from functools import partial

from aiohttp import web

from reprise.simulator.clock import parse
from reprise.simulator.lidarr import activity
from reprise.simulator.lidarr.answers import body_of, error, missing, page
from reprise.simulator.lidarr.downloads import Downloads
from reprise.simulator.lidarr.ledger import Download, HistoryRow, HistoryType
from reprise.simulator.lidarr.world import World
from reprise.simulator.peer import answer
from reprise.simulator.query import Query


class QueueRoutes:
    def __init__(self, world: World, downloads: Downloads) -> None:
        self._world = world
        self._downloads = downloads

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/api/v1/queue", self.queue),
            web.get("/api/v1/queue/details", self.queue_details),
            web.get("/api/v1/queue/status", self.queue_status),
            web.delete("/api/v1/queue/bulk", self.delete_many),
            web.delete(r"/api/v1/queue/{id:\d+}", self.delete_queued),
            web.get("/api/v1/history", self.history),
            web.get("/api/v1/history/since", self.history_since),
            web.get("/api/v1/history/artist", self.history_artist),
            web.get("/api/v1/blocklist", self.blocklist),
        ]

    async def queue(self, request: web.Request) -> web.Response:
        query = Query(request)
        artists = query.numbers("artistIds")
        rows = self._world.queue()
        if self._world.settings.empty_queue_pages > 0:
            self._world.settings.empty_queue_pages -= 1
            rows = []
        records = [
            activity.queue_row(
                download,
                album,
                self._world,
                artist=query.flag("includeArtist"),
                with_album=query.flag("includeAlbum"),
            )
            for download, album in rows
            if not artists or album.artist.id in artists
        ]
        return page(records, query, sort_key="timeleft", direction="ascending")

    async def queue_details(self, request: web.Request) -> web.Response:
        query = Query(request)
        albums, artist = query.numbers("albumIds"), query.number("artistId")
        return answer(
            [
                activity.queue_row(
                    download,
                    album,
                    self._world,
                    artist=query.flag("includeArtist"),
                    with_album=query.flag("includeAlbum", True),
                )
                for download, album in self._world.queue()
                if (not albums or album.id in albums) and artist in (None, album.artist.id)
            ]
        )

    async def queue_status(self, _request: web.Request) -> web.Response:
        rows = self._world.queue()
        warned = any(download.status == "warning" for download, _ in rows)
        return answer(
            {
                "id": 1,
                "totalCount": len(rows),
                "count": len(rows),
                "unknownCount": 0,
                "errors": False,
                "warnings": warned,
                "unknownErrors": False,
                "unknownWarnings": False,
            }
        )

    async def delete_queued(self, request: web.Request) -> web.Response:
        """Remove the whole download that a row belongs to, with all its albums."""
        download = self._world.ledger.find_row(int(request.match_info["id"]))
        if download is None:
            return error(404)
        self._remove(download, Query(request))
        return answer({})

    async def delete_many(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        for number in body.get("ids") or []:
            download = self._world.ledger.find_row(int(number))
            if download is not None:
                self._remove(download, Query(request))
        return answer({})

    def _remove(self, download: Download, query: Query) -> None:
        if query.flag("blocklist"):
            self._world.ledger.drop(download)
            skip = query.flag("skipRedownload")
            fail = partial(self._downloads.fail, download, "Marked as failed by hand", skip_redownload=skip)
            self._world.pace.spawn(fail())
        elif query.flag("removeFromClient", True) or query.flag("changeCategory"):
            self._world.ledger.drop(download)
        else:
            self._downloads.ignore(download)

    async def history(self, request: web.Request) -> web.Response:
        query = Query(request)
        types, artists = query.numbers("eventType"), query.numbers("artistIds")
        album_id, download_id = query.number("albumId"), query.text("downloadId").casefold()
        rows = [
            row
            for row in self._known_history()
            if (not types or row.type in types)
            and (not artists or row.artist.id in artists)
            and album_id in (None, row.album.id)
            and download_id in ("", (row.download_id or "").casefold())
        ]
        if query.text("sortDirection", "descending") != "ascending":
            rows.reverse()
        return page([self._shown(row, query) for row in rows], query, sort_key="date")

    async def history_since(self, request: web.Request) -> web.Response:
        query = Query(request)
        try:
            since = parse(query.text("date", "0001-01-01T00:00:00Z"))
        except ValueError:
            return error(400, f"The value '{query.text('date')}' is not valid.")
        kind = self._type(query)
        return answer(
            [self._shown(row, query) for row in self._known_history() if row.date >= since and kind in (None, row.type)]
        )

    async def history_artist(self, request: web.Request) -> web.Response:
        query = Query(request)
        artist_id, album_id, kind = query.number("artistId"), query.number("albumId"), self._type(query)
        if artist_id not in self._world.library.artists:
            raise missing("Artist", artist_id or 0)
        return answer(
            [
                self._shown(row, query)
                for row in self._known_history()
                if row.artist.id == artist_id and album_id in (None, row.album.id) and kind in (None, row.type)
            ]
        )

    def _known_history(self) -> list[HistoryRow]:
        """History without the rows of deleted albums: Lidarr joins them away."""
        albums = self._world.library.albums
        return [row for row in self._world.ledger.history if row.album.id in albums]

    def _shown(self, row: HistoryRow, query: Query) -> dict[str, object]:
        return activity.history_row(
            row,
            self._world,
            artist=query.flag("includeArtist"),
            album=query.flag("includeAlbum"),
            track=query.flag("includeTrack"),
        )

    def _type(self, query: Query) -> HistoryType | None:
        """One event type, by number or by name."""
        number, name = query.number("eventType"), query.text("eventType")
        if number is not None:
            return HistoryType(number)
        return next((kind for kind in HistoryType if kind.wire == name), None)

    async def blocklist(self, request: web.Request) -> web.Response:
        records = [activity.blocked(one, self._world) for one in self._world.ledger.blocklist]
        return page(records, Query(request), sort_key="date")
