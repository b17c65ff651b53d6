"""The rules for grabs: which attempt a download belongs to. Pure.

A webhook tells no two grabs of one download id apart (a torrent's hash can be grabbed, fail and be grabbed
again), so where that matters only a row of Lidarr's history decides: rows are numbered.
"""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from shared.acquisition.choosing import LIDARR
from shared.acquisition.model import Acquisition, Attempt, AttemptState, Context, Job, Outcome, same_download
from shared.acquisition.signals import Grabbed
from shared.acquisition.steps import applied, from_before, ignored, look, new_attempt, put_attempt, put_in_place
from shared.eventlog.identity import derived_id

# Without Lidarr's API the same Grab within this time counts as one Grab that came twice.
SAME_GRAB_WITHIN = timedelta(minutes=10)


def is_same_grab(attempt: Attempt, signal: Grabbed) -> bool:
    """Whether a Grab may speak of this attempt: by download id, or without one (a blackhole) by title."""
    if signal.download_id is None:
        untold = attempt.download_id is None and signal.release_title is not None
        return untold and attempt.release_title == signal.release_title
    return same_download(attempt.download_id, signal.download_id)


def is_just_after(attempt: Attempt, signal: Grabbed) -> bool:
    """Whether a Grab of the same download came so soon that it may well be the same Grab."""
    return attempt.grabbed_at is not None and signal.at - attempt.grabbed_at < SAME_GRAB_WITHIN


def grabbed(acquisition: Acquisition, signal: Grabbed, context: Context) -> Outcome:
    """Bind a download to an attempt: to the one it is known by, the one that searches, or a new one."""
    if from_before(acquisition, signal.history_id):
        return ignored(acquisition, "from_before_our_time")
    # An attempt that searches has no grab yet, whatever an import noted with it.
    same = [
        one for one in acquisition.attempts if is_same_grab(one, signal) and one.state is not AttemptState.SEARCHING
    ]
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
        return ignored(acquisition, "same_download_again: Lidarr's history will tell", look())
    if any(is_just_after(one, signal) for one in same):
        return ignored(acquisition, "already_grabbed")
    return _bind(acquisition, signal, context)


def _bind(acquisition: Acquisition, signal: Grabbed, context: Context) -> Outcome:
    if not acquisition.is_active:
        return ignored(acquisition, f"acquisition_is_{acquisition.state}")
    attempt = acquisition.current
    if attempt is None or attempt.state is not AttemptState.SEARCHING or _searches_elsewhere(attempt):
        attempt = new_attempt(acquisition, context, AttemptState.DOWNLOADING, foreign_grab=True)
    bound = replace(
        attempt,
        source=LIDARR,
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


def _searches_elsewhere(attempt: Attempt) -> bool:
    """Whether an attempt searches at Soulseek already; one that still waits for its turn is Lidarr's from now on."""
    return attempt.source != LIDARR and attempt.searched_at is not None


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
