"""The rules for what becomes of a download: imported, incomplete, failed, deleted. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from msgspec.structs import replace

from shared.acquisition.choosing import LIDARR
from shared.acquisition.findings import AlbumChecked, DownloadAbandoned
from shared.acquisition.model import (
    Acquisition,
    Attempt,
    AttemptState,
    Context,
    Order,
    Outcome,
    State,
    same_download,
)
from shared.acquisition.signals import (
    AlbumDeleted,
    DownloadDropped,
    DownloadFailed,
    DownloadFailureHinted,
    Imported,
    ImportIncomplete,
)
from shared.acquisition.steps import (
    applied,
    check,
    fail_attempt,
    finish,
    first_import,
    from_before,
    ignored,
    is_complete,
    look,
    new_attempt,
    put_attempt,
)

TRACKS_UNKNOWN = "tracks_unknown_yet"
TRACKS_UNKNOWN_YET_S = 15.0
TRACKS_STILL_UNKNOWN_S = 900.0

Row: TypeAlias = DownloadFailed | ImportIncomplete | DownloadDropped


def imported(acquisition: Acquisition, signal: Imported, context: Context) -> Outcome:
    """Files came in. Whether that is the whole album only its track statistics say."""
    if from_before(acquisition, signal.history_id):
        return ignored(acquisition, "from_before_our_time")
    attempt = next(
        (one for one in acquisition.open_attempts if same_download(one.download_id, signal.download_id)), None
    )
    if attempt is None and context.lidarr and _is_late(acquisition, signal):
        return applied(
            _perhaps_of_the_search(acquisition, signal), check(acquisition), reason="of a download that is over"
        )
    if attempt is None:
        attempt = _ours(acquisition, signal)
    if attempt is None and signal.download_id is None and context.lidarr:
        # Files by hand, a row for each: no row will ever tell that it's over, so all that counts is what is there now.
        return applied(acquisition, check(acquisition), reason="of no download")
    if attempt is None:
        # Nobody grabbed it that we know of, and the Grab may still be on its way.
        attempt = new_attempt(acquisition, context, AttemptState.IMPORTING, foreign_grab=True)
    known = None if _is_searching(attempt) else attempt.download_id
    attempt = replace(
        attempt,
        state=AttemptState.IMPORTING,
        reason=None,
        download_id=known or signal.download_id,
        end_history_id=signal.history_id if signal.whole else attempt.end_history_id,
    )
    after = replace(
        put_attempt(acquisition, attempt),
        lidarr_album_id=acquisition.lidarr_album_id or signal.album.lidarr_id,
        reason=None,
    )
    if context.lidarr:
        return applied(after, check(after))
    return finish(after, State.COMPLETED, context, winner=attempt)


def _ours(acquisition: Acquisition, signal: Imported) -> Attempt | None:
    """The attempt that an import of an unknown download may be of: one at Lidarr that searches, or that has no id.
    Without an id it's of what we handed over, if anything, and never of a search."""
    if signal.download_id is None:
        handed_over = (one for one in acquisition.open_attempts if one.is_handed_over)
        return next(handed_over, None) or next(_grabbed_without_id(acquisition), None)
    current = acquisition.current
    if current is None or current.source != LIDARR:
        return None
    return current if current.download_id is None or _is_searching(current) else None


def _grabbed_without_id(acquisition: Acquisition) -> Iterator[Attempt]:
    at_lidarr = (one for one in acquisition.open_attempts if one.source == LIDARR and not _is_searching(one))
    return (one for one in at_lidarr if one.download_id is None)


def _is_searching(attempt: Attempt) -> bool:
    return attempt.state is AttemptState.SEARCHING


def is_known(acquisition: Acquisition, signal: Imported) -> bool:
    """Whether an import is of a download that one of these attempts has, or had."""
    return any(same_download(one.download_id, signal.download_id) for one in acquisition.attempts)


def has_ended(acquisition: Acquisition, signal: Imported) -> bool:
    """Whether an import is of a download whose end was read from history, and is no later one of the same id."""
    return any(
        same_download(one.download_id, signal.download_id)
        and one.end_history_id is not None
        and (signal.history_id is None or signal.history_id <= one.end_history_id)
        for one in acquisition.attempts
    )


def _is_late(acquisition: Acquisition, signal: Imported) -> bool:
    """Whether an import is of an attempt that is over: it must not be taken for the next one's."""
    return any(
        same_download(one.download_id, signal.download_id)
        and (signal.history_id is None or one.end_history_id is None or signal.history_id < one.end_history_id)
        for one in acquisition.attempts
    )


def _perhaps_of_the_search(acquisition: Acquisition, signal: Imported) -> Acquisition:
    """Note the download with the attempt that searches: if the album turns out complete, that grabbed it once more.

    Only a note: the attempt goes on searching, and whatever is grabbed for it takes the note's place.
    """
    current = acquisition.current
    if current is None or not _is_searching(current) or current.source != LIDARR:
        return acquisition
    return put_attempt(acquisition, replace(current, download_id=signal.download_id))


