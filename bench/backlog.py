"""A backlog as a busy music library makes it: grabs and imports, packs, failures, noise, and rows of history."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import count, islice

import asyncpg

from bench import bodies
from shared.eventlog.event import Delivery, Identity
from shared.eventlog.identity import uuid7
from shared.eventlog.store import append
from shared.sources import SOURCES

_CHUNK = 500
_PAIRS = 8
_IN_A_PACK = 3


def backlog(number: int) -> list[Delivery]:
    """So many deliveries: 64 % Grab and Download of single albums, 16 % packs, 8 % failures, 8 % history, 4 % noise."""
    return list(islice(_days(), number))


def _days() -> Iterator[Delivery]:
    """25 deliveries a round, of albums that no other round has."""
    for day in count():
        first = 1 + day * 100
        for serial in range(first, first + _PAIRS):
            yield _webhook(bodies.grab(serial))
            yield _webhook(bodies.download(serial))
        pack = first + 20
        yield _webhook(bodies.grab(pack, albums=_IN_A_PACK))
        for serial in range(pack, pack + _IN_A_PACK):
            yield _webhook(bodies.download(serial, of_pack=pack))
        failed = first + 40
        yield _webhook(bodies.grab(failed))
        yield _webhook(bodies.download_failure(failed))
        for serial, kind in ((first, "grabbed"), (first + 1, "downloadImported")):
            yield _row(serial, kind)
        yield _webhook((bodies.health(day), bodies.test(), bodies.import_failure())[day % 3])


def _webhook(body: bytes) -> Delivery:
    return _delivery(body, SOURCES["lidarr"].identify({}, body))


def _row(serial: int, kind: str) -> Delivery:
    name = {"grabbed": "HistoryGrabbed", "downloadImported": "HistoryDownloadImported"}[kind]
    identity = Identity(name, f"history:lidarr:{serial}", bodies.download_id(serial))
    return _delivery(bodies.history_row(serial, kind, indexer="Example", size="412345678"), identity)


def _delivery(body: bytes, identity: Identity) -> Delivery:
    return Delivery(
        id=uuid7(),
        source="lidarr",
        type=identity.type,
        body=body,
        received_at=datetime.now(UTC),
        dedupe_key=identity.dedupe_key,
        correlation_id=identity.correlation_id,
    )


async def lay_up(dsn: str, deliveries: Sequence[Delivery]) -> None:
    """Append all of them in one transaction: a worker sees the whole backlog or none of it."""
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            for start in range(0, len(deliveries), _CHUNK):
                await append(connection, deliveries[start : start + _CHUNK])
    finally:
        await connection.close()
