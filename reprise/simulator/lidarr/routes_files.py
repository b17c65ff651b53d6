"""What a simulated Lidarr sees of the disk: folders, files and free space."""

from __future__ import annotations

from pathlib import PurePosixPath

from aiohttp import web

from reprise.simulator.clock import seconds
from reprise.simulator.disk import DiskFile
from reprise.simulator.knobs import Json
from reprise.simulator.lidarr.imports import Imports
from reprise.simulator.lidarr.world import TOTAL_SPACE, World
from reprise.simulator.peer import answer
from reprise.simulator.query import Query

AUDIO = frozenset({".flac", ".mp3", ".m4a", ".ogg", ".opus", ".wma", ".wav", ".wv", ".ape", ".aif", ".aiff"})


class FileRoutes:
    def __init__(self, world: World, imports: Imports) -> None:
        self._world = world
        self._imports = imports

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/api/v1/filesystem", self.contents),
            web.get("/api/v1/filesystem/type", self.kind),
            web.get("/api/v1/filesystem/mediafiles", self.media_files),
            web.get("/api/v1/diskspace", self.disk_space),
        ]

    async def contents(self, request: web.Request) -> web.Response:
        """A folder's contents; one that isn't there looks like an empty one, and a name without slash is a prefix."""
        query = Query(request)
        path = query.text("path") or "/"
        if not (query.flag("allowFoldersWithoutTrailingSlashes") and self._is_folder(path)):
            path = path[: path.rfind("/") + 1]
        if not path:
            return answer({"directories": [], "files": []})
        folder = PurePosixPath(path)
        parent = {} if folder == folder.parent else {"parent": f"{str(folder.parent).rstrip('/')}/"}
        files = [self._file(one) for one in self._imports.visible() if PurePosixPath(one.path).parent == folder]
        within = [self._folder(one) for one in sorted(self._folders()) if one.parent == folder != one]
        return answer(parent | {"directories": within, "files": files if query.flag("includeFiles") else []})

    async def kind(self, request: web.Request) -> web.Response:
        """Lidarr calls everything a folder that isn't a file, lest it tell what there is."""
        path = Query(request).text("path")
        is_file = any(file.path == path for file in self._imports.visible())
        return answer({"type": "file" if is_file else "folder"})

    async def media_files(self, request: web.Request) -> web.Response:
        folder = Query(request).text("path")
        found = self._imports.seen(folder) if self._is_folder(folder) else []
        paths = [PurePosixPath(file.path) for file in found]
        return answer([{"path": str(one), "name": one.name} for one in paths if one.suffix.casefold() in AUDIO])

    async def disk_space(self, _request: web.Request) -> web.Response:
        settings = self._world.settings
        return answer(
            [
                {"path": path, "label": "", "freeSpace": settings.free_space, "totalSpace": TOTAL_SPACE}
                for path in sorted({*settings.root_folders, "/"})
            ]
        )

    def _folders(self) -> set[PurePosixPath]:
        """Root folders, what is mounted, and every folder that holds a file."""
        settings = self._world.settings
        known = [PurePosixPath(path) for path in [*settings.root_folders, *(seen for _, seen in settings.mounts)]]
        above = [parent for file in self._imports.visible() for parent in PurePosixPath(file.path).parents]
        return {*known, *above, *(parent for one in known for parent in one.parents)}

    def _is_folder(self, path: str) -> bool:
        return path.startswith("/") and PurePosixPath(path) in self._folders()

    def _folder(self, path: PurePosixPath) -> Json:
        changed = seconds(self._world.clock.now())
        return {"type": "folder", "name": path.name, "path": f"{path}/", "size": 0, "lastModified": changed}

    def _file(self, file: DiskFile) -> Json:
        path = PurePosixPath(file.path)
        return {
            "type": "file",
            "name": path.name,
            "path": file.path,
            "extension": path.suffix,
            "size": file.size,
            "lastModified": seconds(self._world.clock.now()),
        }
