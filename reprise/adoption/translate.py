"""What one row of theirs is here. Pure; what can't be said in our words is left out, with the reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from shared.acquisition.model import Acquisition, Attempt, AttemptState, Job, State
from shared.eventlog.event import OPERATOR, REPRISE, EventState
from shared.eventlog.identity import derived_id, uuid7_named
from shared.sources import SOURCES

Row = Mapping[str, Any]

# The reason of what was under way there: by it such jobs are found when they shall be opened again.
ADOPTED = "adopted"
ACTIVE_THERE = frozenset({"pending", "processing", "downloading"})
OPEN_BATCH_THERE = frozenset({"downloading", "scanning"})
_OVER_THERE = {
    "completed": State.COMPLETED,
    "failed": State.FAILED,
    "exhausted": State.FAILED,
    "cancelled": State.CANCELLED,
}
_ATTEMPT = {State.COMPLETED: AttemptState.COMPLETED, State.FAILED: AttemptState.FAILED}
# The root of the ids of what comes from there: the same row gives the same id whenever it is adopted.
_ROOT = UUID("b3a1c9de-6c2f-5f0a-8e57-0d3c5b1f7a42")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class TakenJob:
    """One of their jobs as our acquisition. was_active: it arrives cancelled, and may be opened again."""

    acquisition: Acquisition
    original: dict[str, Any]
    was_active: bool
    unknown_status: str | None = None

    @property
    def job(self) -> Job:
        return self.acquisition.jobs[0]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """One of their rows that can't be brought over, and why."""

    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class TakenEvent:
    """One of their webhook events, settled for good."""

    id: UUID
    source: str
    type: str
    received_at: datetime
    correlation_id: str | None
    body: bytes
    state: EventState
    reason: str
    last_error: str | None
    attempts: int
    settled_at: datetime


def moment(value: object) -> datetime | None:
    """A time of theirs, which is UTC without saying so; None for none, infinity and years before Christ."""
    if not isinstance(value, str):
        return None
    try:
        read = datetime.fromisoformat(value)
    except ValueError:
        return None
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)


def batch_id_of(their_id: str) -> UUID:
    """Under which id their batch is here."""
    return derived_id(_ROOT, "batch", their_id)


def job_id_of(their_id: str) -> UUID:
    """Under which id their job is here."""
    return derived_id(_ROOT, "job", their_id)


def acquisition_id_of(their_id: str) -> UUID:
    """Under which id the work of their job is here."""
    return derived_id(_ROOT, "acquisition", their_id)


def event_id_of(row: Row) -> UUID:
    """Under which id their event is here: its time, and a name made of theirs."""
    at = moment(row.get("createdAt")) or _EPOCH
    return uuid7_named(int(at.timestamp() * 1000), f"lidify:WebhookEvent:{row['id']}")


def taken_job(row: Row, batch: str | None, now: datetime) -> TakenJob | LeftOut:
    """Their job as an acquisition of its own, over. batch is the id of their batch that comes along, or None."""
    their_id = str(row["id"])
    kind, user = row.get("type") or "album", row["userId"]
    if kind != "album":
        return LeftOut(
            their_id, f"it asks for an {kind}, not an album" if kind == "artist" else f"it is of type {kind}"
        )
    album = _mbid(row.get("targetMbid"))
    if album is None:
        return LeftOut(their_id, "its target is no MusicBrainz release group")
    if not 1 <= len(user) <= 200:
        return LeftOut(their_id, "its user id is empty or longer than 200 characters")
    status = str(row["status"])
    was_active = status in ACTIVE_THERE
    state = _OVER_THERE.get(status, State.CANCELLED)
    error = str(row.get("error") or "")
    reason = ADOPTED if was_active else f"{ADOPTED}: {status}{f': {error}' if error else ''}"
    created = moment(row.get("createdAt")) or _EPOCH
    ended = now if was_active else moment(row.get("completedAt")) or moment(row.get("updatedAt")) or created
    artist, title = _names(row)
    home, batch_id = acquisition_id_of(their_id), batch_id_of(batch) if batch else None
    job = Job(
        id=job_id_of(their_id),
        user_id=user,
        origin="batch" if batch_id else "api",
        album_mbid=album,
        artist_name=artist,
        album_title=title,
        batch_id=batch_id,
        acquisition_id=home,
        state=state,
        created_at=created,
        reason=reason,
        finished_at=ended,
    )
    acquisition = Acquisition(
        id=home,
        album_mbid=album,
        artist_mbid=_mbid(row.get("artistMbid")),
        artist_name=artist,
        album_title=title,
        origin="asked",
        state=state,
        reason=reason,
        lidarr_album_id=row.get("lidarrAlbumId") or None,
        created_at=created,
        updated_at=ended,
        finished_at=ended,
        attempts=_attempts(row, state, created, ended),
        jobs=(job,),
    )
    known = was_active or status in _OVER_THERE
    return TakenJob(acquisition, dict(row), was_active, None if known else status)


