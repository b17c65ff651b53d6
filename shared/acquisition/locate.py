"""From a signal to its subjects. Pure: it looks only at what the fold has loaded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias, assert_never
from uuid import UUID

from shared.acquisition.adopted import Adopted, BatchAdopted, unknown_yet
from shared.acquisition.batches import not_asked_lately
from shared.acquisition.choosing import is_spent
from shared.acquisition.findings import (
    AlbumChecked,
    AlbumReady,
    CommandFailed,
    DeadlinePassed,
    DownloadAbandoned,
    DownloadEnqueued,
    DownloadVanished,
    ImportBlocked,
    ImportEnded,
    ImportRefused,
    ImportStarted,
    LeftoversRemoved,
    SearchFinished,
    SearchStarted,
    SoulseekSearched,
    SoulseekSearchStarted,
    SourceAppeared,
    SourceAway,
    TransfersDropped,
    TransfersFailed,
    WantedRequested,
)
from shared.acquisition.grabbing import is_just_after, is_same_grab
from shared.acquisition.importing import has_ended, is_known, may_end
from shared.acquisition.keys import album_key, download_key, file_keys
from shared.acquisition.model import Acquisition
from shared.acquisition.signals import (
    AlbumDeleted,
    AlbumWish,
    BatchCancelled,
    BatchRequested,
    DownloadDropped,
    DownloadFailed,
    DownloadFailureHinted,
    EventsRetried,
    FileArrived,
    Grabbed,
    Imported,
    ImportFailureHinted,
    ImportIncomplete,
    JobCancelled,
    JobRequested,
    JobRetried,
    Replayed,
    SettingChanged,
    Signal,
)
from shared.acquisition.steps import from_before
from shared.acquisition.workspace import Workspace
from shared.eventlog.identity import derived_id


@dataclass(frozen=True, slots=True)
class ToAcquisitions:
    """The signal is about these."""

    ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class ToNew:
    """The signal begins this one."""

    blank: Acquisition


@dataclass(frozen=True, slots=True)
class ToPeer:
    """The signal is about Lidarr or slskd as a whole."""

    name: str


@dataclass(frozen=True, slots=True)
class ToBatch:
    """The signal is about a batch, and through it about its jobs."""

    signal: BatchRequested | BatchCancelled


@dataclass(frozen=True, slots=True)
class Park:
    """What the signal belongs to isn't known yet."""

    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Nowhere:
    """The signal belongs to nothing, and nothing will change that."""

    reason: str


Place: TypeAlias = ToAcquisitions | ToNew | ToPeer | ToBatch | Park | Nowhere


def locate(signal: Signal, work: Workspace, cause: UUID, now: datetime) -> Place:  # noqa: PLR0912 - one case a signal
    """Which subjects a signal is about; cause names what it may begin."""
    match signal:
        case JobRequested(album=wish):
            return _of_wish(wish, work, cause, now)
        case Grabbed():
            return _of_grab(signal, work, cause, now)
        case Imported():
            return _of_import(signal, work)
        case DownloadFailed() | ImportIncomplete() | DownloadDropped():
            return _of_row(signal, work)
        case AlbumDeleted(album=album):
            active = work.active_for(album.mbid)
            return ToAcquisitions((active.id,)) if active else Nowhere("no_active_acquisition")
        case DownloadFailureHinted(download_id=download):
            if download is None:
                return ToPeer("lidarr")
            found = work.with_download(download)
            return ToAcquisitions(_active_or_newest(found)) if found else Park((download_key(download),))
        case FileArrived():
            found = work.with_file(signal)
            return ToAcquisitions(_active_or_newest(found)) if found else Park(file_keys(signal))
        case ImportFailureHinted() | WantedRequested():
            return ToPeer("lidarr")
        case JobCancelled(job_id=job_id):
            home = work.job_homes.get(job_id)
            return ToAcquisitions((home,)) if home else Nowhere("no_such_job")
        case JobRetried(job_id=job_id):
            return _of_retry(job_id, work, now)
        case BatchRequested(origin="wanted"):
            fresh = not_asked_lately(signal, work, now)
            return ToBatch(fresh) if fresh.albums else Nowhere("all_asked_for_already")
        case BatchRequested():
            return ToBatch(signal)
        case BatchCancelled(batch_id=batch_id):
            return ToBatch(signal) if batch_id in work.batches else Nowhere("no_such_batch")
        case (
            AlbumReady(acquisition_id=of)
            | SourceAppeared(acquisition_id=of)
            | SearchStarted(acquisition_id=of)
            | SearchFinished(acquisition_id=of)
            | AlbumChecked(acquisition_id=of)
            | DownloadAbandoned(acquisition_id=of)
            | CommandFailed(acquisition_id=of)
            | SoulseekSearchStarted(acquisition_id=of)
            | SoulseekSearched(acquisition_id=of)
            | SourceAway(acquisition_id=of)
            | DownloadEnqueued(acquisition_id=of)
            | TransfersFailed(acquisition_id=of)
            | TransfersDropped(acquisition_id=of)
            | LeftoversRemoved(acquisition_id=of)
            | ImportStarted(acquisition_id=of)
            | ImportBlocked(acquisition_id=of)
            | ImportRefused(acquisition_id=of)
            | ImportEnded(acquisition_id=of)
            | DownloadVanished(acquisition_id=of)
            | DeadlinePassed(acquisition_id=of)
        ):
            return ToAcquisitions((of,)) if of in work.acquisitions else Nowhere("no_such_acquisition")
        case Adopted(acquisition=taken):
            return ToNew(unknown_yet(taken))
        case Replayed():
            return Nowhere("the replayed event is not in the log")
        case SettingChanged() | EventsRetried() | BatchAdopted():
            return Nowhere("for_the_record")
        case _:
            assert_never(signal)


