"""Downloads and batches in the simulated slskd's API."""

from __future__ import annotations

import uuid
from itertools import groupby
from typing import Any

import msgspec
from aiohttp import web

from reprise.simulator.clock import Clock, ticks
from reprise.simulator.knobs import Json
from reprise.simulator.peer import answer
from reprise.simulator.query import Query
from reprise.simulator.slskd.answers import compact, guid, plain
from reprise.simulator.slskd.network import Network
from reprise.simulator.slskd.server import Server
from reprise.simulator.slskd.transfers import QUEUE_PLACE, Transfer, Transfers


class Asked(msgspec.Struct):
    filename: str
    size: int


class AskedBatch(msgspec.Struct, rename="camel"):
    username: str
    files: list[Asked]
    id: str | None = None
    search_id: str | None = None
    options: dict[str, str | None] = {}


class TransferRoutes:
    def __init__(self, transfers: Transfers, network: Network, server: Server, clock: Clock) -> None:
        self._transfers = transfers
        self._network = network
        self._server = server
        self._clock = clock
        self.batches: dict[str, Json] = {}

    def routes(self) -> list[web.RouteDef]:
        base = "/api/v0/transfers/downloads"
        return [
            web.get(base, self.downloads),
            web.get(f"{base}/", self.downloads),
            web.post(f"{base}/batches", self.enqueue_batch),
            web.get(f"{base}/batches/{{id}}", self.batch),
            web.delete(f"{base}/all/completed", self.clear_completed),
            web.post(f"{base}/{{username}}", self.enqueue),
            web.get(f"{base}/{{username}}", self.of_user),
            web.get(f"{base}/{{username}}/{{id}}", self.download),
            web.get(f"{base}/{{username}}/{{id}}/position", self.position),
            web.delete(f"{base}/{{username}}/{{id}}", self.cancel),
        ]

    async def downloads(self, request: web.Request) -> web.Response:
        settings = self._transfers.settings
        if settings.empty_lists > 0:
            settings.empty_lists -= 1
            return answer([])
        shown = self._transfers.shown(removed=Query(request).flag("includeRemoved"))
        users = dict.fromkeys(one.username for one in shown)
        return answer([_user(name, [one for one in shown if one.username == name]) for name in users])

    async def of_user(self, request: web.Request) -> web.Response:
        username = request.match_info["username"]
        shown = self._transfers.shown(username)
        return answer(_user(username, shown)) if shown else plain(404, "")

    async def download(self, request: web.Request) -> web.Response:
        found = self._found(request)
        return plain(404, "") if found is None else answer(compact(found.to_json()))

    async def position(self, request: web.Request) -> web.Response:
        found = self._found(request)
        if found is None:
            return plain(404, "")
        if found.state != "Queued, Remotely":
            return plain(500, "The transfer has no place in a remote queue")
        return answer(found.place or QUEUE_PLACE)

    async def cancel(self, request: web.Request) -> web.Response:
        found = self._found(request)
        if found is None:
            return plain(404, "")
        # Only what is over is removed, and what is cancelled just now isn't yet.
        found.removed = found.removed or (found.done and Query(request).flag("remove"))
        self._transfers.cancel(found)
        return plain(204, "")

    async def clear_completed(self, _request: web.Request) -> web.Response:
        for transfer in self._transfers.all.values():
            transfer.removed = transfer.removed or transfer.done
        return plain(204, "")

    async def enqueue(self, request: web.Request) -> web.Response:
        """The endpoint that every version has; an offline peer is a 500 here."""
        username = request.match_info["username"]
        files = msgspec.json.decode(await request.read(), type=list[Asked])
        if not files:
            return plain(400, "No file was asked for")
        if not self._network.online(username):
            return plain(500, f"User {username} appears to be offline")
        wanted = [(file.filename, file.size) for file in files]
        enqueued, failed = self._transfers.enqueue(username, wanted)
        if not self._server.answers_enqueueing:
            return plain(201, "")
        # Since 0.26 a failure is a .NET tuple, of which the JSON serialiser sees nothing.
        refused: list[Any] = [{} if self._server.has_batches else name for name, _ in failed]
        return answer({"enqueued": [compact(one.to_json()) for one in enqueued], "failed": refused}, 201)

    async def enqueue_batch(self, request: web.Request) -> web.Response:
        """Since 0.26: all files 201, some 207, none 200; the caller's GUID can be used only once."""
        if not self._server.has_batches:
            # Before 0.26 this was the older endpoint for a user of the name "batches", and the body is no list.
            return plain(400, "The JSON value could not be converted to a list of files")
        asked = msgspec.json.decode(await request.read(), type=AskedBatch)
        username, files, destination = asked.username, asked.files, asked.options.get("destination")
        names = [file.filename for file in files]
        if not username or not files or not all(names):
            return plain(400, "username and files are needed")
        if len(set(names)) != len(names):
            return plain(400, "A file is asked for twice")
        if any(one and guid(one) is None for one in (asked.id, asked.search_id)):
            return plain(400, "An id is not a GUID")
        if destination and (destination.startswith(("/", "\\")) or ".." in destination):
            return plain(400, "The destination must be relative and stay below the downloads folder")
        if not self._network.online(username):
            return plain(404, f"User {username} appears to be offline")
        batch_id = guid(asked.id) or str(uuid.uuid4())
        if batch_id in self.batches:
            return plain(409, f"There is a batch {batch_id} already")
        # The row exists before its transfers, as in slskd; `externalId` is dropped, as in slskd.
        self.batches[batch_id] = {
            "searchId": guid(asked.search_id),
            "id": batch_id,
            "username": username,
            "direction": "Download",
            "createdAt": ticks(self._clock.now()),
            "options": {"destination": destination},
        }
        if self._transfers.settings.broken_batches > 0:
            self._transfers.settings.broken_batches -= 1
            return plain(500, "One or more errors occurred")
        wanted = [(file.filename, file.size) for file in files]
        _, failed = self._transfers.enqueue(username, wanted, batch_id=batch_id, destination=destination)
        failures = [{"filename": name, "message": message} for name, message in failed]
        status = 201 if not failed else 200 if len(failed) == len(files) else 207
        return answer({"batch": self._batch(batch_id), "failures": failures}, status)

    async def batch(self, request: web.Request) -> web.Response:
        wanted = guid(request.match_info["id"])
        if wanted is None:
            return plain(400, f"{request.match_info['id']} is not a GUID")
        known = self._server.has_batches and wanted in self.batches
        return answer(self._batch(wanted)) if known else plain(404, "")

    def _batch(self, batch_id: str) -> Any:
        transfers = [one.to_json() for one in self._transfers.all.values() if one.batch_id == batch_id]
        return compact(self.batches[batch_id] | {"transfers": transfers})

    def _found(self, request: web.Request) -> Transfer | None:
        return self._transfers.all.get(guid(request.match_info["id"]) or "")


def _user(username: str, transfers: list[Transfer]) -> Json:
    """One user's downloads by remote folder."""
    ordered = sorted(transfers, key=lambda one: one.folder)
    return {
        "username": username,
        "directories": [
            {"directory": folder, "fileCount": len(files), "files": [compact(one.to_json()) for one in files]}
            for folder, group in groupby(ordered, key=lambda one: one.folder)
            if (files := list(group))
        ],
    }
