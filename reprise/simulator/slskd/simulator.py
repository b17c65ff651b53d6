"""The simulated slskd, put together: network, searches, transfers, events and knobs behind one door."""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec
from aiohttp import web

from reprise.simulator.disk import Disk
from reprise.simulator.failures import Handler
from reprise.simulator.peer import SimulatedPeer
from reprise.simulator.slskd.answers import plain
from reprise.simulator.slskd.events import Events, Webhooks
from reprise.simulator.slskd.network import Network, Outcome, Peer, Plan
from reprise.simulator.slskd.routes_files import FileRoutes
from reprise.simulator.slskd.routes_searches import SearchRoutes
from reprise.simulator.slskd.routes_transfers import TransferRoutes
from reprise.simulator.slskd.searches import Ban, Searches
from reprise.simulator.slskd.server import Server
from reprise.simulator.slskd.transfers import Transfers


class Raise(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Knob `raise`: an event that nothing caused; `mark` goes before its texts."""

    type: str
    mark: str = ""


class SlskdSimulator(SimulatedPeer):
    """A slskd without Soulseek: its API, its events and webhooks, and the peers that it would meet."""

    open_paths = frozenset({"/api/v0/session", "/api/v0/session/enabled"})

    def __init__(self, *, api_key: str = "slskd-api-key-0123456789", disk: Disk | None = None) -> None:
        super().__init__(api_key=api_key)
        self.disk = disk or Disk()
        self.network = Network()
        self.events = Events(self.clock, self.pace, self.outbox)
        self.searches = Searches(self.clock, self.pace, self.network)
        self.transfers = Transfers(
            clock=self.clock, pace=self.pace, network=self.network, events=self.events, disk=self.disk
        )
        self._server = Server(self.searches, self.transfers)
        self._transfer_routes = TransferRoutes(self.transfers, self.network, self._server, self.clock)
        self._declare()

    def routes(self) -> list[web.RouteDef]:
        return [
            *self._server.routes(),
            *SearchRoutes(self.searches, self.events, self.network, self._server).routes(),
            *self._transfer_routes.routes(),
            *FileRoutes(self.transfers, self._server, self.disk).routes(),
        ]

    def error(self, status: int) -> web.Response:
        return plain(status, "" if status in (401, 404) else "Simulated failure")

    def keyed(self, request: web.Request) -> bool:
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return bearer in self._server.tokens or super().keyed(request)

    def forget(self) -> None:
        self.network.reset()
        self.events.reset()
        self.searches.reset()
        self.transfers.reset()
        self._server.reset()
        self._transfer_routes.batches.clear()
        self.disk.clear()

    async def handle(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except msgspec.DecodeError as error:
            return plain(400, str(error))

    def _declare(self) -> None:
        knobs = self.knobs
        knobs.add("peer", Peer, self.network.meet)
        knobs.add("peers", list[Peer], self._meet_all)
        knobs.add("plan", Plan, self.network.plan)
        knobs.add("default_outcome", Outcome, partial(setattr, self.network, "default"))
        knobs.add("webhooks", Webhooks, self.events.hook)
        knobs.add("version", str, partial(setattr, self._server, "version"))
        knobs.add("connected", bool, self._connect)
        knobs.add("shared_files", int, partial(setattr, self._server, "shared_files"))
        knobs.add("search_post_s", float, partial(setattr, self._server, "search_post_s"))
        knobs.add("ban", Ban | None, partial(setattr, self.searches, "ban"))
        knobs.add("downloads_dir", str, self._set("downloads_dir"))
        knobs.add("transfer_attempts", int, self._set("attempts"))
        knobs.add("directory_events", bool, self._set("directory_events"))
        knobs.add("empty_transfers", int, self._set("empty_lists"))
        knobs.add("broken_batches", int, self._set("broken_batches"))
        knobs.add("remote_file_management", bool, partial(setattr, self._server, "remote_file_management"))
        knobs.add("raise", Raise, self._raise)

    def _set(self, name: str) -> Any:
        # The settings object is replaced by a reset, so it is looked up when the knob is turned.
        return lambda value: setattr(self.transfers.settings, name, value)

    def _meet_all(self, peers: list[Peer]) -> None:
        for peer in peers:
            self.network.meet(peer)

    def _connect(self, up: bool) -> None:
        changed = up != self._server.connected
        self._server.connected = up
        if up:
            self.searches.banned = False
        if changed:
            self.events.emit("SoulseekClientConnected" if up else "SoulseekClientDisconnected", {})

    def _raise(self, wanted: Raise) -> None:
        self.events.sample(wanted.type, wanted.mark)
