"""What recorded events mean, read from the log a second time: once each, however many albums one event is about."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from shared.acquisition.batches import batch_id_for, cancel_within
from shared.acquisition.model import Acquisition
from shared.acquisition.reading import Interpret, Read, read_event
from shared.acquisition.signals import AlbumRef, AlbumWish, BatchCancelled, BatchRequested, JobRequested, Signal
from shared.eventlog import store as eventlog
from shared.postgres.pool import Connection

_MOST_SHARED = 8


@dataclass(frozen=True, slots=True)
class Meaning:
    """An event's meaning, by album: a Grab of a pack and a batch have a signal for each of theirs."""

    event: Read
    by_album: Mapping[UUID | None, Sequence[Signal]]

    @classmethod
    def of(cls, event: Read) -> Meaning:
        """Sort an event's signals by their album; those that name none are about whatever has heard them."""
        by_album: dict[UUID | None, list[Signal]] = defaultdict(list)
        for signal in _passed_on(event):
            by_album[_album_of(signal)].append(signal)
        return cls(event, dict(by_album))

    def about(self, album: UUID, before: Acquisition | None) -> Iterator[Signal]:
        """What the event says to this album's acquisition; a batch's cancel says it job by job."""
        for signal in (*self.by_album.get(album, ()), *self.by_album.get(None, ())):
            if not isinstance(signal, BatchCancelled):
                yield signal
            elif before and (cancelled := cancel_within(before, signal)):
                yield cancelled


class Meanings:
    """By event id; those about many albums are kept, because every one of these comes back for them."""

    def __init__(self, connection: Connection, interpret: Interpret) -> None:
        self._connection = connection
        self._interpret = interpret
        self._shared: dict[UUID, Meaning] = {}

    async def of(self, event_ids: Iterable[UUID]) -> Mapping[UUID, Meaning]:
        """What these events mean; an event that isn't in the log is left out."""
        wanted = set(event_ids)
        found = {one: self._shared[one] for one in wanted if one in self._shared}
        for event in await eventlog.events_of(self._connection, sorted(wanted - found.keys())):
            meaning = Meaning.of(await read_event(self._connection, event, self._interpret))
            found[event.id] = meaning
            if len(meaning.by_album) > 1:
                self._keep(event.id, meaning)
        return found

    def _keep(self, event_id: UUID, meaning: Meaning) -> None:
        """The oldest goes: a meaning of thousands of albums is large, and the log has many."""
        if len(self._shared) >= _MOST_SHARED:
            del self._shared[next(iter(self._shared))]
        self._shared[event_id] = meaning


def _passed_on(event: Read) -> Iterator[Signal]:
    """The signals of an event, with those that a batch passes on to its albums."""
    for signal in event.signals:
        if isinstance(signal, BatchRequested):
            for wish in signal.albums:
                yield JobRequested(
                    user_id=signal.user_id, album=wish, batch_id=batch_id_for(event.cause), origin=signal.origin
                )
        else:
            yield signal


def _album_of(signal: Signal) -> UUID | None:
    match getattr(signal, "album", None):
        case AlbumRef(mbid=album) | AlbumWish(album_mbid=album):
            return album
        case _:
            return None
