"""The rules for what Lidarr does: readiness, search, grab, import, failure. Pure.

A webhook tells no two grabs of one download id apart (a torrent's hash can be grabbed, fail and be grabbed
again), so where that matters only a row of Lidarr's history decides: rows are numbered.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TypeAlias

from msgspec.structs import replace

from shared.acquisition.commands import CheckAlbum, FollowSearch, ObservePeer
from shared.acquisition.model import (
    Acquisition,
    Attempt,
    AttemptState,
    Context,
    Job,
    Order,
    Outcome,
    State,
    same_download,
)
from shared.acquisition.signals import (
    AlbumChecked,
    AlbumDeleted,
    AlbumReady,
    CommandFailed,
    DownloadAbandoned,
    DownloadDropped,
    DownloadFailed,
    DownloadFailureHinted,
    FileArrived,
    Grabbed,
    Imported,
    ImportIncomplete,
    SearchFinished,
    SearchStarted,
)
from shared.acquisition.steps import (
    abandon,
    applied,
    fail_attempt,
    finish,
    ignored,
    new_attempt,
    put_attempt,
    search,
)
from shared.eventlog.identity import derived_id

# Without Lidarr's API the same Grab within this time counts as one Grab that came twice.
SAME_GRAB_WITHIN = timedelta(minutes=10)
POLL_SEARCH_S = 2.0
LOOK_AFTER_SEARCH_S = 5.0
LOOK_AFTER_HINT_S = 0.5
TRACKS_UNKNOWN_YET_S = 15.0
CHECK_AGAIN_S = 3600.0

Row: TypeAlias = DownloadFailed | ImportIncomplete | DownloadDropped


def _complete(track_file_count: int, track_count: int) -> bool:
    return track_count > 0 and track_file_count >= track_count


def _look(delay_s: float = 0.0) -> Order:
    return Order(ObservePeer(peer="lidarr"), delay_s)


def _check(acquisition: Acquisition, delay_s: float = 0.0) -> Order:
    command = CheckAlbum(
        acquisition_id=acquisition.id,
        album_mbid=acquisition.album_mbid,
        lidarr_album_id=acquisition.lidarr_album_id,
    )
    return Order(command, delay_s)


def from_before(acquisition: Acquisition, history_id: int | None) -> bool:
    """Whether a row of Lidarr's history is older than the acquisition. Numbers are compared, never clocks."""
    return history_id is not None and acquisition.history_floor is not None and history_id <= acquisition.history_floor


# --- readiness and search ---


def album_ready(acquisition: Acquisition, signal: AlbumReady, context: Context) -> Outcome:
    """Lidarr has the album: done if it is complete, else the first attempt begins."""
    after = replace(acquisition, lidarr_album_id=signal.lidarr_album_id, reason=None)
    if acquisition.history_floor is None:
        after = replace(after, history_floor=signal.history_floor)
    if _complete(signal.track_file_count, signal.track_count):
        return finish(after, State.COMPLETED, context, reason="already_in_library")
    if acquisition.open_attempts:
        return applied(after)
    searching, orders = search(after, context)
    return applied(searching, *orders)


def search_started(acquisition: Acquisition, signal: SearchStarted, context: Context) -> Outcome:
    """Follow the search to its end, unless its attempt has moved on."""
    if acquisition.lidarr_album_id is None or not _searches(acquisition, signal.attempt):
        return ignored(acquisition, "search_is_over")
    follow = FollowSearch(
        acquisition_id=acquisition.id,
        attempt=signal.attempt,
        lidarr_album_id=acquisition.lidarr_album_id,
        command_id=signal.command_id,
    )
    return applied(acquisition, Order(follow, POLL_SEARCH_S))


def search_finished(acquisition: Acquisition, signal: SearchFinished, context: Context) -> Outcome:
    """Nothing found ends the attempt; something found is soon grabbed, and if no webhook says so we look."""
    attempt = _searches(acquisition, signal.attempt)
    if attempt is None:
        return ignored(acquisition, "search_is_over")
    if signal.found is None:
        return fail_attempt(acquisition, attempt, context, reason=f"search_broke_off: {signal.message}"[:300])
    if signal.found == 0:
        return fail_attempt(acquisition, attempt, context, reason="nothing_found", final=True)
    return applied(acquisition, _look(LOOK_AFTER_SEARCH_S), reason=f"found {signal.found}")


def _searches(acquisition: Acquisition, number: int) -> Attempt | None:
    return next(
        (one for one in acquisition.attempts if one.number == number and one.state is AttemptState.SEARCHING),
        None,
    )


# --- grab ---


def _is_same_grab(attempt: Attempt, signal: Grabbed) -> bool:
    if signal.download_id is None:
        return attempt.download_id is None and attempt.release_title == signal.release_title
    return same_download(attempt.download_id, signal.download_id)


