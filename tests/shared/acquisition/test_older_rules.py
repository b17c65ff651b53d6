"""What an older release decided stays decided: it's applied as it was recorded, whatever today's rules would say."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from shared.acquisition import fold, lifecycle, workspace
from shared.acquisition.findings import AlbumReady
from shared.acquisition.model import ACTIVE, Acquisition, Context, Outcome, State
from shared.acquisition.rebuild import check
from shared.acquisition.signals import Imported, Signal
from shared.acquisition.steps import finish
from shared.acquisition.workspace import Decision
from tests.shared.acquisition.cast import Cast
from tests.shared.acquisition.ledger import Ledger, own
from tests.shared.acquisition.lidarr_side import LidarrSide
from tests.shared.acquisition.slskd_side import Fate, SlskdSide

# What the first release knew of an attempt, and of settings.
_OF_AN_ATTEMPT = (
    *(
        "number",
        "source",
        "state",
        "started_at",
        "foreign_grab",
        "download_id",
        "release_title",
        "indexer",
        "size_bytes",
    ),
    *("files_arrived", "grab_seen", "grab_history_id", "end_history_id", "reason", "grabbed_at", "finished_at"),
)
_SETTINGS = ("version", "album_max_attempts", "observe_interval")


def recorded_then(**facts: Any) -> Decision:
    """The record of a decision as the first release wrote it."""
    now = workspace.record(**facts)
    changes, context = now.changes, msgspec.to_builtins(now.context)
    if "attempts" in changes:
        attempts = [{name: getattr(one, name) for name in _OF_AN_ATTEMPT} for one in changes["attempts"]]
        known = {name: value for name, value in changes["set"].items() if name != "budget_spent"}
        changes = {**changes, "set": known, "attempts": attempts}
    settings = {name: context["settings"][name] for name in _SETTINGS}
    return replace(now, rules_version=1, changes=changes, context={"lidarr": context["lidarr"], "settings": settings})


def imported_then(acquisition: Acquisition, signal: Signal, context: Context) -> Outcome:
    """A rule of another time: the first import ended it, whole or not."""
    return finish(acquisition, State.COMPLETED, context, winner=acquisition.current)


RULES_OF_THEN = {**lifecycle.RULES, **{(state, Imported): imported_then for state in ACTIVE}}


async def story_of_then(ledger: Ledger, done: Cast, under_way: Cast) -> None:
    """One album that was ended by half of it, and one that is being downloaded at Lidarr."""
    for cast in (done, under_way):
        await ledger.ask(cast.wish())
        acquisition = await ledger.value("SELECT id FROM acquisitions WHERE album_mbid = $1", cast.mbid())
        ready = AlbumReady(
            acquisition_id=acquisition, lidarr_album_id=501, track_file_count=0, track_count=10, history_floor=0
        )
        await ledger.tell(own(ready), cast.row(1, "grabbed"))
    await ledger.tell(done.download("D1"))
    await ledger.pool.execute("UPDATE commands SET state = 'done', finished_at = now()")


async def test_older_decisions_are_applied_as_recorded_and_todays_are_made_again(
    pool: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger, done, under_way = Ledger(pool, lidarr=True, slskd=True), Cast(1), Cast(2)
    with monkeypatch.context() as then:
        then.setattr(fold, "record", recorded_then)
        then.setattr(lifecycle, "RULES", RULES_OF_THEN)
        await story_of_then(ledger, done, under_way)
    old: int = await ledger.value("SELECT count(*) FROM decisions WHERE rules_version = 1")
    assert old == 7

    side, album = LidarrSide(), under_way.mbid()
    side.soulseek = SlskdSide({album: under_way}, {album: [("ann", Fate.WHOLE)]}, side.files, side.rows)
    await ledger.tell(under_way.row(2, "downloadFailed"))
    await side.serve(ledger)

    report = await check(pool, ledger.folding.interpret)
    assert report.differences == []
    assert report.applied_as_recorded == old
    assert report.made_again == report.decisions - old > 0
    attempts = await pool.fetch("SELECT source, state FROM attempts ORDER BY started_at")
    assert [tuple(row) for row in attempts] == [
        ("lidarr", "completed"),
        ("lidarr", "failed"),
        ("lidarr", "failed"),
        ("soulseek", "completed"),
    ]
    await ledger.is_sound()


async def test_the_same_decisions_under_todays_number_would_be_found_out(
    pool: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = Ledger(pool, lidarr=True)
    with monkeypatch.context() as then:
        then.setattr(lifecycle, "RULES", RULES_OF_THEN)
        await story_of_then(ledger, Cast(1), Cast(2))
    report = await check(pool, ledger.folding.interpret)
    assert len(report.differences) == 1
    assert "(Imported) comes out otherwise" in report.differences[0]
