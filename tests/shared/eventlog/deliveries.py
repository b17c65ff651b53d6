"""Deliveries as the receiver makes them, for tests of the log."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from shared.eventlog.event import Delivery
from shared.eventlog.identity import uuid7


def delivery(
    body: bytes = b"{}",
    *,
    key: str | None = None,
    type: str = "Test",
    source: str = "lidarr",
    correlation_id: str | None = None,
    age: timedelta = timedelta(0),
) -> Delivery:
    """One fact on its way into the log, received `age` ago."""
    return Delivery(
        id=uuid7(),
        source=source,
        type=type,
        body=body,
        received_at=datetime.now(UTC) - age,
        dedupe_key=key,
        correlation_id=correlation_id,
    )
