"""Searches, events and users in the simulated slskd's API."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from aiohttp import web

from reprise.simulator.peer import answer
from reprise.simulator.query import Query
from reprise.simulator.slskd.answers import compact, guid, plain
from reprise.simulator.slskd.events import TYPES, Events
from reprise.simulator.slskd.network import Network
from reprise.simulator.slskd.searches import Search, Searches
from reprise.simulator.slskd.server import Server

BUSY = "Another such request is under way; try again when it has ended"


class SearchRoutes:
    def __init__(self, searches: Searches, events: Events, network: Network, server: Server) -> None:
        self._searches = searches
        self._events = events
        self._network = network
        self._server = server
        self._posting = False

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/api/v0/searches", self.searches),
            web.post("/api/v0/searches", self.start),
            web.get("/api/v0/searches/{id}", self.search),
            web.get("/api/v0/searches/{id}/responses", self.responses),
            web.put("/api/v0/searches/{id}", self.stop),
            web.delete("/api/v0/searches/{id}", self.delete),
            web.get("/api/v0/events", self.events),
            web.post("/api/v0/events/{type}", self.raise_event),
            web.get("/api/v0/users/{username}/status", self.status),
            web.get("/api/v0/users/{username}/browse", self.browse),
            web.post("/api/v0/users/{username}/directory", self.directory),
        ]

    async def searches(self, _request: web.Request) -> web.Response:
        return answer([one.to_json() for one in self._searches.all.values()])

    async def start(self, request: web.Request) -> web.Response:
        if self._posting:
            return plain(429, BUSY)
        self._posting = True
        try:
            await asyncio.sleep(self._server.search_post_s)
            return await self._start(request)
        finally:
            self._posting = False

    async def _start(self, request: web.Request) -> web.Response:
        body = msgspec.json.decode(await request.read(), type=dict[str, Any])
        text = str(body.get("searchText") or "").strip()
        if not text:
            message = "searchText has no text"
            return plain(400, message)
        if (body.get("searchTimeout") or 15_000) < 5:
            return plain(400, "searchTimeout is below 5 ms")
        wanted = guid(body.get("id"))
        if body.get("id") and wanted is None:
            return plain(400, "The id is not a GUID")
        if wanted in self._searches.all:
            return plain(500, "A search of that id exists")
        if not self._server.logged_in:
            self._searches.fail(text, id=wanted)
            return plain(409, "Not connected and logged in to Soulseek")
        search = self._searches.start(text, body, id=wanted)
        return answer(search.to_json())

    async def search(self, request: web.Request) -> web.Response:
        found = self._found(request)
        if found is None:
            return plain(404, "")
        return answer(found.to_json(responses=Query(request).flag("includeResponses")))

    async def responses(self, request: web.Request) -> web.Response:
        found = self._found(request)
        return plain(404, "") if found is None else answer(found.responses)

    async def stop(self, request: web.Request) -> web.Response:
        found = self._found(request)
        if found is None:
            return plain(404, "")
        self._searches.stop(found)
        return plain(200, "")

    async def delete(self, request: web.Request) -> web.Response:
        found = self._found(request)
        if found is None:
            return plain(404, "")
        self._searches.stop(found)
        del self._searches.all[found.id]
        return plain(204, "")

    async def events(self, request: web.Request) -> web.Response:
        query = Query(request)
        offset, limit = query.number("offset", 0) or 0, query.number("limit", 100)
        if offset < 0:
            return plain(400, "The offset is below zero")
        if limit is None or limit <= 0:
            return plain(400, "The limit is not above zero")
        headers = {"X-Total-Count": str(len(self._events))}
        return answer(list(self._events.page(offset, limit)), headers=headers)

    async def raise_event(self, request: web.Request) -> web.Response:
        wanted = request.match_info["type"].casefold()
        event_type = next((one for one in TYPES if one.casefold() == wanted), None)
        if event_type is None or event_type.startswith("SoulseekClient"):
            known = ", ".join(TYPES)
            return plain(400, f"Unknown event type '{request.match_info['type']}'; known: {known}")
        raw = await request.read()
        mark = msgspec.json.decode(raw, type=str) if raw else ""
        return answer(compact(self._events.sample(event_type, mark)), 201)

    async def status(self, request: web.Request) -> web.Response:
        peer = self._network.peers.get(request.match_info["username"])
        if peer is None:
            return plain(404, f"User {request.match_info['username']} appears to be offline")
        return answer({"isPrivileged": False, "presence": "Online" if peer.online else "Offline"})

    async def browse(self, request: web.Request) -> web.Response:
        username = request.match_info["username"]
        if not self._network.online(username):
            return plain(404, f"User {username} appears to be offline")
        folders = self._network.peers[username].folders
        shown = [self._directory(folder.path, username) for folder in folders if not folder.locked]
        locked = [self._directory(folder.path, username) for folder in folders if folder.locked]
        return answer(
            {
                "directories": shown,
                "directoryCount": len(shown),
                "lockedDirectories": locked,
                "lockedDirectoryCount": len(locked),
            }
        )

    async def directory(self, request: web.Request) -> web.Response:
        username = request.match_info["username"]
        if not self._network.online(username):
            return plain(404, f"User {username} appears to be offline")
        body = msgspec.json.decode(await request.read(), type=dict[str, Any])
        return answer([self._directory(str(body.get("directory")), username)])

    def _directory(self, path: str, username: str) -> dict[str, object]:
        folders = self._network.peers[username].folders
        files = [
            {
                "filename": file.name,
                "size": file.size,
                "code": 1,
                "extension": "",
                "attributeCount": 0,
                "attributes": [],
            }
            for folder in folders
            if folder.path == path
            for file in folder.shared
        ]
        return {"name": path, "fileCount": len(files), "files": files}

    def _found(self, request: web.Request) -> Search | None:
        return self._searches.all.get(guid(request.match_info["id"]) or "")