def _of_wish(wish: AlbumWish, work: Workspace, cause: UUID, now: datetime) -> Place:
    """To what is under way for the album, or to what spent the album's budget not long ago, or to a new beginning."""
    active = work.active_for(wish.album_mbid)
    if active:
        return ToAcquisitions((active.id,))
    last = work.last_for(wish.album_mbid)
    return ToAcquisitions((last.id,)) if last and is_spent(last, now) else ToNew(_wished(wish, cause, now))


def _of_grab(signal: Grabbed, work: Workspace, cause: UUID, now: datetime) -> Place:
    active = work.active_for(signal.album.mbid)
    if active and any(is_same_grab(attempt, signal) for attempt in active.attempts):
        return ToAcquisitions((active.id,))
    for over in work.over_for(signal.album.mbid):
        # What is under way may be about to grab the same download, so a finished one must have reason to claim it.
        if _waits_for_grab(over, signal) if active else _knows_grab(over, signal):
            return ToAcquisitions((over.id,))
    if active:
        return ToAcquisitions((active.id,))
    return ToNew(
        Acquisition(
            id=derived_id(cause, "acquisition", signal.album.mbid),
            album_mbid=signal.album.mbid,
            artist_mbid=signal.artist_mbid,
            artist_name=signal.artist_name,
            album_title=signal.album.title,
            origin="lidarr",
            created_at=now,
            updated_at=now,
        )
    )


def _knows_grab(acquisition: Acquisition, signal: Grabbed) -> bool:
    """Whether a finished acquisition had this grab. A history row with another number is another grab."""
    if from_before(acquisition, signal.history_id):
        return True
    return any(
        is_same_grab(attempt, signal)
        and (signal.history_id is None or attempt.grab_history_id in (None, signal.history_id))
        for attempt in acquisition.attempts
    )


def _waits_for_grab(acquisition: Acquisition, signal: Grabbed) -> bool:
    """Whether a finished acquisition had this download and this Grab is the one that it hasn't had, or one just had."""
    return any(
        is_same_grab(attempt, signal)
        and (
            attempt.grab_history_id in (None, signal.history_id)
            if signal.history_id is not None
            else not attempt.grab_seen or is_just_after(attempt, signal)
        )
        for attempt in acquisition.attempts
    )


def _of_row(signal: DownloadFailed | ImportIncomplete | DownloadDropped, work: Workspace) -> Place:
    """A row that ends a download: of the album under way, or of one that is over; else its grab isn't folded yet."""
    active = work.active_for(signal.album.mbid)
    if active and (from_before(active, signal.history_id) or signal.download_id is None or may_end(active, signal)):
        return ToAcquisitions((active.id,))
    if signal.download_id is None:
        return Nowhere("no_active_acquisition")
    for over in work.over_for(signal.album.mbid):
        if from_before(over, signal.history_id) or may_end(over, signal):
            return ToAcquisitions((over.id,))
    return Park((download_key(signal.download_id),))


def _of_import(signal: Imported, work: Workspace) -> Place:
    active = work.active_for(signal.album.mbid)
    over = work.over_for(signal.album.mbid)
    if active:
        # What history has ended before is no news for whatever came after it.
        late = (one for one in over if not is_known(active, signal) and has_ended(one, signal))
        return ToAcquisitions((next(late, active).id,))
    if signal.download_id is None:
        return ToAcquisitions((over[0].id,)) if over else Park((album_key(signal.album.mbid),))
    for one in over:
        if is_known(one, signal):
            return ToAcquisitions((one.id,))
    # Its Grab may still be on the way; a later wish for the album is served by what came in, too.
    return Park((album_key(signal.album.mbid), download_key(signal.download_id)))


def _of_retry(job_id: UUID, work: Workspace, now: datetime) -> Place:
    """To what is under way for the album, or to what spent its budget since, or to the job's own acquisition."""
    home = work.job_homes.get(job_id)
    if home is None:
        return Nowhere("no_such_job")
    album = work.acquisitions[home].album_mbid
    last = work.active_for(album) or work.last_for(album)
    return ToAcquisitions((last.id if last and (last.is_active or is_spent(last, now)) else home,))


def _active_or_newest(found: list[Acquisition]) -> tuple[UUID, ...]:
    active = tuple(one.id for one in found if one.is_active)
    return active or (found[0].id,)


def _wished(wish: AlbumWish, cause: UUID, now: datetime) -> Acquisition:
    return Acquisition(
        id=derived_id(cause, "acquisition", wish.album_mbid),
        album_mbid=wish.album_mbid,
        artist_mbid=wish.artist_mbid,
        artist_name=wish.artist_name,
        album_title=wish.album_title,
        origin="asked",
        created_at=now,
        updated_at=now,
    )
