"""The rules from wish to search: Lidarr has the album, searches, finds or doesn't. Pure."""

from __future__ import annotations

from msgspec.structs import replace

from shared.acquisition.choosing import LIDARR, NOTHING_FOUND
from shared.acquisition.commands import AFTER_THE_END, FollowSearch
from shared.acquisition.findings import AlbumReady, CommandFailed, SearchFinished, SearchStarted
from shared.acquisition.model import Acquisition, Attempt, AttemptState, Context, Order, Outcome, State
from shared.acquisition.steps import (
    applied,
    check,
    fail_attempt,
    finish,
    first_import,
    give_up,
    go_on,
    ignored,
    is_complete,
    look,
    numbered,
    put_attempt,
)

POLL_SEARCH_S = 2.0
LOOK_AFTER_SEARCH_S = 5.0
CHECK_AGAIN_S = 3600.0

# Where its attempt stands while a command is at work; any other is about an attempt that searches.
_AT_WORK = {
    "EnqueueDownload": AttemptState.DOWNLOADING,
    "ImportAlbum": AttemptState.IMPORTING,
    "FollowImport": AttemptState.IMPORTING,
}


def album_ready(acquisition: Acquisition, signal: AlbumReady, context: Context) -> Outcome:
    """Lidarr has the album: done if it is complete, else the first attempt begins."""
    after = replace(acquisition, lidarr_album_id=signal.lidarr_album_id, reason=None)
    # Not over a download that Lidarr began by itself meanwhile: its rows may lie below.
    if acquisition.history_floor is None and not acquisition.open_attempts:
        after = replace(after, history_floor=signal.history_floor)
    if is_complete(signal.track_file_count, signal.track_count):
        winner = first_import(acquisition)
        return finish(after, State.COMPLETED, context, reason=None if winner else "already_in_library", winner=winner)
    if acquisition.open_attempts:
        return applied(after)
    return go_on(after, context)


def search_started(acquisition: Acquisition, signal: SearchStarted, context: Context) -> Outcome:
    """Follow the search to its end, unless its attempt has moved on."""
    attempt = _searches(acquisition, signal.attempt)
    if attempt is None or acquisition.lidarr_album_id is None:
        return ignored(acquisition, "search_is_over")
    follow = FollowSearch(
        acquisition_id=acquisition.id,
        attempt=signal.attempt,
        lidarr_album_id=acquisition.lidarr_album_id,
        command_id=signal.command_id,
    )
    begun = put_attempt(acquisition, replace(attempt, searched_at=context.now))
    return applied(begun, Order(follow, POLL_SEARCH_S))


def search_finished(acquisition: Acquisition, signal: SearchFinished, context: Context) -> Outcome:
    """Nothing found ends the attempt; something found is soon grabbed, and if no webhook says so we look."""
    attempt = _searches(acquisition, signal.attempt)
    if attempt is None:
        return ignored(acquisition, "search_is_over")
    if signal.found is None:
        return fail_attempt(acquisition, attempt, context, reason=f"search_broke_off: {signal.message}"[:300])
    if signal.found == 0:
        return fail_attempt(acquisition, attempt, context, reason=NOTHING_FOUND)
    return applied(acquisition, look(LOOK_AFTER_SEARCH_S), reason=f"found {signal.found}")


def _searches(acquisition: Acquisition, number: int) -> Attempt | None:
    return numbered(acquisition, number, AttemptState.SEARCHING, source=LIDARR)


def command_failed(acquisition: Acquisition, signal: CommandFailed, context: Context) -> Outcome:
    """A command ended dead: its attempt, or without one the acquisition, fails with that reason."""
    if signal.command == "CheckAlbum":
        return applied(
            replace(acquisition, reason=signal.reason),
            check(acquisition, CHECK_AGAIN_S),
            reason=signal.reason,
        )
    if signal.command == "EnsureAlbum" and not acquisition.open_attempts:
        return finish(acquisition, State.FAILED, context, reason=signal.reason)
    if signal.attempt is None or signal.command in AFTER_THE_END:
        return ignored(acquisition, signal.reason)
    attempt = numbered(acquisition, signal.attempt, _AT_WORK.get(signal.command, AttemptState.SEARCHING))
    if attempt is None:
        return ignored(acquisition, signal.reason)
    if attempt.state is AttemptState.IMPORTING:
        return give_up(acquisition, attempt, context, reason=signal.reason)
    return fail_attempt(acquisition, attempt, context, reason=signal.reason)
