"""What one fold works on: the subjects it has locked, as they change from event to event. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec.structs import replace

from shared.acquisition.keys import album_key, candidate_keys, download_key
from shared.acquisition.lifecycle import RULES_VERSION
from shared.acquisition.model import Acquisition, Context, Job, Order, State, plain_case
from shared.acquisition.signals import FileArrived, Signal


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """A discovery batch as the fold needs it. sequence counts the decisions about it."""

    id: UUID
    user_id: str
    label: str | None
    state: str
    version: int
    total: int
    completed: int
    failed: int
    cancelled: int
    created_at: datetime
    finished_at: datetime | None = None
    sequence: int = 0


class Peer(msgspec.Struct, frozen=True, kw_only=True):
    """Lidarr or slskd as a whole."""

    name: str
    id: UUID
    sequence: int = 0


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """The record of one fold: inputs, order, outcome. changes lists every field that changed, and the orders."""

    subject_id: UUID
    sequence: int
    subject_kind: str
    event_id: UUID
    signal: str
    decided_at: datetime
    settings_version: int
    context: dict[str, Any]
    outcome: str
    reason: str | None
    before_state: str | None
    after_state: str | None
    changes: dict[str, Any]
    rules_version: int = RULES_VERSION


def record(
    *,
    subject_id: UUID,
    sequence: int,
    kind: str,
    event_id: UUID,
    signal: Signal,
    context: Context,
    applied: bool,
    reason: str | None,
    changes: dict[str, Any],
    before_state: str | None = None,
    after_state: str | None = None,
) -> Decision:
    """The record of a decision, with everything it was decided under, so that it can be made again."""
    return Decision(
        subject_id=subject_id,
        sequence=sequence,
        subject_kind=kind,
        event_id=event_id,
        signal=type(signal).__name__,
        decided_at=context.now,
        settings_version=context.settings.version,
        context={"lidarr": context.lidarr, "slskd": context.slskd, "settings": context.settings},
        outcome="applied" if applied else "ignored",
        reason=reason,
        before_state=before_state,
        after_state=after_state,
        changes=changes,
    )


class Placed(msgspec.Struct, frozen=True):
    """An order with the event that caused it and the id of its command."""

    id: UUID
    order: Order
    event_id: UUID


@dataclass(slots=True)
class Workspace:
    """Locked subjects by id, with the indexes by which signals find them, and everything that is to be saved."""

    acquisitions: dict[UUID, Acquisition] = field(default_factory=dict)
    stored: dict[UUID, Acquisition] = field(default_factory=dict)
    batches: dict[UUID, Batch] = field(default_factory=dict)
    stored_batches: dict[UUID, Batch] = field(default_factory=dict)
    peers: dict[str, Peer] = field(default_factory=dict)
    job_homes: dict[UUID, UUID] = field(default_factory=dict)
    decided_before: dict[UUID, frozenset[UUID]] = field(default_factory=dict)
    decisions: list[Decision] = field(default_factory=list)
    orders: list[Placed] = field(default_factory=list)
    decided: set[tuple[UUID, UUID]] = field(default_factory=set)
    bound: set[str] = field(default_factory=set)
    _by_album: dict[UUID, list[UUID]] = field(default_factory=dict)
    _by_download: dict[str, set[UUID]] = field(default_factory=dict)

    def load(self, acquisitions: Iterable[Acquisition]) -> None:
        """Take in acquisitions as they are stored."""
        for acquisition in acquisitions:
            self.stored[acquisition.id] = acquisition
            self._index(acquisition)

    def put(self, after: Acquisition) -> None:
        """Take in an acquisition as a rule left it, and note what it binds that was not bound before."""
        before = self.acquisitions.get(after.id)
        if before is None or (after.is_active and not before.is_active):
            self.bound.add(album_key(after.album_mbid))
        # By attempt: a download id that is grabbed again is bound again.
        known = {(attempt.number, attempt.download_id) for attempt in before.attempts} if before else set()
        for attempt in after.attempts:
            if attempt.download_id and (attempt.number, attempt.download_id) not in known:
                self.bound.add(download_key(attempt.download_id))
                self.bound.update(candidate_keys(attempt.peer or "", attempt.files))
        self._index(after)

    def _index(self, acquisition: Acquisition) -> None:
        if acquisition.id not in self.acquisitions:
            self._by_album.setdefault(acquisition.album_mbid, []).append(acquisition.id)
        self.acquisitions[acquisition.id] = acquisition
        for attempt in acquisition.attempts:
            if attempt.download_id:
                self._by_download.setdefault(plain_case(attempt.download_id), set()).add(acquisition.id)
        for job in acquisition.jobs:
            self.job_homes[job.id] = acquisition.id

    def active_for(self, album: UUID) -> Acquisition | None:
        """The album's one active acquisition."""
        return next((one for one in self._of_album(album) if one.is_active), None)

    def over_for(self, album: UUID) -> list[Acquisition]:
        """The album's finished acquisitions, newest first."""
        return sorted((one for one in self._of_album(album) if not one.is_active), key=_age, reverse=True)

    def last_for(self, album: UUID) -> Acquisition | None:
        """The album's finished acquisition that tells whoever asks anew how things stand: the newest of ours, or the
        newest that got the album. A download that Lidarr began by itself and that failed says nothing."""
        return next((one for one in self.over_for(album) if one.driven or one.state is State.COMPLETED), None)

    def _of_album(self, album: UUID) -> list[Acquisition]:
        return [self.acquisitions[one] for one in self._by_album.get(album, ())]

    def with_download(self, download_id: str) -> list[Acquisition]:
        """Every acquisition that ever had this download: active ones first, then the newest."""
        found = [self.acquisitions[one] for one in self._by_download.get(plain_case(download_id), ())]
        return sorted(found, key=lambda one: (one.is_active, _age(one)), reverse=True)

    def with_file(self, signal: FileArrived) -> list[Acquisition]:
        """Every acquisition with an attempt that the file belongs to: by its batch, else by its peer and name."""
        if signal.batch_id is not None and (found := self.with_download(str(signal.batch_id))):
            return found
        found = [
            one
            for one in self.acquisitions.values()
            if any(attempt.wants(signal.username, signal.remote_filename) for attempt in one.attempts)
        ]
        return sorted(found, key=lambda one: (one.is_active, _age(one)), reverse=True)

    def job(self, job_id: UUID) -> Job | None:
        """A job on any of the loaded acquisitions."""
        home = self.acquisitions.get(self.job_homes.get(job_id, job_id))
        return next((job for job in home.jobs if job.id == job_id), None) if home else None

    def forget_job(self, job_id: UUID) -> None:
        """Take a job out of the acquisition that has it: it moves to another one, which is saved with it."""
        home = self.job_homes[job_id]
        for known in (self.acquisitions, self.stored):
            if home in known:
                one = known[home]
                known[home] = replace(one, jobs=tuple(job for job in one.jobs if job.id != job_id))
        if self.acquisitions[home] == self.stored.get(home):
            self.stored[home] = self.acquisitions[home]

    def changed(self) -> list[Acquisition]:
        """The acquisitions to save. Those that are over come first: they make room for the album's next active one."""
        changed = (one for one in self.acquisitions.values() if one is not self.stored.get(one.id))
        return sorted(changed, key=lambda one: (one.is_active, one.id))


def _age(acquisition: Acquisition) -> tuple[datetime, UUID]:
    return acquisition.created_at, acquisition.id


def changes_between(before: Acquisition | None, after: Acquisition) -> dict[str, Any]:
    """Every field that differs, whole attempts and jobs where they do: enough to apply the decision again."""
    fields = msgspec.structs.asdict(after)
    old = msgspec.structs.asdict(before) if before else {}
    attempts, jobs = fields.pop("attempts"), fields.pop("jobs")
    plain = {name: value for name, value in fields.items() if name not in old or old[name] != value}
    known: Mapping[str, Any] = {"attempts": (), "jobs": ()} if before is None else old
    return {
        "set": {name: value for name, value in plain.items() if name != "sequence"},
        "attempts": [attempt for attempt in attempts if attempt not in known["attempts"]],
        "jobs": [job for job in jobs if job not in known["jobs"]],
    }
