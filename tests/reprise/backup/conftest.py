"""A database with something in it, a spool, and a folder for backups."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from reprise.backup.folder import Folder
from shared.eventlog.event import Delivery
from shared.eventlog.identity import uuid7
from shared.eventlog.store import append
from shared.postgres.pool import connect

BODY = b'{"eventType": "Test", "odd": "\\u0000"}'


def delivery(body: bytes = BODY) -> Delivery:
    return Delivery(uuid7(), "lidarr", "Test", body, datetime.now(UTC), None, None)


async def append_to(dsn: str, *deliveries: Delivery) -> None:
    connection = await connect(dsn)
    try:
        await append(connection, list(deliveries))
    finally:
        await connection.close()


async def ids_in(dsn: str) -> set[str]:
    connection = await connect(dsn)
    try:
        return {str(row["id"]) for row in await connection.fetch("SELECT id FROM events")}
    finally:
        await connection.close()


@pytest.fixture
async def filled(database: str) -> str:
    """The DSN of a database with 300 events."""
    await append_to(database, *(delivery() for _ in range(300)))
    return database


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    return tmp_path / "data" / "spool"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "backups")
