"""Status, health and set-up of the simulated Lidarr's API."""

from __future__ import annotations

from aiohttp import web

from reprise.simulator.clock import seconds
from reprise.simulator.lidarr.answers import body_of, missing
from reprise.simulator.lidarr.world import TOTAL_SPACE, World
from reprise.simulator.peer import answer


class SetupRoutes:
    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/ping", self.ping),
            web.get("/api/v1/system/status", self.status),
            web.get("/api/v1/health", self.health),
            web.get("/api/v1/rootfolder", self.root_folders),
            web.get("/api/v1/qualityprofile", self.quality_profiles),
            web.get(r"/api/v1/qualityprofile/{id:\d+}", self.quality_profile),
            web.get("/api/v1/metadataprofile", self.metadata_profiles),
            web.get("/api/v1/tag", self.tags),
            web.post("/api/v1/tag", self.add_tag),
            web.get("/api/v1/remotepathmapping", self.path_mappings),
            web.get("/api/v1/config/downloadclient", self.download_client_config),
        ]

    async def ping(self, _request: web.Request) -> web.Response:
        return answer({"status": "OK"})

    async def status(self, _request: web.Request) -> web.Response:
        return answer(
            {
                "appName": "Lidarr",
                "instanceName": self._world.instance.name,
                "version": self._world.instance.version,
                "buildTime": "2025-10-05T16:05:12Z",
                "isDebug": False,
                "isProduction": True,
                "isAdmin": False,
                "isUserInteractive": False,
                "startupPath": "/app/lidarr/bin",
                "appData": "/config",
                "osName": "ubuntu",
                "osVersion": "22.04",
                "isNetCore": True,
                "isLinux": True,
                "isOsx": False,
                "isWindows": False,
                "isDocker": True,
                "mode": "console",
                "branch": "master",
                "databaseType": "sqLite",
                "databaseVersion": "3.45.1",
                "authentication": "forms",
                "migrationVersion": 78,
                "urlBase": "",
                "runtimeVersion": "6.0.35",
                "runtimeName": "netcore",
                "startTime": seconds(self._world.connections.started_at),
                "packageUpdateMechanism": "docker",
            }
        )

    async def health(self, _request: web.Request) -> web.Response:
        connections = self._world.connections
        off = sorted(one.name for one in connections.all.values() if connections.is_off(one))
        found = list(self._world.settings.health)
        if self._world.settings.client_away:
            found.append(
                {
                    "source": "DownloadClientCheck",
                    "type": "error",
                    "message": "Unable to communicate with SABnzbd.",
                    "wikiUrl": "https://wiki.servarr.com/lidarr/system#unable-to-communicate-with-download-client",
                }
            )
        if off:
            found.append(
                {
                    "source": "NotificationStatusCheck",
                    "type": "warning",
                    "message": f"Connections switched off after failures: {', '.join(off)}",
                    "wikiUrl": "https://wiki.servarr.com/lidarr/system#notifications-are-unavailable",
                }
            )
        return answer([{"id": number} | one for number, one in enumerate(found, 1)])

    async def root_folders(self, _request: web.Request) -> web.Response:
        return answer(
            [
                {
                    "id": number,
                    "name": path.rpartition("/")[2] or path,
                    "path": path,
                    "defaultMetadataProfileId": 1,
                    "defaultQualityProfileId": 1,
                    "defaultMonitorOption": "all",
                    "defaultNewItemMonitorOption": "all",
                    "defaultTags": [],
                    "accessible": True,
                    "freeSpace": self._world.settings.free_space,
                    "totalSpace": TOTAL_SPACE,
                }
                for number, path in enumerate(self._world.settings.root_folders, 1)
            ]
        )

    async def quality_profiles(self, _request: web.Request) -> web.Response:
        return answer([profile.to_json() for profile in self._world.settings.quality_profiles])

    async def quality_profile(self, request: web.Request) -> web.Response:
        number = int(request.match_info["id"])
        for profile in self._world.settings.quality_profiles:
            if profile.id == number:
                return answer(profile.to_json())
        raise missing("QualityProfile", number)

    async def metadata_profiles(self, _request: web.Request) -> web.Response:
        profiles = {1: "Standard", 2: "None"}
        return answer(
            [
                {
                    "id": number,
                    "name": name,
                    "primaryAlbumTypes": [{"albumType": {"id": 0, "name": "Album"}, "allowed": number == 1}],
                    "secondaryAlbumTypes": [{"albumType": {"id": 0, "name": "Studio"}, "allowed": number == 1}],
                    "releaseStatuses": [{"releaseStatus": {"id": 0, "name": "Official"}, "allowed": True}],
                }
                for number, name in profiles.items()
            ]
        )

    async def tags(self, _request: web.Request) -> web.Response:
        return answer([{"id": number, "label": label} for number, label in self._world.settings.tags.items()])

    async def add_tag(self, request: web.Request) -> web.Response:
        label = str((await body_of(request)).get("label") or "").casefold()
        tags = self._world.settings.tags
        number = next((known for known, name in tags.items() if name == label), None)
        if number is None:
            number = next(self._world.tag_ids)
            tags[number] = label
        return answer({"id": number, "label": label}, 201)

    async def path_mappings(self, _request: web.Request) -> web.Response:
        mappings = self._world.settings.path_mappings
        return answer([{"id": number} | mapping for number, mapping in enumerate(mappings, 1)])

    async def download_client_config(self, _request: web.Request) -> web.Response:
        settings = self._world.settings
        return answer(
            {
                "id": 1,
                "downloadClientWorkingFolders": "_UNPACK_|_FAILED_",
                "enableCompletedDownloadHandling": settings.completed_download_handling,
                "autoRedownloadFailed": settings.auto_redownload_failed,
                "autoRedownloadFailedFromInteractiveSearch": settings.auto_redownload_failed,
            }
        )