def grabbed(acquisition: Acquisition, signal: Grabbed, context: Context) -> Outcome:
    """Bind a download to an attempt: to the one it is known by, the one that searches, or a new one."""
    if from_before(acquisition, signal.history_id):
        return ignored(acquisition, "from_before_our_time")
    same = [one for one in acquisition.attempts if _is_same_grab(one, signal)]
    if signal.history_id is not None:
        for attempt in same:
            if attempt.grab_history_id == signal.history_id:
                return ignored(acquisition, "already_known")
            if attempt.grab_history_id is None:
                # The webhook came first; the row's number is what tells a later grab of the same id apart.
                return applied(
                    put_in_place(acquisition, replace(attempt, grab_history_id=signal.history_id)),
                    reason="confirmed",
                )
        return _bind(acquisition, signal, context)
    for attempt in same:
        if not attempt.grab_seen:
            seen = put_in_place(acquisition, replace(attempt, grab_seen=True))
            return applied(seen, reason="already_known")
    if any(attempt.is_open for attempt in same):
        return ignored(acquisition, "already_grabbed")
    if same and context.lidarr:
        return ignored(acquisition, "same_download_again: Lidarr's history will tell", _look(LOOK_AFTER_HINT_S))
    if any(one.grabbed_at and signal.at - one.grabbed_at < SAME_GRAB_WITHIN for one in same):
        return ignored(acquisition, "already_grabbed")
    return _bind(acquisition, signal, context)


def put_in_place(acquisition: Acquisition, attempt: Attempt) -> Acquisition:
    """The acquisition with one attempt's notes changed; its own state stays as it is, terminal or not."""
    return replace(put_attempt(acquisition, attempt), state=acquisition.state)


def _bind(acquisition: Acquisition, signal: Grabbed, context: Context) -> Outcome:
    if not acquisition.is_active:
        return ignored(acquisition, f"acquisition_is_{acquisition.state}")
    attempt = acquisition.current
    if attempt is None or attempt.state is not AttemptState.SEARCHING:
        attempt = new_attempt(acquisition, context, AttemptState.DOWNLOADING, foreign_grab=True)
    bound = replace(
        attempt,
        state=AttemptState.DOWNLOADING,
        download_id=signal.download_id,
        release_title=signal.release_title,
        indexer=signal.indexer,
        size_bytes=signal.size_bytes,
        grab_seen=signal.history_id is None,
        grab_history_id=signal.history_id,
        grabbed_at=signal.at,
    )
    after = replace(
        put_attempt(acquisition, bound),
        lidarr_album_id=acquisition.lidarr_album_id or signal.album.lidarr_id,
        reason=None,
    )
    if acquisition.sequence == 0:
        after = _watched_from(after, signal, context)
    return applied(after)


def _watched_from(acquisition: Acquisition, signal: Grabbed, context: Context) -> Acquisition:
    """A grab that nobody asked us for gets a job of Lidarr's own, so that the list of jobs is whole."""
    job = Job(
        id=derived_id(context.cause, "job", acquisition.id),
        user_id="lidarr",
        origin="lidarr",
        album_mbid=acquisition.album_mbid,
        artist_name=acquisition.artist_name,
        album_title=acquisition.album_title,
        batch_id=None,
        acquisition_id=acquisition.id,
        state=acquisition.state,
        created_at=context.now,
    )
    floor = None if signal.history_id is None else signal.history_id - 1
    return replace(acquisition, jobs=(job,), history_floor=floor)


# --- import ---


def imported(acquisition: Acquisition, signal: Imported, context: Context) -> Outcome:
    """Files came in. Whether that is the whole album only its track statistics say."""
    if from_before(acquisition, signal.history_id):
        return ignored(acquisition, "from_before_our_time")
    by_id = (one for one in acquisition.open_attempts if same_download(one.download_id, signal.download_id))
    attempt = next(by_id, None) or acquisition.current
    if attempt is not None and signal.download_id and attempt.download_id and not _same_or_new(attempt, signal):
        attempt = None
    if attempt is None:
        # Nobody grabbed it that we know of: a person put the files there, or the Grab is still on its way.
        attempt = new_attempt(acquisition, context, AttemptState.IMPORTING, foreign_grab=True)
    attempt = replace(attempt, state=AttemptState.IMPORTING, download_id=attempt.download_id or signal.download_id)
    after = replace(
        put_attempt(acquisition, attempt),
        lidarr_album_id=acquisition.lidarr_album_id or signal.album.lidarr_id,
        reason=None,
    )
    if context.lidarr:
        return applied(after, _check(after))
    return finish(after, State.COMPLETED, context, winner=attempt)


def _same_or_new(attempt: Attempt, signal: Imported) -> bool:
    return same_download(attempt.download_id, signal.download_id)


def imported_after_end(acquisition: Acquisition, signal: Imported, context: Context) -> Outcome:
    """Files for an album that is over: an upgrade, a double, or somebody's own work."""
    return ignored(acquisition, "upgrade" if signal.upgrade else f"acquisition_is_{acquisition.state}")