def imported_after_end(acquisition: Acquisition, signal: Imported, context: Context) -> Outcome:
    """Files for an album that is over: an upgrade, a double, or somebody's own work."""
    return ignored(acquisition, "upgrade" if signal.upgrade else f"acquisition_is_{acquisition.state}")


def album_checked(acquisition: Acquisition, signal: AlbumChecked, context: Context) -> Outcome:
    """Complete: the first import wins. Not complete: more files may come, or Lidarr's history says why not."""
    if is_complete(signal.track_file_count, signal.track_count):
        return finish(acquisition, State.COMPLETED, context, winner=first_import(acquisition))
    if signal.track_count == 0:
        still = acquisition.reason == TRACKS_UNKNOWN
        again = check(acquisition, TRACKS_STILL_UNKNOWN_S if still else TRACKS_UNKNOWN_YET_S)
        return applied(replace(acquisition, reason=TRACKS_UNKNOWN), again, reason=TRACKS_UNKNOWN)
    ended = [one for one in acquisition.open_attempts if one.end_history_id is not None]
    if ended:
        missing = f"incomplete_release: {signal.track_file_count} of {signal.track_count} tracks"
        outcome, orders = ignored(acquisition, missing), list[Order]()
        for one in ended:
            outcome = fail_attempt(outcome.after, one, context, reason=missing)
            orders += outcome.orders
        return applied(outcome.after, *orders, reason=outcome.reason)
    partial = f"partial: {signal.track_file_count} of {signal.track_count} tracks"
    return applied(replace(acquisition, reason=partial), look(), reason=partial)


def failure_hinted(acquisition: Acquisition, signal: DownloadFailureHinted, context: Context) -> Outcome:
    """A webhook says that a download failed: look, for it may speak of an earlier grab of the same id."""
    attempt = next(
        (one for one in acquisition.open_attempts if same_download(one.download_id, signal.download_id)), None
    )
    if attempt is None:
        return ignored(acquisition, "attempt_is_over")
    if context.lidarr:
        return applied(acquisition, look(), reason="asking Lidarr whether it failed")
    return fail_attempt(acquisition, attempt, context, reason="download_failed")


def _is_of(attempt: Attempt, signal: Row) -> bool:
    """Whether a row of history may speak of this attempt: same download, grabbed before that row."""
    one_download = (
        attempt.download_id is None
        if signal.download_id is None
        else same_download(attempt.download_id, signal.download_id)
    )
    return one_download and (attempt.grab_history_id is None or attempt.grab_history_id < signal.history_id)


def may_end(acquisition: Acquisition, signal: Row) -> bool:
    """Whether a row of history may end, or have ended, one of these attempts, unless another row has."""
    return any(
        _is_of(attempt, signal) and (attempt.is_open or attempt.end_history_id in (None, signal.history_id))
        for attempt in acquisition.attempts
    )


def _attempt_of_row(acquisition: Acquisition, signal: Row) -> Attempt | None:
    """The open attempt that a row of history ends: the latest grab before that row."""
    grabbed_before = [one for one in acquisition.open_attempts if _is_of(one, signal) and not _is_searching(one)]
    return max(grabbed_before, key=lambda one: (one.grab_history_id or 0, one.number), default=None)


def row_ends_attempt(acquisition: Acquisition, signal: Row, context: Context) -> Outcome:
    """A row of Lidarr's history ends the attempt that it belongs to, and no other."""
    if from_before(acquisition, signal.history_id):
        return ignored(acquisition, "from_before_our_time")
    attempt = _attempt_of_row(acquisition, signal)
    if attempt is None:
        return ignored(acquisition, "attempt_is_over")
    attempt = replace(attempt, end_history_id=signal.history_id)
    match signal:
        case DownloadFailed(message=message):
            return fail_attempt(acquisition, attempt, context, reason=f"download_failed: {message}")
        case DownloadDropped():
            return fail_attempt(acquisition, attempt, context, reason="removed_from_lidarrs_queue")
        case ImportIncomplete(message=message):
            # Block the release: the next search must not take the same incomplete one again.
            return fail_attempt(acquisition, attempt, context, reason=f"import_incomplete: {message}"[:500], block=True)


def album_deleted(acquisition: Acquisition, signal: AlbumDeleted, context: Context) -> Outcome:
    """A person deleted the album in Lidarr: that ends the wish for it."""
    return finish(acquisition, State.FAILED, context, reason="album_deleted_in_lidarr")


def noted(acquisition: Acquisition, signal: DownloadAbandoned, context: Context) -> Outcome:
    """For the record: the download has left its peer, or was never there."""
    return applied(acquisition, reason="dropped" if signal.dropped else "was not there")
