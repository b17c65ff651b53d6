"""What every part of the Lidarr client stands on: the connection, and lists that come in pages."""

from __future__ import annotations

from typing import Protocol, TypeVar

from shared.config import Secret
from worker.clients import lidarr_calls as calls
from worker.clients.answers import PeerFailed
from worker.clients.http import Endpoint, Peer, Query


class _Numbered(Protocol):
    @property
    def id(self) -> int: ...


T = TypeVar("T", bound=_Numbered)

PAGE_SIZE = 500
_READINGS = 2


class LidarrPeer:
    """The connection to one Lidarr."""

    def __init__(self, url: str, api_key: Secret | None) -> None:
        self._peer = Peer("lidarr", url, api_key)

    async def close(self) -> None:
        await self._peer.close()

    async def _all_pages(self, endpoint: Endpoint[calls.Page[T]], query: Query) -> tuple[T, ...]:
        async with self._peer.bounded(endpoint):
            for _ in range(_READINGS):
                found: dict[int, T] = {}
                number, total = 1, 1
                while (number - 1) * PAGE_SIZE < total:
                    turn = [("page", number), ("pageSize", PAGE_SIZE)]
                    page = await self._peer.fetch(endpoint, query=[*query, *turn])
                    total, number = page.total_records, number + 1
                    found |= {item.id: item for item in page.records}
                # Rows move between pages while we turn them; then it's read again.
                if len(found) >= total:
                    return tuple(found.values())
        raise PeerFailed(f"lidarr counts {total} in its answer to {endpoint} and shows {len(found)}")
