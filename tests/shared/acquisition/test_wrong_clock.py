"""A process whose clock is wrong: what it orders is due by Postgres' clock, which everybody's claims go by."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from shared.acquisition.acts import act
from shared.acquisition.fold import Folding
from shared.acquisition.signals import AlbumWish, JobRequested
from shared.settings.registry import Settings
from shared.sources import interpret


@pytest.mark.parametrize("ahead", [timedelta(hours=1), timedelta(hours=-1)])
async def test_commands_of_a_wrong_clock_are_due_now(pool: Any, ahead: timedelta) -> None:
    folding = Folding(interpret=interpret, settings=Settings, lidarr=True, clock=lambda: datetime.now(UTC) + ahead)
    await act(pool, folding, JobRequested(user_id="ann", album=AlbumWish(uuid4(), "Example Ensemble", "First Light")))
    waits: timedelta = await pool.fetchval("SELECT due_at - now() FROM commands")
    assert abs(waits) < timedelta(minutes=1)
