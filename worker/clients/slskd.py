"""slskd's API v0, as far as we use it: how it is, and which events it keeps."""

from __future__ import annotations

from msgspec.json import Decoder

from shared.config import Secret
from worker.clients.http import Peer, get
from worker.clients.slskd_answers import Application, EventPage, EventRow, ServerState

APPLICATION = get("/api/v0/application", Decoder(Application))
SERVER = get("/api/v0/server", Decoder(ServerState))
EVENTS = get("/api/v0/events", Decoder(tuple[EventRow, ...]))

PAGE_SIZE = 100


class SlskdClient:
    """One slskd. Every method takes at most `MAX_CALL_S` and raises only the errors of `answers.py`."""

    def __init__(self, url: str, api_key: Secret | None) -> None:
        self._peer = Peer("slskd", url, api_key)

    async def close(self) -> None:
        await self._peer.close()

    async def application(self) -> Application:
        """That it's alive and takes our key, its version and its state."""
        return await self._peer.fetch(APPLICATION)

    async def server(self) -> ServerState:
        """Its connection to the Soulseek network."""
        return await self._peer.fetch(SERVER)

    async def events(self, *, offset: int = 0, limit: int = PAGE_SIZE) -> EventPage:
        """A slice of all events that it keeps, newest first by `timestamp`.

        A download's timestamp is when its transfer ended, so late rows land behind newer ones: read an overlap.
        """
        rows, headers = await self._peer.fetch_with_headers(EVENTS, query=[("offset", offset), ("limit", limit)])
        total = headers.get("X-Total-Count", "")
        return EventPage(total=int(total) if total.isascii() and total.isdigit() else None, events=rows)
