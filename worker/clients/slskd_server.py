"""slskd itself: its version, its connection to Soulseek, its folders, and the events that it keeps."""

from __future__ import annotations

import base64
import time
from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any, TypeVar

from shared.config import Secret
from worker.clients import slskd_calls as calls
from worker.clients.answers import NotFoundAtPeer, PeerMisconfigured, PeerRefused
from worker.clients.http import Endpoint, Peer
from worker.clients.slskd_answers import Application, EventPage, Options, ServerState

T = TypeVar("T")

PAGE_SIZE = 100
# slskd may be upgraded, or put back, while we run.
VERSION_KEPT_S = 300.0


class Removal(StrEnum):
    """What became of a folder or file that was to be deleted."""

    REMOVED = "removed"
    GONE = "gone"
    NOT_ALLOWED = "not_allowed"


class SlskdServer:
    """The connection to one slskd."""

    def __init__(self, url: str, api_key: Secret | None) -> None:
        self._peer = Peer("slskd", url, api_key)
        self._takes_batches: bool | None = None
        self._version_read_at = 0.0

    async def close(self) -> None:
        await self._peer.close()

    async def application(self) -> Application:
        """That it's alive and takes our key, its version and its state."""
        return await self._peer.fetch(calls.APPLICATION)

    async def server(self) -> ServerState:
        """Its connection to the Soulseek network."""
        return await self._peer.fetch(calls.SERVER)

    async def options(self) -> Options:
        """Its folders as it sees them itself, and what it lets others do."""
        return await self._peer.fetch(calls.OPTIONS)

    async def takes_batches(self) -> bool:
        """Whether downloads can be enqueued in batches that bear our own id and folder; read every few minutes."""
        known = self._takes_batches
        if known is None or time.monotonic() - self._version_read_at > VERSION_KEPT_S:
            known = (await self.application()).takes_batches
            self._takes_batches, self._version_read_at = known, time.monotonic()
        return known

    async def user_online(self, username: str) -> bool:
        """Whether a user can be downloaded from; False, too, for whom slskd's owner has shut out."""
        try:
            status = await self._peer.fetch(calls.USER_STATUS, username)
        except NotFoundAtPeer:
            return False
        return status.is_online

    async def events(self, *, offset: int = 0, limit: int = PAGE_SIZE) -> EventPage:
        """A slice of all events that it keeps, newest first by `timestamp`.

        A download's timestamp is when its transfer ended, so late rows land behind newer ones: read an overlap.
        """
        query = [("offset", offset), ("limit", limit)]
        rows, headers = await self._peer.fetch_with_headers(calls.EVENTS, query=query)
        total = headers.get("X-Total-Count", "")
        return EventPage(total=int(total) if total.isascii() and total.isdigit() else None, events=rows)

    async def files_in(self, folder: str) -> Mapping[str, int] | Removal:
        """The files at any depth of a folder, by their paths below it (with slashes), with their sizes in bytes.

        `folder` is below the downloads folder, with slashes. GONE where there is no such folder, NOT_ALLOWED where
        slskd may not look into it, or can't be told such a name.
        """

        async def look(spelling: str) -> Mapping[str, int]:
            found = await self._peer.fetch(calls.FOLDER_CONTENTS, spelling, query=[("recursive", "true")])
            return {(file.full_name or file.name).replace("\\", "/"): file.length for file in found.files}

        return await _unless_refused(folder, look)

    async def delete_folder(self, path: str) -> Removal:
        """Delete a folder with all that is in it. `path` is below the downloads folder, with slashes.

        NOT_ALLOWED unless slskd's owner switched `remote_file_management` on, or if slskd can't be told such a name.
        """
        return await self._delete(calls.DELETE_FOLDER, path)

    async def delete_file(self, path: str) -> Removal:
        """The same for a file; REMOVED, too, where its folder holds no such file."""
        return await self._delete(calls.DELETE_FILE, path)

    async def _delete(self, endpoint: Endpoint[Any], path: str) -> Removal:
        async def delete(spelling: str) -> Removal:
            await self._peer.call(endpoint, spelling)
            return Removal.REMOVED

        return await _unless_refused(path, delete)


async def _unless_refused(path: str, ask: Callable[[str], Awaitable[T]]) -> T | Removal:
    """What slskd answers when asked about a path in its spelling; GONE or NOT_ALLOWED where it doesn't."""
    spelling = _spelled(path)
    if spelling is None:
        return Removal.NOT_ALLOWED
    try:
        return await ask(spelling)
    except NotFoundAtPeer:
        return Removal.GONE
    except PeerMisconfigured as error:
        if error.status != 403:
            raise
        return Removal.NOT_ALLOWED


def _spelled(path: str) -> str | None:
    """The path in base 64, without a slash, if need be by a detour: slskd can't read one there, escaped or not.

    None for the few names (`ÿÿÿ`) that have one by every detour. Raises PeerRefused for what isn't below the downloads.
    """
    parts = PurePosixPath(path).parts
    if not parts or parts[0] == "/" or ".." in parts:
        raise PeerRefused(f"{path!r} is no folder below slskd's downloads: it is left alone")
    plain = "/".join(parts)
    spellings = [base64.b64encode(f"{detour}{plain}".encode()).decode() for detour in ("", "./", "././")]
    return next((spelling for spelling in spellings if "/" not in spelling), None)
