"""The moves that rules are made of: each takes an acquisition and gives back the next one. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from shared.acquisition.commands import AbandonDownload, CheckAlbum, EnsureAlbum, ObservePeer, SearchAlbum
from shared.acquisition.model import (
    Acquisition,
    Attempt,
    AttemptState,
    Context,
    Order,
    Outcome,
    State,
)

NO_SOURCE = "no_source_configured"
# Lidarr may search again by itself right after a failure; our own search looks first whether it has.
SEARCH_AGAIN_AFTER_S = 5.0
# The row of history that a webhook hints at may be written a moment after it.
LOOK_AFTER_HINT_S = 0.5

_STATE_OF_ATTEMPT = {
    AttemptState.IMPORTING: State.IMPORTING,
    AttemptState.DOWNLOADING: State.DOWNLOADING,
    AttemptState.SEARCHING: State.SEARCHING,
}
_FURTHEST_FIRST = (AttemptState.IMPORTING, AttemptState.DOWNLOADING, AttemptState.SEARCHING)


def applied(after: Acquisition, *orders: Order, reason: str | None = None) -> Outcome:
    """The signal changed something."""
    return Outcome(after, applied=True, reason=reason, orders=orders)


def ignored(acquisition: Acquisition, reason: str, *orders: Order) -> Outcome:
    """The signal changes nothing, for this reason (it may still be a reason to look)."""
    return Outcome(acquisition, applied=False, reason=reason, orders=orders)


def put_attempt(acquisition: Acquisition, attempt: Attempt) -> Acquisition:
    """The acquisition with this attempt added, or in place of the one with the same number; state follows."""
    others = [other for other in acquisition.attempts if other.number != attempt.number]
    attempts = tuple(sorted([*others, attempt], key=lambda one: one.number))
    return replace(acquisition, attempts=attempts, state=_furthest(attempts))


def _furthest(attempts: Iterable[Attempt]) -> State:
    """An acquisition stands where its furthest open attempt stands; without one it is pending."""
    states = {attempt.state for attempt in attempts}
    return next((_STATE_OF_ATTEMPT[state] for state in _FURTHEST_FIRST if state in states), State.PENDING)


def new_attempt(
    acquisition: Acquisition, context: Context, state: AttemptState, *, foreign_grab: bool = False
) -> Attempt:
    """The next attempt by number, not yet put in place."""
    number = max((attempt.number for attempt in acquisition.attempts), default=0) + 1
    return Attempt(number=number, source="lidarr", state=state, started_at=context.now, foreign_grab=foreign_grab)


def end_attempt(attempt: Attempt, state: AttemptState, context: Context, reason: str | None = None) -> Attempt:
    """The attempt, over."""
    return replace(attempt, state=state, finished_at=context.now, reason=reason)


def search(
    acquisition: Acquisition, context: Context, *, delay_s: float = 0.0
) -> tuple[Acquisition, tuple[Order, ...]]:
    """Start the next attempt at Lidarr; where Lidarr's id of the album isn't known yet, ask for that first."""
    if not context.lidarr:
        return replace(acquisition, state=State.PENDING, reason=NO_SOURCE), ()
    if acquisition.lidarr_album_id is None:
        ensure = EnsureAlbum(acquisition_id=acquisition.id, album_mbid=acquisition.album_mbid)
        return replace(acquisition, state=State.PENDING, reason=None), (Order(ensure, delay_s),)
    attempt = new_attempt(acquisition, context, AttemptState.SEARCHING)
    order = SearchAlbum(
        acquisition_id=acquisition.id, attempt=attempt.number, lidarr_album_id=acquisition.lidarr_album_id
    )
    return replace(put_attempt(acquisition, attempt), reason=None), (Order(order, delay_s),)


def fail_attempt(
    acquisition: Acquisition, attempt: Attempt, context: Context, *, reason: str, final: bool = False
) -> Outcome:
    """End one attempt as failed and go on: with another open attempt, a new one, or the end of the acquisition.

    final ends the acquisition even if there is budget left: another search would find the same nothing.
    """
    failed = put_attempt(acquisition, end_attempt(attempt, AttemptState.FAILED, context, reason))
    if failed.open_attempts:
        return applied(failed, reason=reason)
    if not acquisition.driven or final:
        return finish(failed, State.FAILED, context, reason=reason)
    tried = sum(1 for one in failed.attempts if not one.foreign_grab and one.number > acquisition.budget_from)
    if tried >= context.settings.album_max_attempts:
        return finish(failed, State.FAILED, context, reason=f"attempts_spent: {reason}")
    searching, orders = search(failed, context, delay_s=SEARCH_AGAIN_AFTER_S)
    return applied(searching, *orders, reason=reason)


def finish(
    acquisition: Acquisition,
    state: State,
    context: Context,
    *,
    reason: str | None = None,
    winner: Attempt | None = None,
) -> Outcome:
    """End the acquisition. The winner is completed; every other open attempt is abandoned, at its peer too."""
    after = acquisition
    orders: list[Order] = []
    for attempt in acquisition.open_attempts:
        if winner is not None and attempt.number == winner.number:
            after = put_attempt(after, end_attempt(attempt, AttemptState.COMPLETED, context))
            continue
        after = put_attempt(after, end_attempt(attempt, AttemptState.ABANDONED, context, reason or state.value))
        orders += abandon(acquisition, attempt, context)
    after = replace(after, state=state, reason=reason, finished_at=context.now)
    return applied(after, *orders, reason=reason)


def first_import(acquisition: Acquisition) -> Attempt | None:
    """The attempt whose files came in first: what completes the album if it is complete now."""
    importing = (one for one in acquisition.open_attempts if one.state is AttemptState.IMPORTING)
    noted = (one for one in acquisition.open_attempts if one.state is AttemptState.SEARCHING and one.download_id)
    return next(importing, None) or next(noted, None)


def abandon(
    acquisition: Acquisition, attempt: Attempt, context: Context, *, blocklist: bool = False
) -> tuple[Order, ...]:
    """The order that takes an attempt's download off its peer; nothing where we only watch or can't ask."""
    if not (acquisition.driven and context.lidarr and attempt.download_id):
        return ()
    command = AbandonDownload(
        acquisition_id=acquisition.id,
        attempt=attempt.number,
        download_id=attempt.download_id,
        blocklist=blocklist,
    )
    return (Order(command),)


def look(delay_s: float = LOOK_AFTER_HINT_S) -> Order:
    """The order to look at Lidarr's history and queue."""
    return Order(ObservePeer(peer="lidarr"), delay_s)


def check(acquisition: Acquisition, delay_s: float = 0.0) -> Order:
    """The order to look whether the album is complete."""
    command = CheckAlbum(
        acquisition_id=acquisition.id,
        album_mbid=acquisition.album_mbid,
        lidarr_album_id=acquisition.lidarr_album_id,
    )
    return Order(command, delay_s)


def is_complete(track_file_count: int, track_count: int) -> bool:
    """Whether every track has its file; an album whose tracks aren't known yet isn't complete."""
    return 0 < track_count <= track_file_count


def from_before(acquisition: Acquisition, history_id: int | None) -> bool:
    """Whether a row of Lidarr's history is older than the acquisition. Numbers are compared, never clocks."""
    floor = acquisition.history_floor
    return history_id is not None and floor is not None and history_id <= floor


def put_in_place(acquisition: Acquisition, attempt: Attempt) -> Acquisition:
    """The acquisition with one attempt's notes changed; its own state stays as it is, terminal or not."""
    return replace(put_attempt(acquisition, attempt), state=acquisition.state)
