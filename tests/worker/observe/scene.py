"""Attempts under way in a real Postgres, and looks at a simulated peer that are settled as a worker settles them."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import msgspec

from shared.acquisition.acts import own_delivery
from shared.acquisition.candidate import WantedFile
from shared.acquisition.commands import Command
from shared.acquisition.signals import Signal, decode
from shared.eventlog.event import REPRISE
from shared.eventlog.store import append
from tests.worker.workshop import order
from worker.effects.effect import Found, Tools

Look = Callable[[Tools], Awaitable[Found]]


class Scene:
    """The hands of a test. A look is one at the peer that the test is about."""

    def __init__(self, tools: Tools, look: Look) -> None:
        self.tools = tools
        self.pool: Any = tools.pool
        self._look = look

    async def acquisition(self, *, state: str = "downloading", origin: str = "asked", **fields: Any) -> UUID:
        """An acquisition without attempts."""
        number = uuid4()
        fields = {"album_mbid": uuid4(), "reason": None, "lidarr_album_id": None} | fields
        await self.pool.execute(
            "INSERT INTO acquisitions (id, album_mbid, artist_name, album_title, origin, state, sequence, created_at,"
            " updated_at, reason, lidarr_album_id) VALUES ($1, $2, 'a', 'b', $3, $4, 1, now(), now(), $5, $6)",
            *(number, fields["album_mbid"], origin, state, fields["reason"], fields["lidarr_album_id"]),
        )
        return number

    async def attempt(self, acquisition: UUID, *, number: int = 1, source: str, state: str, **fields: Any) -> UUID:
        """An attempt of an acquisition; answers the acquisition."""
        fields = {"acquisition_id": acquisition, "number": number, "source": source, "state": state} | fields
        fields["files"] = json.loads(msgspec.json.encode(fields.get("files", ())))
        names = list(fields)
        values = ", ".join(f"${place}" for place in range(1, len(names) + 1))
        await self.pool.execute(
            f"INSERT INTO attempts ({', '.join(names)}, started_at) VALUES ({values}, now())", *fields.values()
        )
        return acquisition

    async def order(self, command: Command) -> UUID:
        """An order that waits."""
        return await order(self.pool, command)

    async def look(self, *, times: int = 1, every_s: float = 0.0) -> list[Signal]:
        """So many looks, each so long after the one before; answers what they told that no peer did."""
        told: list[Signal] = []
        for _ in range(times):
            await self.pool.execute("UPDATE watches SET seen_at = seen_at - make_interval(secs => $1)", every_s)
            told += await self.settle(await self._look(self.tools))
        return told

    async def settle(self, found: Found) -> list[Signal]:
        """Write down what a look found, in one transaction, as the executor does."""
        async with self.pool.acquire() as connection, connection.transaction():
            if found.deliveries:
                await append(connection, found.deliveries)
            assert found.also
            follows = await found.also(connection)
            if follows:
                await append(connection, [own_delivery(signal, source=REPRISE) for signal in follows])
        return list(follows or ())

    async def watch(self, acquisition: UUID, number: int = 1) -> Any:
        """The row of the watch, or None."""
        return await self.pool.fetchrow(
            "SELECT * FROM watches WHERE acquisition_id = $1 AND attempt = $2", acquisition, number
        )

    async def phase(self, acquisition: UUID, number: int = 1) -> str | None:
        found = await self.watch(acquisition, number)
        return found["phase"] if found else None

    async def events(self, source: str) -> list[str]:
        """The types of a source's events, in order."""
        rows = await self.pool.fetch("SELECT type FROM events WHERE source = $1 ORDER BY received_at, id", source)
        return [row["type"] for row in rows]

    async def own_signals(self) -> list[Signal]:
        rows = await self.pool.fetch("SELECT body FROM events WHERE source = 'reprise' ORDER BY id")
        return [decode(row["body"]) for row in rows]

    async def ordered(self, kind: str) -> int:
        """How many commands of a kind wait."""
        found: int = await self.pool.fetchval(
            "SELECT count(*) FROM commands WHERE kind = $1 AND state = 'waiting'", kind
        )
        return found


def files(folder: str, names: list[str]) -> tuple[WantedFile, ...]:
    """Wanted files as the simulated peers share them."""
    return tuple(WantedFile(f"{folder}\\{name}", 31_000_000 + place) for place, name in enumerate(names, 1))
