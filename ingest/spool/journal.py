"""The files of one process's journal: written, finished, adopted and read by one thread, so nothing here waits."""

from __future__ import annotations

from bisect import insort
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import msgspec
import structlog

from ingest.spool.place import Place
from ingest.spool.record import Damage, encode, scan
from ingest.spool.segment import Segment, Writing
from ingest.spool.trouble import SpoolFull, trouble
from shared.eventlog.event import Delivery
from shared.telemetry.metrics import SPOOL_DAMAGED_BYTES

_log = structlog.get_logger("ingest.spool")


class Content(NamedTuple):
    """What a segment holds, in the order in which it came; damaged says that something between couldn't be read."""

    deliveries: list[Delivery]
    damaged: bool


class Journal:
    """Finished segments, oldest first, and the one being written. Every method may raise OSError.

    One thread alone calls the methods; the properties may be read from others.
    """

    def __init__(self, root: Path, segment_bytes: int) -> None:
        self._root = root
        self._segment_bytes = segment_bytes
        self._place: Place | None = None
        self._writing: Writing | None = None
        self._segments: list[Segment] = []

    @property
    def empty(self) -> bool:
        return not (self._segments or self._writing)

    @property
    def size_bytes(self) -> int:
        writing = self._writing
        return sum(s.size_bytes for s in self._segments) + (writing.size_bytes if writing else 0)

    def holds_at_most(self, deliveries: int) -> bool:
        """Whether no more than so many wait here; not if that isn't known."""
        writing = self._writing
        total = writing.deliveries if writing else 0
        for segment in self._segments:
            if segment.deliveries is None:
                return False
            total += segment.deliveries
        return total <= deliveries

    @property
    def oldest_at(self) -> datetime | None:
        """When the oldest segment was begun."""
        begun = [s.created_us for s in self._segments[:1]]
        writing = self._writing
        if writing is not None:
            begun.append(writing.created_us)
        return datetime.fromtimestamp(min(begun) / 1_000_000, UTC) if begun else None

    def _home(self) -> Place:
        if self._place is None:
            self._place = Place(self._root)
        return self._place

    def commit(self, deliveries: list[Delivery]) -> None:
        """Append and fsync. If it raises, none of them is acknowledged."""
        try:
            self._append(deliveries)
        except OSError as error:
            if isinstance(trouble(error), SpoolFull):
                raise
            if isinstance(error, FileNotFoundError):
                self._place = None  # somebody removed our folder
            self._append(deliveries)

    def _append(self, deliveries: list[Delivery]) -> None:
        if self._writing is not None and self._writing.size_bytes >= self._segment_bytes:
            self._finish()
        if self._writing is None:
            self._writing = Writing(self._home().path)
        salt = self._writing.salt
        try:
            self._writing.write([encode(delivery, salt) for delivery in deliveries])
        except OSError:
            # Nothing is written behind a failure: what the disk really holds there isn't known.
            self._finish()
            raise

    def _finish(self) -> None:
        if self._writing is None:
            return
        segment = self._writing.finish()
        if segment is not None:
            insort(self._segments, segment)
        self._writing = None

    def oldest(self) -> Segment | None:
        """The segment to drain next; the one being written is finished if it is that."""
        writing = self._writing
        if writing is not None and (not self._segments or writing.created_us < self._segments[0].created_us):
            self._finish()
        return self._segments[0] if self._segments else None

    def adopt(self) -> bool:
        """Take over what dead processes left; whether there was anything."""
        found = self._home().adopt()
        for segment in found:
            insort(self._segments, segment)
        return bool(found)

    def forget(self, segment: Segment, *, damaged: bool) -> None:
        """Remove a segment whose deliveries are committed; a damaged one is set aside for a person."""
        with suppress(FileNotFoundError):
            if damaged:
                self._home().set_aside(segment)
            else:
                segment.path.unlink()
        self._segments.remove(segment)

    def set_aside(self, delivery: Delivery) -> Path:
        """Keep one delivery for a person, as JSON (body in Base64)."""
        return self._home().set_aside_bytes(f"{delivery.id}.json", msgspec.json.encode(delivery))

    def leave(self) -> None:
        """Let go of the folder; what is kept stays for the next process."""
        self._finish()
        if self._place is not None:
            self._place.leave()


def read(segment: Segment) -> Content:
    """What is kept in a segment; damage is reported here."""
    try:
        data = segment.read()
    except FileNotFoundError:
        _log.error("spool.segment_gone", path=str(segment.path))
        return Content([], damaged=False)
    deliveries: list[Delivery] = []
    damaged = False
    for found in scan(data, segment.salt):
        if not isinstance(found, Damage):
            deliveries.append(found)
            continue
        size = found.end - found.start
        if found.torn:
            # What a killed process hadn't finished writing, and so never acknowledged.
            _log.warning("spool.torn_tail", path=str(segment.path), at=found.start, size_bytes=size)
            continue
        damaged = True
        SPOOL_DAMAGED_BYTES.inc(size)
        _log.error("spool.damaged", path=str(segment.path), at=found.start, size_bytes=size, set_aside=True)
    return Content(deliveries, damaged)
