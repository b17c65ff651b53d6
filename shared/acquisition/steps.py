"""The moves that rules are made of: each takes an acquisition and gives back the next one. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from shared.acquisition import choosing
from shared.acquisition.choosing import LIDARR, SOULSEEK
from shared.acquisition.commands import (
    AbandonDownload,
    CheckAlbum,
    DropTransfers,
    EnsureAlbum,
    ObservePeer,
    RemoveLeftovers,
    SearchAlbum,
    SearchSoulseek,
)
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
    acquisition: Acquisition,
    context: Context,
    state: AttemptState,
    *,
    source: str = LIDARR,
    foreign_grab: bool = False,
) -> Attempt:
    """The next attempt by number, not yet put in place."""
    number = max((attempt.number for attempt in acquisition.attempts), default=0) + 1
    return Attempt(number=number, source=source, state=state, started_at=context.now, foreign_grab=foreign_grab)


def numbered(acquisition: Acquisition, number: int, *states: AttemptState, source: str | None = None) -> Attempt | None:
    """The attempt of this number, if it stands in one of these states (or, with none named, is open) at that source."""
    return next(
        (
            one
            for one in acquisition.attempts
            if one.number == number
            and (one.state in states if states else one.is_open)
            and source in (None, one.source)
        ),
        None,
    )


def end_attempt(attempt: Attempt, state: AttemptState, context: Context, reason: str | None = None) -> Attempt:
    """The attempt, over. A search that comes to nothing had no download, whatever import was noted with it."""
    vain = attempt.state is AttemptState.SEARCHING and state is not AttemptState.COMPLETED
    download_id = None if vain else attempt.download_id
    return replace(attempt, state=state, finished_at=context.now, reason=reason, download_id=download_id)


def go_on(acquisition: Acquisition, context: Context, *, reason: str | None = None, delay_s: float = 0.0) -> Outcome:
    """Try the next source, or end where nothing is left: the one transition from source to source.

    reason is why the attempt before has ended. Where Lidarr is there it must know the album first, whatever the source:
    it says which tracks belong to it, and takes in what is downloaded.
    """
    if not choosing.sources(context):
        return applied(replace(acquisition, state=State.PENDING, reason=NO_SOURCE), reason=NO_SOURCE)
    if context.lidarr and acquisition.lidarr_album_id is None:
        ensure = EnsureAlbum(acquisition_id=acquisition.id, album_mbid=acquisition.album_mbid)
        return applied(replace(acquisition, state=State.PENDING, reason=None), Order(ensure, delay_s), reason=reason)
    if over := choosing.spent(acquisition, context):
        why = choosing.in_the_end(f"{over}: {reason}", acquisition)
        return finish(replace(acquisition, budget_spent=True), State.FAILED, context, reason=why)
    chosen = choosing.next_source(acquisition, context)
    if chosen is None:
        why = choosing.in_the_end(reason or choosing.NOTHING_FOUND, acquisition)
        return finish(acquisition, State.FAILED, context, reason=why)
    source, may_skip = chosen
    attempt = new_attempt(acquisition, context, AttemptState.SEARCHING, source=source)
    after = replace(put_attempt(acquisition, attempt), reason=None)
    return applied(after, Order(_search(after, attempt, context, may_skip=may_skip), delay_s), reason=reason)


def _search(
    acquisition: Acquisition, attempt: Attempt, context: Context, *, may_skip: bool
) -> SearchAlbum | SearchSoulseek:
    if attempt.source == LIDARR and acquisition.lidarr_album_id is not None:
        return SearchAlbum(
            acquisition_id=acquisition.id,
            attempt=attempt.number,
            lidarr_album_id=acquisition.lidarr_album_id,
            may_skip=may_skip,
        )
    before = next((one for one in acquisition.attempts if one.number == attempt.number - 1), None)
    return SearchSoulseek(
        acquisition_id=acquisition.id,
        attempt=attempt.number,
        max_bytes=bytes_left(acquisition, context),
        after_lidarr=before is not None and before.source == LIDARR and before.download_id is not None,
        may_skip=may_skip,
    )


def bytes_left(acquisition: Acquisition, context: Context) -> int:
    """How large the next download may be."""
    return max(0, context.settings.album_max_bytes - choosing.spent_bytes(acquisition))


def fail_attempt(
    acquisition: Acquisition, attempt: Attempt, context: Context, *, reason: str, block: bool = False
) -> Outcome:
    """End one attempt as failed, leave its peer, and go on: with another open attempt, a new one, or the end.

    block: Lidarr still has the download, and must not take the same release again.
    """
    ended = end_attempt(attempt, AttemptState.FAILED, context, reason)
    failed = put_attempt(acquisition, ended)
    drop = leave(acquisition, attempt, context, block=block) if block or attempt.source == SOULSEEK else ()
    if failed.open_attempts:
        return applied(failed, *drop, reason=reason)
    if not acquisition.driven:
        return finish(failed, State.FAILED, context, reason=reason)
    gone_on = go_on(failed, context, reason=reason, delay_s=SEARCH_AGAIN_AFTER_S)
    return Outcome(gone_on.after, applied=True, reason=gone_on.reason, orders=(*drop, *gone_on.orders))


def give_up(acquisition: Acquisition, attempt: Attempt, context: Context, *, reason: str) -> Outcome:
    """End an attempt though its candidate isn't to blame: another one would meet the same, so none is fetched, and the
    acquisition fails unless Lidarr downloads something by itself meanwhile."""
    left, orders = abandon(acquisition, [attempt], context, reason)
    if left.open_attempts:
        return applied(left, *orders, reason=reason)
    over = finish(left, State.FAILED, context, reason=reason)
    return applied(over.after, *orders, *over.orders, reason=reason)


def abandon(
    acquisition: Acquisition, attempts: Iterable[Attempt], context: Context, reason: str
) -> tuple[Acquisition, list[Order]]:
    """End these attempts, which nobody is to blame for, and leave their peers."""
    after, orders = acquisition, list[Order]()
    for attempt in attempts:
        after = put_attempt(after, end_attempt(attempt, AttemptState.ABANDONED, context, reason))
        orders += leave(acquisition, attempt, context)
    return after, orders


def finish(
    acquisition: Acquisition,
    state: State,
    context: Context,
    *,
    reason: str | None = None,
    winner: Attempt | None = None,
) -> Outcome:
    """End the acquisition. The winner is completed; every other open attempt is abandoned, at its peer too."""
    others = (one for one in acquisition.open_attempts if winner is None or one.number != winner.number)
    after, orders = abandon(acquisition, others, context, reason or state.value)
    if winner is not None:
        after = put_attempt(after, end_attempt(winner, AttemptState.COMPLETED, context))
        if winner.source == SOULSEEK:
            orders.append(_drop(acquisition, winner))
    after = replace(after, state=state, reason=reason, finished_at=context.now)
    return applied(after, *orders, reason=reason)


def first_import(acquisition: Acquisition) -> Attempt | None:
    """The attempt whose files came in first: what completes the album if it is complete now.

    What came in by itself goes before what we have merely handed to Lidarr.
    """
    importing = [one for one in acquisition.open_attempts if one.state is AttemptState.IMPORTING]
    noted = (one for one in acquisition.open_attempts if one.state is AttemptState.SEARCHING and one.download_id)
    return min(importing, key=lambda one: one.source == SOULSEEK, default=None) or next(noted, None)


def leave(acquisition: Acquisition, attempt: Attempt, context: Context, *, block: bool = False) -> tuple[Order, ...]:
    """The orders that take an attempt's download off its peer; none where we only watch or can't ask."""
    # What an attempt that searches bears is the id of an import that it may be of, and that download is over.
    if not (acquisition.driven and attempt.download_id) or attempt.state is AttemptState.SEARCHING:
        return ()
    if attempt.source == LIDARR:
        command = AbandonDownload(
            acquisition_id=acquisition.id, attempt=attempt.number, download_id=attempt.download_id, blocklist=block
        )
        return (Order(command),) if context.lidarr else ()
    if not attempt.arrived:
        return (_drop(acquisition, attempt),)
    later = RemoveLeftovers(acquisition_id=acquisition.id, attempt=attempt.number)
    return (_drop(acquisition, attempt), Order(later, context.settings.leftovers_days * 86_400.0))


def _drop(acquisition: Acquisition, attempt: Attempt) -> Order:
    return Order(DropTransfers(acquisition_id=acquisition.id, attempt=attempt.number))


def look(delay_s: float = LOOK_AFTER_HINT_S, *, at: str = LIDARR) -> Order:
    """The order to look at a peer: what has become of what it does for us."""
    return Order(ObservePeer(peer=at), delay_s)


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
