"""Which source an album is tried at next, and when enough has been tried. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import takewhile

from shared.acquisition.model import Acquisition, Attempt, AttemptState, Context, State

LIDARR = "lidarr"
SOULSEEK = "soulseek"

NOTHING_FOUND = "nothing_found"
AWAY = "source_away"
# A spent budget holds for this long against whoever asks anew; a person's retry opens it at once.
BUDGET_LASTS = timedelta(days=30)


def sources(context: Context) -> tuple[str, ...]:
    """The sources that may be tried, the preferred one first; what isn't configured is left out."""
    settings = context.settings
    wished = dict.fromkeys((settings.download_source, settings.fallback))
    there = {LIDARR: context.lidarr, SOULSEEK: context.slskd}
    return tuple(source for source in wished if there.get(source, False))


def in_budget(acquisition: Acquisition) -> tuple[Attempt, ...]:
    """Our own attempts since a person last opened the budget; what Lidarr does by itself costs nothing."""
    return tuple(one for one in acquisition.attempts if one.number > acquisition.budget_from and not one.foreign_grab)


def spent_bytes(acquisition: Acquisition) -> int:
    """What the downloads in the budget were large, as far as it's known."""
    return sum(one.size_bytes or 0 for one in in_budget(acquisition))


def spent(acquisition: Acquisition, context: Context) -> str | None:
    """Why nothing more may be tried: the attempts or the bytes of the budget are used up.

    A search that found nothing costs nothing: its source isn't asked again anyway, and the other must have its turn.
    """
    settings = context.settings
    costly = [one for one in _failed(in_budget(acquisition)) if not _found_nothing(one)]
    if len(costly) >= settings.album_max_attempts:
        return "attempts_spent"
    if spent_bytes(acquisition) >= settings.album_max_bytes:
        return "bytes_spent"
    return None


def next_source(acquisition: Acquisition, context: Context) -> tuple[str, bool] | None:
    """The source to try next, and whether another one might be tried in its place; None where nothing is left.

    A source that found nothing has nothing more. Half of the attempts, rounded up, are the preferred source's, so that
    the fallback has its chance; what one of them doesn't use is the other's.
    """
    mine = in_budget(acquisition)
    found_nothing = {one.source for one in mine if _found_nothing(one)}
    left = [source for source in sources(context) if source not in found_nothing]
    if len(left) > 1 and len(_failed(mine, left[0])) >= (context.settings.album_max_attempts + 1) // 2:
        left.reverse()
    # Whoever is away is waited for only when nobody else is left. It's away until something else has been tried.
    away = {one.source for one in takewhile(_found_away, reversed(mine))}
    left.sort(key=lambda source: source in away)
    if not left:
        return None
    return left[0], len(left) > 1 and left[0] not in away


def _found_nothing(attempt: Attempt) -> bool:
    return (attempt.reason or "").startswith(NOTHING_FOUND)


def _found_away(attempt: Attempt) -> bool:
    return (attempt.reason or "").startswith(AWAY)


def _failed(attempts: Iterable[Attempt], source: str | None = None) -> list[Attempt]:
    return [one for one in attempts if one.state is AttemptState.FAILED and source in (None, one.source)]


def in_the_end(reason: str, acquisition: Acquisition) -> str:
    """Why an album wasn't got, for people: the last reason, and every download with what became of it."""
    tried = "; ".join(
        f"{one.number}. {one.source} {_named(one)}: {one.reason}"
        for one in in_budget(acquisition)
        if one.state is AttemptState.FAILED and not _found_nothing(one)
    )
    return (f"{reason}. Tried: {tried}" if tried else reason)[:2000]


def _named(attempt: Attempt) -> str:
    if attempt.peer:
        return f"{attempt.peer}, {attempt.folder}"
    return attempt.release_title or "without a download"


def is_spent(acquisition: Acquisition, now: datetime) -> bool:
    """Whether asking anew for this album is in vain: its budget was used up, and not so long ago."""
    ended = acquisition.finished_at
    return (
        acquisition.state is State.FAILED
        and acquisition.budget_spent
        and ended is not None
        and now - ended < BUDGET_LASTS
    )
