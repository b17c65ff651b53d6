"""`reprise rebuild --check`: says when the stored state is what the log says, and where it isn't."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

from shared.acquisition.acts import act
from shared.acquisition.fold import Folding
from shared.acquisition.signals import AlbumWish, JobRequested
from shared.settings.registry import Settings
from shared.sources import interpret
from tests.harness.processes import Processes


async def test_a_tampered_row_is_told(pool: Any, processes: Processes) -> None:
    """Exit code 0 while the log explains every row; 1, with the row and the field, when one was changed by hand."""
    folding = Folding(interpret=interpret, settings=Settings, lidarr=False)
    wish = AlbumWish(uuid4(), "Example Ensemble", "First Light")
    await act(pool, folding, JobRequested(user_id="me", album=wish))
    sound = await processes.start("rebuild", "--check", "--json")
    assert await sound.child.wait() == 0
    assert json.loads(sound.output())["differences"] == []
    acquisition = await pool.fetchval("UPDATE acquisitions SET album_title = 'Another' RETURNING id")
    tampered = await processes.start("rebuild", "--check")
    assert await tampered.child.wait() == 1
    assert f"{acquisition}: album_title is 'Another', by the log 'First Light'" in tampered.output()