def album_checked(acquisition: Acquisition, signal: AlbumChecked, context: Context) -> Outcome:
    """Complete: the first import wins. Not complete: more files may come, or Lidarr's history says why not."""
    if _complete(signal.track_file_count, signal.track_count):
        winner = next((one for one in acquisition.open_attempts if one.state is AttemptState.IMPORTING), None)
        return finish(acquisition, State.COMPLETED, context, winner=winner or acquisition.current)
    if signal.track_count == 0:
        return applied(acquisition, _check(acquisition, TRACKS_UNKNOWN_YET_S), reason="tracks_unknown_yet")
    partial = f"partial: {signal.track_file_count} of {signal.track_count} tracks"
    return applied(replace(acquisition, reason=partial), _look(LOOK_AFTER_HINT_S), reason=partial)


# --- failure ---


def failure_hinted(acquisition: Acquisition, signal: DownloadFailureHinted, context: Context) -> Outcome:
    """A webhook says that a download failed: look, for it may speak of an earlier grab of the same id."""
    attempt = next(
        (one for one in acquisition.open_attempts if same_download(one.download_id, signal.download_id)), None
    )
    if attempt is None:
        return ignored(acquisition, "attempt_is_over")
    if context.lidarr:
        return applied(acquisition, _look(LOOK_AFTER_HINT_S), reason="asking Lidarr whether it failed")
    return fail_attempt(acquisition, attempt, context, reason="download_failed")


def _attempt_of_row(acquisition: Acquisition, signal: Row) -> Attempt | None:
    """The open attempt that a row of history ends: same download, grabbed before that row."""
    return next(
        (
            one
            for one in reversed(acquisition.open_attempts)
            if (
                same_download(one.download_id, signal.download_id)
                or (signal.download_id is None and one.download_id is None)
            )
            and (one.grab_history_id is None or one.grab_history_id < signal.history_id)
        ),
        None,
    )


def row_ends_attempt(acquisition: Acquisition, signal: Row, context: Context) -> Outcome:
    """A row of Lidarr's history ends the attempt that it belongs to, and no other."""
    if from_before(acquisition, signal.history_id):
        return ignored(acquisition, "from_before_our_time")
    attempt = _attempt_of_row(acquisition, signal)
    if attempt is None or attempt.state is AttemptState.SEARCHING:
        return ignored(acquisition, "attempt_is_over")
    attempt = replace(attempt, end_history_id=signal.history_id)
    match signal:
        case DownloadFailed(message=message):
            return fail_attempt(acquisition, attempt, context, reason=f"download_failed: {message}")
        case DownloadDropped():
            return fail_attempt(acquisition, attempt, context, reason="removed_from_lidarrs_queue")
        case ImportIncomplete(message=message):
            # Block the release: the next search must not take the same incomplete one again.
            drop = abandon(acquisition, attempt, context, blocklist=True)
            outcome = fail_attempt(acquisition, attempt, context, reason=f"import_incomplete: {message}"[:500])
            return Outcome(outcome.after, applied=True, reason=outcome.reason, orders=(*drop, *outcome.orders))


def album_deleted(acquisition: Acquisition, signal: AlbumDeleted, context: Context) -> Outcome:
    """A person deleted the album in Lidarr: that ends the wish for it."""
    return finish(acquisition, State.FAILED, context, reason="album_deleted_in_lidarr")


def command_failed(acquisition: Acquisition, signal: CommandFailed, context: Context) -> Outcome:
    """A command ended dead: its attempt, or without one the acquisition, fails with that reason."""
    if signal.command == "CheckAlbum":
        return applied(
            replace(acquisition, reason=signal.reason),
            _check(acquisition, CHECK_AGAIN_S),
            reason=signal.reason,
        )
    if signal.command == "EnsureAlbum" and not acquisition.open_attempts:
        return finish(acquisition, State.FAILED, context, reason=signal.reason)
    attempt = None if signal.attempt is None else _searches(acquisition, signal.attempt)
    if attempt is None:
        return ignored(acquisition, signal.reason)
    return fail_attempt(acquisition, attempt, context, reason=signal.reason)


def noted(acquisition: Acquisition, signal: DownloadAbandoned, context: Context) -> Outcome:
    """For the record: the download has left its peer, or was never there."""
    return applied(acquisition, reason="dropped" if signal.dropped else "was not there")


def file_arrived(acquisition: Acquisition, signal: FileArrived, context: Context) -> Outcome:
    """One more file of a Soulseek attempt has arrived."""
    attempt = next(
        (one for one in acquisition.open_attempts if same_download(one.download_id, str(signal.batch_id))),
        None,
    )
    if attempt is None:
        return ignored(acquisition, "attempt_is_over")
    return applied(put_in_place(acquisition, replace(attempt, files_arrived=attempt.files_arrived + 1)))
