"""Read the events that slskd keeps, from where we left off: a part at a time, the oldest part first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from worker.clients.slskd import SlskdClient
from worker.clients.slskd_answers import EventRow
from worker.observe.timed import Cursor

# An event bears the time at which its transfer ended, and is written when the file has been moved: so much later.
OVERLAP = timedelta(minutes=10)
_BEGINNING = datetime.min.replace(tzinfo=UTC)
_PAGE = 100
# As much as one look reads when there is more to catch up with.
_PART = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Every event after since, newest first; or, where not up_to_date, all of those up to some later time."""

    since: datetime
    rows: tuple[EventRow, ...]
    up_to_date: bool = True

    @property
    def until(self) -> datetime | None:
        """The time of the newest event, by slskd's clock."""
        return max((at for row in self.rows if (at := row.at)), default=None)

    def cursor(self, now: datetime) -> datetime | None:
        """Up to where everything has been read; None where slskd keeps no event yet.

        Not beyond now: by an event from the future (slskd's clock was wrong once) all others would seem to be read.
        """
        read = min(self.until, now) if self.until else None
        before = self.since + OVERLAP if self.since > _BEGINNING else None
        return max((one for one in (read, before) if one), default=None)

    @property
    def fresh(self) -> tuple[EventRow, ...]:
        """The events after since, oldest first."""
        after = [row for row in self.rows if row.at is None or row.at > self.since]
        return tuple(sorted(after, key=lambda row: row.at or _BEGINNING))


async def begin(slskd: SlskdClient, cursor: Cursor, oldest_attempt: datetime | None) -> datetime:
    """The time, by slskd's clock, after which every event is of interest.

    The first look ever begins with our oldest attempt, else now: slskd's own history is none of ours.
    """
    if cursor.observed_until is not None:
        return cursor.observed_until - OVERLAP
    if cursor.observed_at is not None:
        return _BEGINNING  # at the first look it kept no event at all
    if oldest_attempt is not None:
        return oldest_attempt - OVERLAP
    newest = Part(since=_BEGINNING, rows=(await slskd.events(limit=1)).events).until
    return min(newest, cursor.at) if newest else _BEGINNING


async def read_part(slskd: SlskdClient, since: datetime, known_until: datetime | None) -> Part:
    """The next part: up to the newest event, if that isn't too much for one look.

    The list moves while it's read, so a part is one answer; it reaches from before since to beyond known_until.
    """
    for size in (_PAGE, _PART):
        rows = (await slskd.events(limit=size)).events
        if _reaches(rows, since, size):
            return Part(since=since, rows=rows)
    old = await _first_old(slskd, since)
    size = _PART
    while True:
        offset = max(0, old + 1 - size)
        rows = (await slskd.events(offset=offset, limit=size)).events
        part = Part(since=since, rows=rows, up_to_date=offset == 0)
        if not _reaches(rows, since, size):
            old += _PART // 2  # so many came in the meantime
        elif offset and part.until and known_until and part.until <= known_until:
            size *= 2
        else:
            return part


def _reaches(rows: Sequence[EventRow], since: datetime, size: int) -> bool:
    """Whether there is nothing more after since beyond these rows."""
    return len(rows) < size or min((at for row in rows if (at := row.at)), default=_BEGINNING) <= since


async def _first_old(slskd: SlskdClient, since: datetime) -> int:
    """The place in the list of an event that is not after since, with at most half a part of such above it."""
    new, old = _PART - 1, 2 * _PART
    while not await _is_old(slskd, old, since):
        new, old = old, old * 2
    while old - new > _PART // 2:
        middle = (new + old) // 2
        if await _is_old(slskd, middle, since):
            old = middle
        else:
            new = middle
    return old


async def _is_old(slskd: SlskdClient, place: int, since: datetime) -> bool:
    return _reaches((await slskd.events(offset=place, limit=1)).events, since, 1)