def download_id(row: Row) -> str | None:
    """The peer's id of their job's last download; the field holds the job's own number until a grab is seen."""
    found = row.get("lidarrRef") or None
    if found is None or found == row.get("correlationId") or _source(row) != "lidarr":
        return None
    return str(found)


def taken_event(row: Row, payload: str, jobs_here: Mapping[str, UUID], now: datetime) -> TakenEvent:
    """Their event with its payload byte for byte as their database prints it, settled as it was there."""
    body = payload.encode()
    theirs = str(row["source"])
    # Our own names mean facts of our own, which these aren't.
    source = f"lidify:{theirs}" if theirs in (REPRISE, OPERATOR) else theirs
    known = SOURCES.get(source)
    job = jobs_here.get(str(row.get("correlationId")))
    error, tried = row.get("error") or None, int(row.get("retryCount") or 0)
    if row.get("processed"):
        state, reason = EventState.PROCESSED, f"{ADOPTED}: processed there"
    elif error or tried:
        state, reason = EventState.IGNORED, f"{ADOPTED}: failed there {tried} times"
    else:
        known_state = "processed" in row
        state = EventState.IGNORED
        reason = f"{ADOPTED}: never processed there" if known_state else f"{ADOPTED}: whether processed isn't known"
    return TakenEvent(
        id=event_id_of(row),
        source=source,
        type=str(row["eventType"]),
        received_at=moment(row.get("createdAt")) or _EPOCH,
        correlation_id=(known.identify({}, body).correlation_id if known else None) or (str(job) if job else None),
        body=body,
        state=state,
        reason=reason,
        last_error=error,
        attempts=tried,
        settled_at=moment(row.get("processedAt")) or now,
    )


def _mbid(value: object) -> UUID | None:
    try:
        return UUID(str(value)) if value else None
    except ValueError:
        return None


def _names(row: Row) -> tuple[str, str]:
    """Artist and title: from the metadata, else the halves of the subject; what isn't known is empty."""
    metadata = _metadata(row)
    artist, _, title = str(row.get("subject") or "").partition(" - ")
    return str(metadata.get("artistName") or artist), str(metadata.get("albumTitle") or title)


def _metadata(row: Row) -> Mapping[str, Any]:
    found = row.get("metadata")
    return found if isinstance(found, dict) else {}


def _source(row: Row) -> str:
    return str(_metadata(row).get("currentSource") or "lidarr")


def _attempts(row: Row, state: State, created: datetime, ended: datetime) -> tuple[Attempt, ...]:
    """The one download that they still know of; the ones before it they forgot."""
    download = download_id(row)
    if download is None:
        return ()
    return (
        Attempt(
            number=1,
            source="lidarr",
            state=_ATTEMPT.get(state, AttemptState.ABANDONED),
            started_at=moment(row.get("startedAt")) or created,
            download_id=download,
            reason=ADOPTED,
            finished_at=ended,
        ),
    )
