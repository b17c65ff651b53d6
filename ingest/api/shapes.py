"""What the API answers with: the shapes of events, jobs and batches. The contract is generated from these types."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, TypeAlias
from uuid import UUID

import msgspec

from shared.acquisition.model import State
from shared.eventlog.event import EventState

Time: TypeAlias = Annotated[datetime, msgspec.Meta(tz=True)]
JobOrigin: TypeAlias = Literal["api", "batch", "wanted", "lidarr"]
BatchState: TypeAlias = Literal["active", "completed", "failed", "cancelled"]


class Problem(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Why a request was refused (RFC 9457). `detail` is for people, `code` for machines."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    field: Annotated[str, msgspec.Meta(description="The field that is wrong, where it is one.")] | msgspec.UnsetType = (
        msgspec.UNSET
    )


class Event(msgspec.Struct, kw_only=True):
    """A fact in the log, and where its processing stands."""

    id: UUID
    source: str
    type: str
    state: EventState
    dedupe_key: str | None
    deliveries: Annotated[int, msgspec.Meta(ge=1, description="How often it came; repeats are folded into it.")]
    received_at: Time
    attempts: Annotated[int, msgspec.Meta(ge=0, description="How often folding it has failed.")]
    correlation_id: str | None
    job_ids: Annotated[list[UUID], msgspec.Meta(description="The jobs whose album a decision about it concerns.")]
    reason: str | None
    last_error: str | None


class Decision(msgspec.Struct, kw_only=True):
    """What one event did to one acquisition, batch or peer."""

    subject_kind: Literal["acquisition", "batch", "peer"]
    subject_id: UUID
    sequence: int
    decided_at: Time
    signal: str
    outcome: Literal["applied", "ignored"]
    reason: str | None
    before_state: str | None
    after_state: str | None


class EventDetail(Event, kw_only=True):
    """An event with everything that was decided because of it."""

    due_at: Annotated[Time, msgspec.Meta(description="waiting: when it is folded next.")]
    settled_at: Time | None
    waits_for: Annotated[list[str], msgspec.Meta(description="parked: what will wake it once that is known.")]
    size_bytes: int
    decisions: list[Decision]


class Job(msgspec.Struct, kw_only=True):
    """What somebody asked for: one user, one album, maybe one batch."""

    id: UUID
    user_id: str
    origin: JobOrigin
    album_mbid: UUID
    artist_name: str
    album_title: str
    batch_id: UUID | None
    acquisition_id: UUID
    state: State
    source: Annotated[str | None, msgspec.Meta(description="Where its latest attempt was made: lidarr or soulseek.")]
    attempts: Annotated[int, msgspec.Meta(ge=0, description="How many attempts its acquisition has made.")]
    created_at: Time
    finished_at: Time | None
    reason: str | None


class HistoryEntry(msgspec.Struct, kw_only=True):
    """One decision about a job's acquisition, with the event that caused it."""

    sequence: int
    decided_at: Time
    signal: str
    outcome: Literal["applied", "ignored"]
    reason: str | None
    before_state: State | None
    after_state: State | None
    event_id: UUID
    event_source: str | None
    event_type: str | None
    event_received_at: Time | None


class Tried(msgspec.Struct, kw_only=True):
    """One attempt of a job's acquisition: what was tried where, and what became of it."""

    number: int
    source: Literal["lidarr", "soulseek"]
    state: Literal["searching", "downloading", "importing", "completed", "failed", "abandoned"]
    release: Annotated[str | None, msgspec.Meta(description="The release or folder that was downloaded.")]
    peer: Annotated[str | None, msgspec.Meta(description="On Soulseek: who shares it.")]
    size_bytes: int | None
    files: Annotated[int, msgspec.Meta(description="On Soulseek: how many files were wanted.")]
    files_arrived: int
    reason: str | None
    started_at: Time
    finished_at: Time | None


class JobDetail(Job, kw_only=True):
    """A job with every attempt and every decision about its acquisition, oldest first."""

    tried: list[Tried]
    history: list[HistoryEntry]


class Batch(msgspec.Struct, kw_only=True):
    """Albums wanted together. `total` counts distinct albums; `version` counts committed changes."""

    id: UUID
    user_id: str
    label: str | None
    state: BatchState
    version: int
    total: int
    completed: int
    failed: int
    cancelled: int
    created_at: Time
    finished_at: Time | None


class BatchDetail(Batch, kw_only=True):
    """A batch with its jobs."""

    jobs: list[Job]


class BatchToCome(msgspec.Struct, kw_only=True):
    """A batch that is not there yet, and is not sure to come: Lidarr is still being asked what it misses."""

    batch_id: Annotated[UUID, msgspec.Meta(description="The id that it will have.")]
    detail: Annotated[str, msgspec.Meta(description="What it waits for, for people.")]


class NothingWanted(msgspec.Struct, kw_only=True):
    """No batch: Lidarr misses nothing that isn't being got, or wasn't asked for lately."""

    reason: Literal["nothing_to_ask_for"]
    detail: Annotated[str, msgspec.Meta(description="The same for people.")]


class BatchVersion(msgspec.Struct, kw_only=True):
    """A batch as one version of it stood, and what brought that version about."""

    version: int
    at: Time
    state: BatchState
    total: int
    completed: int
    failed: int
    cancelled: int
    cause: str


class Leftover(msgspec.Struct, kw_only=True):
    """Files that a failed download from Soulseek left in slskd's downloads folder."""

    acquisition_id: UUID
    attempt: int
    artist_name: str
    album_title: str
    peer: Annotated[str, msgspec.Meta(description="Who shared them.")]
    folder: Annotated[str, msgspec.Meta(description="The remote folder that they came from.")]
    outcome: Annotated[
        Literal["not_allowed"] | None,
        msgspec.Meta(
            description="`not_allowed`: slskd doesn't let them be removed. null: they go after `leftovers_days`."
        ),
    ]
    finished_at: Time
    files: int
    size_bytes: int
    paths: Annotated[list[str], msgspec.Meta(description="Where they lie, as slskd calls it.")]


class Operation(msgspec.Struct, kw_only=True):
    """Long work that a person started; it can be watched and cancelled."""

    id: UUID
    kind: str
    args: dict[str, Any]
    state: Literal["running", "done", "cancelled"]
    total: Annotated[int, msgspec.Meta(description="What it was to do when it started.")]
    done: int
    started_at: Time
    finished_at: Time | None
