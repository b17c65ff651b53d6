"""What is there, counted in one pass before anything is written: the dry run, and what their store folded or lost."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID

from reprise.adoption.recognise import EVENTS
from reprise.adoption.translate import (
    OPEN_BATCH_THERE,
    LeftOut,
    Row,
    TakenEvent,
    TakenJob,
    acquisition_id_of,
    download_id,
    moment,
    taken_job,
)
from shared.acquisition.model import State, plain_case

_CONTENT_HASH = re.compile(r"-[0-9a-f]{16}$")
_EXAMPLES = 5
_NOTABLE = timedelta(days=1)
# What makes two active jobs one request: user, album, batch.
Wish: TypeAlias = "tuple[str, UUID, UUID | None]"


@dataclass(slots=True)
class Survey:
    """Counts of their database at one moment.

    jobs_here: where each job that comes along will be, by their id. wishes: the active jobs of each request.
    """

    now: datetime
    batches: dict[str, Row] = field(default_factory=dict)
    jobs: int = 0
    jobs_here: dict[str, UUID] = field(default_factory=dict)
    statuses: Counter[str] = field(default_factory=Counter)
    unknown_statuses: Counter[str] = field(default_factory=Counter)
    active: list[str] = field(default_factory=list)
    left_out: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    strays: int = 0
    events: int = 0
    event_states: Counter[str] = field(default_factory=Counter)
    _outcomes: dict[str, Counter[State]] = field(default_factory=lambda: defaultdict(Counter))
    _still_active: Counter[str] = field(default_factory=Counter)
    wishes: dict[Wish, list[UUID]] = field(default_factory=lambda: defaultdict(list))
    _albums: dict[str, set[UUID]] = field(default_factory=lambda: defaultdict(set))
    _of_job: dict[str, str | None] = field(default_factory=dict)
    _seen: set[str] = field(default_factory=set)
    _imports: Counter[str] = field(default_factory=Counter)
    _hashed: int = 0
    _oldest_event: datetime | None = None
    _oldest_job: datetime | None = None

    def job(self, row: Row) -> TakenJob | LeftOut:
        """Count one of their jobs; answers what it is here."""
        self.jobs += 1
        their_id, theirs = str(row["id"]), str(row.get("discoveryBatchId") or "")
        batch = theirs if theirs in self.batches else ""
        self.strays += bool(theirs and not batch)
        taken = taken_job(row, batch or None, self.now)
        self.statuses[str(row["status"])] += 1
        self._oldest_job = _older(self._oldest_job, moment(row.get("createdAt")))
        if isinstance(taken, LeftOut):
            self.left_out[taken.reason].append(their_id)
            return taken
        self.jobs_here[their_id] = acquisition_id_of(their_id)
        if taken.unknown_status is not None:
            self.unknown_statuses[taken.unknown_status] += 1
        if taken.was_active:
            self.active.append(their_id)
            self.wishes[taken.job.user_id, taken.job.album_mbid, taken.job.batch_id].append(taken.job.id)
            self._still_active[batch] += 1
        self._outcomes[batch][taken.job.state] += 1
        download = download_id(row)
        self._of_job[their_id] = plain_case(download) if download else None
        if download:
            self._albums[plain_case(download)].add(taken.job.album_mbid)
        return taken

    def event(self, row: Row, taken: TakenEvent) -> None:
        """Count one of their events."""
        self.events += 1
        self.event_states[taken.state.value] += 1
        self._hashed += bool(_CONTENT_HASH.search(str(row.get("eventId") or "")))
        self._oldest_event = _older(self._oldest_event, taken.received_at)
        for name in filter(None, (row.get("correlationId"), taken.correlation_id)):
            self._seen.add(plain_case(str(name)))
        if taken.type == "Download" and taken.correlation_id:
            self._imports[plain_case(taken.correlation_id)] += 1

    def outcomes_of(self, batch: str) -> Counter[State]:
        """How many jobs of a batch come along, by their state here."""
        return self._outcomes[batch]

    def losses(self, tables: frozenset[str]) -> Iterator[str]:
        """What their store folded, lost or contradicts itself in, as far as it can be told from what is left."""
        if EVENTS not in tables:
            yield "events: that release kept none"
        else:
            yield from self._lost_events()
        yield from self._odd_jobs()
        yield from self._odd_batches()

    def _lost_events(self) -> Iterator[str]:
        short = {one: len(albums) - self._imports[one] for one, albums in self._albums.items() if len(albums) > 1}
        lost = sum(missing for missing in short.values() if missing > 0)
        if lost:
            packs = sum(1 for missing in short.values() if missing > 0)
            yield (
                f"imports never stored: of {lost} albums, in downloads of several albums ({packs}), because their "
                "event ids fold what comes after the first"
            )
        if self._hashed:
            yield f"events named by their content: {self._hashed}; identical ones that came later were not stored"
        silent = sum(
            1
            for job, download in self._of_job.items()
            if plain_case(job) not in self._seen and (download is None or download not in self._seen)
        )
        if silent:
            yield f"jobs without any event: {silent}"
        if self._oldest_event and self._oldest_job and self._oldest_event - self._oldest_job > _NOTABLE:
            yield (
                f"events begin {self._oldest_event:%Y-%m-%d}, jobs {self._oldest_job:%Y-%m-%d}: processed events were "
                "deleted there after 30 days"
            )

    def _odd_jobs(self) -> Iterator[str]:
        for reason, ids in sorted(self.left_out.items()):
            some = ", ".join(ids[:_EXAMPLES]) + (", …" if len(ids) > _EXAMPLES else "")
            yield f"jobs left behind, {reason}: {len(ids)} ({some})"
        for status, count in sorted(self.unknown_statuses.items()):
            yield f"jobs with the unknown status {status!r}: {count}; they arrive cancelled"
        doubles = sum(len(jobs) - 1 for jobs in self.wishes.values())
        if doubles:
            yield f"active jobs that ask for what another active job of the same user asks for: {doubles}"
        if self.strays:
            yield f"jobs whose batch isn't there: {self.strays}; they arrive without one"

    def _odd_batches(self) -> Iterator[str]:
        wrong = sum(1 for their_id, row in self.batches.items() if self._counts_otherwise(their_id, row))
        if wrong:
            yield f"batches whose counters differ from their jobs: {wrong}; here the jobs are counted"
        stuck = sum(
            1
            for their_id, row in self.batches.items()
            if row["status"] in OPEN_BATCH_THERE and not self._still_active[their_id]
        )
        if stuck:
            yield f"batches that are open although none of their jobs is: {stuck}"

    def _counts_otherwise(self, their_id: str, row: Row) -> bool:
        outcomes: Counter[Any] = self._outcomes[their_id]
        total = sum(outcomes.values())
        return any(
            row.get(name) is not None and row[name] != count
            for name, count in (
                ("totalAlbums", total),
                ("completedAlbums", outcomes[State.COMPLETED]),
                ("failedAlbums", outcomes[State.FAILED]),
            )
        )


def _older(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((moment for moment in (one, other) if moment is not None), default=None)
