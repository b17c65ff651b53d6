"""`reprise rebuild --check`: says when the stored state is what the log says, and where it isn't."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest

from shared.acquisition.acts import act
from shared.acquisition.fold import Folding
from shared.acquisition.rebuild import check
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


@pytest.mark.parametrize(
    "settings",
    [
        {"version": 1, "album_max_attempts": 3},
        {"version": 1, "album_max_attempts": 3, "from_the_future": True},
        {"version": 1, "download_source": "from_the_future"},
    ],
    ids=["older", "newer", "newer value"],
)
async def test_decisions_that_another_release_recorded_are_explained(pool: Any, settings: dict[str, Any]) -> None:
    folding = Folding(interpret=interpret, settings=Settings, lidarr=False)
    wish = AlbumWish(uuid4(), "Example Ensemble", "First Light")
    await act(pool, folding, JobRequested(user_id="me", album=wish))
    # As if that release had written it: nothing else may.
    await pool.execute("ALTER TABLE decisions DISABLE TRIGGER USER")
    await pool.execute("UPDATE decisions SET context = jsonb_set(context, '{settings}', $1)", settings)
    report = await check(pool, interpret)
    assert (report.decisions, report.differences) == (1, [])
    assert report.applied_as_recorded == (settings.get("download_source") is not None)
