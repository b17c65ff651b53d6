"""The simulated Lidarr, put together: world, routes, commands and knobs behind one door."""

from __future__ import annotations

from aiohttp import web

from reprise.simulator.disk import Disk
from reprise.simulator.failures import Handler
from reprise.simulator.lidarr.answers import ApiError, error
from reprise.simulator.lidarr.commands import Commands
from reprise.simulator.lidarr.control import Control
from reprise.simulator.lidarr.downloads import Downloads
from reprise.simulator.lidarr.imports import Imports
from reprise.simulator.lidarr.routes_albums import AlbumRoutes
from reprise.simulator.lidarr.routes_artists import ArtistRoutes
from reprise.simulator.lidarr.routes_commands import CommandRoutes
from reprise.simulator.lidarr.routes_files import FileRoutes
from reprise.simulator.lidarr.routes_notifications import NotificationRoutes
from reprise.simulator.lidarr.routes_queue import QueueRoutes
from reprise.simulator.lidarr.routes_setup import SetupRoutes
from reprise.simulator.lidarr.work import Work
from reprise.simulator.lidarr.world import World
from reprise.simulator.peer import SimulatedPeer


class LidarrSimulator(SimulatedPeer):
    """A Lidarr without music: its API, its webhooks and the downloads it would make."""

    open_paths = frozenset({"/ping"})

    def __init__(self, *, api_key: str = "lidarr-api-key", disk: Disk | None = None) -> None:
        super().__init__(api_key=api_key)
        self.world = World(clock=self.clock, pace=self.pace, outbox=self.outbox, disk=disk or Disk())
        self._commands = Commands(self.clock, self.pace)
        imports = Imports(self.world)
        downloads = Downloads(self.world, imports, self._commands)
        Work(self.world, self._commands, downloads, imports)
        Control(self.world, self._commands, downloads, imports).declare(self.knobs)
        self._routes = [
            *SetupRoutes(self.world).routes(),
            *NotificationRoutes(self.world).routes(),
            *AlbumRoutes(self.world, self._commands).routes(),
            *ArtistRoutes(self.world, self._commands).routes(),
            *CommandRoutes(self.world, self._commands, downloads, imports).routes(),
            *QueueRoutes(self.world, downloads).routes(),
            *FileRoutes(self.world, imports).routes(),
        ]

    def routes(self) -> list[web.RouteDef]:
        return self._routes

    def error(self, status: int) -> web.Response:
        return error(status)

    def forget(self) -> None:
        self.world.reset()
        self._commands.reset()

    async def handle(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except ApiError as refused:
            return refused.response
