"""The simulated slskd itself: its version, its connection to Soulseek, its options."""

from __future__ import annotations

import secrets
import time

import msgspec
from aiohttp import web

from reprise.simulator.knobs import Json
from reprise.simulator.peer import answer
from reprise.simulator.slskd.answers import plain
from reprise.simulator.slskd.searches import Searches
from reprise.simulator.slskd.transfers import Transfers

WEEK_S = 7 * 24 * 3600


class Server:
    """State of the connection and the process; a ban on searches ends the connection."""

    def __init__(self, searches: Searches, transfers: Transfers) -> None:
        self._searches = searches
        self._transfers = transfers
        self.tokens: set[str] = set()
        self.reset()

    def reset(self) -> None:
        self.version = "0.26.0"
        self.connected = True
        self.shared_files = 12_345
        self.search_post_s = 0.0
        self.remote_file_management = False
        self.username = "reprise"
        self.password = "slskd"  # noqa: S105 the published default of a fresh slskd
        self.tokens.clear()

    @property
    def logged_in(self) -> bool:
        return self.connected and not self._searches.banned

    @property
    def has_batches(self) -> bool:
        return self._minor >= (0, 26)

    @property
    def answers_enqueueing(self) -> bool:
        """Whether the older endpoint says what it did."""
        return self._minor >= (0, 24)

    @property
    def _minor(self) -> tuple[int, ...]:
        return tuple(int(part) for part in self.version.split(".")[:2])

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/api/v0/application", self.application),
            web.get("/api/v0/application/version", self.application_version),
            web.get("/api/v0/server", self.server),
            web.put("/api/v0/server", self.connect),
            web.delete("/api/v0/server", self.disconnect),
            web.get("/api/v0/options", self.options),
            web.get("/api/v0/shares", self.shares),
            web.get("/api/v0/session", self.session),
            web.get("/api/v0/session/enabled", self.session_enabled),
            web.post("/api/v0/session", self.log_in),
        ]

    def state(self) -> Json:
        up = self.logged_in
        return {
            "address": "vps.slsknet.org:2271",
            "ipEndPoint": "192.0.2.10:2271",
            "state": "Connected, LoggedIn" if up else "Disconnected",
            "isConnected": up,
            "isConnecting": False,
            "isLoggedIn": up,
            "isLoggingIn": False,
            "isTransitioning": False,
        }

    async def application(self, _request: web.Request) -> web.Response:
        return answer(
            {
                "version": {
                    "full": f"{self.version}+5770c7e4",
                    "current": self.version,
                    "isCanary": False,
                    "isDevelopment": False,
                },
                "pendingReconnect": False,
                "pendingRestart": False,
                "server": self.state(),
                "connectionWatchdog": {
                    "isEnabled": False,
                    "isAttemptingConnection": False,
                    "isAwaitingVpn": False,
                },
                "relay": {"mode": "Controller", "controller": {"state": "Disconnected"}, "agents": []},
                "user": {
                    "username": self.username,
                    "privileges": {"isPrivileged": False, "privilegesRemaining": 0},
                    "statistics": {
                        "averageSpeed": 0,
                        "directoryCount": 0,
                        "fileCount": self.shared_files,
                        "uploadCount": 0,
                    },
                },
                "distributedNetwork": {
                    "branchLevel": 0,
                    "canAcceptChildren": False,
                    "childLimit": 25,
                    "children": [],
                    "hasParent": False,
                    "isBranchRoot": False,
                },
                "shares": {
                    "scanPending": False,
                    "scanning": False,
                    "ready": True,
                    "faulted": False,
                    "cancelled": False,
                    "scanProgress": 1,
                    "hosts": ["local"],
                    "directories": 100,
                    "files": self.shared_files,
                },
                "rooms": [],
                "users": [],
            }
        )

    async def application_version(self, _request: web.Request) -> web.Response:
        return answer(self.version)

    async def server(self, _request: web.Request) -> web.Response:
        return answer(self.state())

    async def connect(self, _request: web.Request) -> web.Response:
        self.connected = True
        return plain(200, "")

    async def disconnect(self, _request: web.Request) -> web.Response:
        self.connected = False
        return plain(204, "")

    async def options(self, _request: web.Request) -> web.Response:
        downloads = self._transfers.settings.downloads_dir
        return answer(
            {
                "instanceName": "default",
                "directories": {"incomplete": "/incomplete", "downloads": downloads},
                "shares": {"directories": ["/music"], "filters": []},
                "soulseek": {"username": self.username, "listenPort": 50300},
                "remoteConfiguration": False,
                "remoteFileManagement": self.remote_file_management,
            }
        )

    async def shares(self, _request: web.Request) -> web.Response:
        share = {
            "id": "music",
            "alias": "music",
            "isExcluded": False,
            "localPath": "/music",
            "raw": "/music",
            "remotePath": "music",
            "directories": 100,
            "files": self.shared_files,
        }
        return answer({"local": [share]})

    async def session(self, _request: web.Request) -> web.Response:
        return plain(200, "")

    async def session_enabled(self, _request: web.Request) -> web.Response:
        return answer(True)

    async def log_in(self, request: web.Request) -> web.Response:
        body = msgspec.json.decode(await request.read(), type=dict[str, str])
        if (body.get("username"), body.get("password")) != ("slskd", self.password):
            return plain(401, "")
        token, now = secrets.token_urlsafe(32), int(time.time())
        self.tokens.add(token)
        return answer(
            {
                "expires": now + WEEK_S,
                "issued": now,
                "name": "slskd",
                "notBefore": now,
                "token": token,
                "tokenType": "Bearer",
            }
        )
