"""The simulated slskd's downloads folder: listed for everybody, deleted from only where that is switched on."""

from __future__ import annotations

import base64
import binascii
import posixpath
from urllib.parse import unquote

from aiohttp import web

from reprise.simulator.disk import Disk
from reprise.simulator.peer import answer
from reprise.simulator.query import Query
from reprise.simulator.slskd.answers import plain
from reprise.simulator.slskd.server import Server
from reprise.simulator.slskd.transfers import Transfers


class FileRoutes:
    def __init__(self, transfers: Transfers, server: Server, disk: Disk) -> None:
        self._transfers = transfers
        self._server = server
        self._disk = disk

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/api/v0/files/downloads/directories/{base64}", self.contents),
            web.delete("/api/v0/files/downloads/directories/{base64}", self.delete_folder),
            web.delete("/api/v0/files/downloads/files/{base64}", self.delete_file),
        ]

    async def contents(self, request: web.Request) -> web.Response:
        """What is in a folder, with `recursive` at any depth; names are below the folder that was asked about."""
        try:
            folder = self._place(request)
        except ValueError as error:
            return plain(500, str(error))
        if not self._within(folder):
            return plain(403, "")
        below = self._disk.under(f"{folder}/")
        if not below:
            return plain(404, "")
        names = {file.path.removeprefix(f"{folder}/"): file.size for file in below}
        deep = Query(request).flag("recursive")
        files = [
            {"name": posixpath.basename(name), "fullName": name, "length": names[name]}
            for name in names
            if deep or "/" not in name
        ]
        folders = sorted({name.partition("/")[0] for name in names if "/" in name})
        inner = [{"name": name, "fullName": name} for name in folders]
        return answer({"name": posixpath.basename(folder), "fullName": "", "files": files, "directories": inner})

    async def delete_folder(self, request: web.Request) -> web.Response:
        """Delete a folder with all that is in it; its path, below the downloads folder, comes in base 64."""
        if not self._server.remote_file_management:
            return plain(403, "")
        try:
            folder = self._place(request)
        except ValueError as error:
            return plain(500, str(error))
        if folder == self._root:
            return plain(500, "The downloads folder itself can't be deleted")
        if not self._within(folder):
            return plain(403, "")
        files = self._disk.under(f"{folder}/")
        for file in files:
            self._disk.take(file.path)
        return plain(204 if files else 404, "")

    async def delete_file(self, request: web.Request) -> web.Response:
        """Delete a file. That it isn't there is no fault; that its folder isn't is one within slskd."""
        if not self._server.remote_file_management:
            return plain(403, "")
        try:
            path = self._place(request)
        except ValueError as error:
            return plain(500, str(error))
        if not self._within(path) or self._disk.under(f"{path}/"):
            return plain(403, "")
        if not self._disk.under(f"{posixpath.dirname(path)}/"):
            return plain(500, "Could not find a part of the path")
        self._disk.take(path)
        return plain(204, "")

    @property
    def _root(self) -> str:
        return self._transfers.settings.downloads_dir

    def _within(self, path: str) -> bool:
        return path == self._root or path.startswith(f"{self._root}/")

    def _place(self, request: web.Request) -> str:
        """The path on the disk that a request names. Raises ValueError."""
        wanted = _decoded(request.rel_url.raw_path.rpartition("/")[2])
        return posixpath.normpath(posixpath.join(self._root, wanted.replace("\\", "/").lstrip("/")))


def _decoded(segment: str) -> str:
    """A step of the path as ASP.NET hands it on: everything is unescaped but a slash, which is no base 64 then."""
    kept = segment.replace("%2F", "%252F").replace("%2f", "%252f")
    try:
        return base64.b64decode(unquote(kept), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ValueError("The input is not a valid Base-64 string") from error
