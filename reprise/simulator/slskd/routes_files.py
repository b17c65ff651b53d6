"""Folders of the simulated slskd's downloads: listed for everybody, deleted only where that is switched on."""

from __future__ import annotations

import base64
import binascii
import posixpath
from urllib.parse import unquote

from aiohttp import web

from reprise.simulator.disk import Disk
from reprise.simulator.slskd.answers import plain
from reprise.simulator.slskd.server import Server
from reprise.simulator.slskd.transfers import Transfers


class FileRoutes:
    def __init__(self, transfers: Transfers, server: Server, disk: Disk) -> None:
        self._transfers = transfers
        self._server = server
        self._disk = disk

    def routes(self) -> list[web.RouteDef]:
        return [web.delete("/api/v0/files/downloads/directories/{base64}", self.delete)]

    async def delete(self, request: web.Request) -> web.Response:
        """Delete a folder with all that is in it; its path, below the downloads folder, comes in base 64."""
        if not self._server.remote_file_management:
            return plain(403, "")
        try:
            wanted = _decoded(request.rel_url.raw_path.rpartition("/")[2])
        except ValueError as error:
            return plain(500, str(error))
        root = self._transfers.settings.downloads_dir
        folder = posixpath.normpath(posixpath.join(root, wanted.replace("\\", "/").lstrip("/")))
        if folder == root:
            return plain(500, "The downloads folder itself can't be deleted")
        if not folder.startswith(f"{root}/"):
            return plain(403, "")
        files = self._disk.under(f"{folder}/")
        for file in files:
            self._disk.take(file.path)
        return plain(204 if files else 404, "")


def _decoded(segment: str) -> str:
    """A step of the path as ASP.NET hands it on: everything is unescaped but a slash, which is no base 64 then."""
    kept = segment.replace("%2F", "%252F").replace("%2f", "%252f")
    try:
        return base64.b64decode(unquote(kept), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ValueError("The input is not a valid Base-64 string") from error
