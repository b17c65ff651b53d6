"""What our effects and looks find on the way through Soulseek, and what the clock finds: signals of our own.

Each names the attempt that it is about, so an attempt that is over can't be meant by mistake.
"""

from __future__ import annotations

from typing import Literal, TypeAlias
from uuid import UUID

import msgspec

from shared.acquisition.candidate import Candidate

Phase: TypeAlias = Literal["pending", "no_source", "materialise", "remote_queue", "no_bytes", "import", "absolute"]
Leftovers: TypeAlias = Literal["removed", "not_allowed", "gone"]


class AlbumReady(msgspec.Struct, frozen=True, tag=True, omit_defaults=True, kw_only=True):
    """Lidarr has the album, monitored. Counts are of tracks of the monitored release.

    history_floor is the newest row of its history for the album: what comes up to there is not ours.
    """

    acquisition_id: UUID
    lidarr_album_id: int
    track_file_count: int
    track_count: int
    history_floor: int | None = None


class SourceAppeared(msgspec.Struct, frozen=True, tag=True, omit_defaults=True, kw_only=True):
    """A source has been configured since this acquisition found none."""

    acquisition_id: UUID


class SearchStarted(msgspec.Struct, frozen=True, tag=True, omit_defaults=True, kw_only=True):
    """Lidarr took our search; command_id is its number for it."""

    acquisition_id: UUID
    attempt: int
    command_id: int


class SearchFinished(msgspec.Struct, frozen=True, tag=True, omit_defaults=True, kw_only=True):
    """Lidarr's search ended. found None: it ended without saying (orphaned by a restart, failed)."""

    acquisition_id: UUID
    attempt: int
    found: int | None
    message: str = ""


class AlbumChecked(msgspec.Struct, frozen=True, tag=True, omit_defaults=True, kw_only=True):
    """A look at the album's track statistics after an import."""

    acquisition_id: UUID
    track_file_count: int
    track_count: int


class DownloadAbandoned(msgspec.Struct, frozen=True, tag=True, omit_defaults=True, kw_only=True):
    """The attempt's download is gone from its peer, or was never there."""

    acquisition_id: UUID
    attempt: int
    dropped: bool


class CommandFailed(msgspec.Struct, frozen=True, tag=True, omit_defaults=True, kw_only=True):
    """A command ended dead. reason is for people."""

    acquisition_id: UUID
    attempt: int | None
    command: str
    reason: str


class _OfAttempt(msgspec.Struct, frozen=True, tag=True, omit_defaults=True, kw_only=True):
    """Shared form: frozen, tagged with the class name, about one attempt."""

    acquisition_id: UUID
    attempt: int


class SoulseekSearchStarted(_OfAttempt, frozen=True, kw_only=True):
    """slskd took our search. rung counts the texts that are tried for one album, from 0."""

    rung: int
    text: str
    search_id: UUID


class SoulseekSearched(_OfAttempt, frozen=True, kw_only=True):
    """A search on Soulseek ended. candidate is the best that may be tried; refused says why others may not.

    rungs is how many texts there are for the album.
    """

    rung: int
    rungs: int
    text: str
    responses: int
    candidate: Candidate | None = None
    refused: tuple[str, ...] = ()


class SourceAway(_OfAttempt, frozen=True, kw_only=True):
    """The attempt's source has been out of reach for long, and another one may have the album."""

    reason: str


class DownloadEnqueued(_OfAttempt, frozen=True, kw_only=True):
    """slskd took the files of an attempt, all but those refused (each with its message)."""

    taken: int
    refused: tuple[str, ...] = ()


class TransfersFailed(_OfAttempt, frozen=True, kw_only=True):
    """slskd's list of transfers shows that the attempt can't be finished; files are the ones that failed."""

    reason: str
    files: tuple[str, ...] = ()


class TransfersDropped(_OfAttempt, frozen=True, kw_only=True):
    """The attempt's transfers have left slskd's list; cancelled counts those that still ran."""

    cancelled: int
    removed: int


class LeftoversRemoved(_OfAttempt, frozen=True, kw_only=True):
    """What a failed attempt had left in slskd's downloads folder is removed, or slskd doesn't allow that."""

    outcome: Leftovers
    size_bytes: int


class ImportStarted(_OfAttempt, frozen=True, kw_only=True):
    """Lidarr took our import; command_id is its number for it."""

    command_id: int


class ImportBlocked(_OfAttempt, frozen=True, kw_only=True):
    """Lidarr can't import yet for a reason that is not the files' fault; reason says what a person can do."""

    reason: str


class ImportRefused(_OfAttempt, frozen=True, kw_only=True):
    """Lidarr sees the files and finds that they aren't the album."""

    reason: str


class ImportEnded(_OfAttempt, frozen=True, kw_only=True):
    """Lidarr's import ended. Counts are of tracks of the monitored release, read afterwards."""

    successful: bool
    message: str
    track_file_count: int
    track_count: int


class DownloadVanished(_OfAttempt, frozen=True, kw_only=True):
    """The attempt's download was missing from Lidarr's queue in several good readings, and its history knows no end."""

    readings: int


class DeadlinePassed(_OfAttempt, frozen=True, kw_only=True):
    """A phase took longer than its deadline, counting only time in which we ran and the peer answered.

    attempt 0 is the acquisition itself, while it is pending.
    """

    phase: Phase
    waited_s: int
    detail: str = ""


class WantedRequested(msgspec.Struct, frozen=True, tag=True, omit_defaults=True, kw_only=True):
    """Somebody, or the clock, asks for what Lidarr misses: at most limit albums, oldest wish first.

    batch_event_id is the id of the event that will open the batch, so that its number is known beforehand.
    """

    user_id: str
    limit: int
    batch_event_id: UUID
    label: str | None = None


Finding: TypeAlias = (
    AlbumReady
    | SourceAppeared
    | SearchStarted
    | SearchFinished
    | AlbumChecked
    | DownloadAbandoned
    | CommandFailed
    | SoulseekSearchStarted
    | SoulseekSearched
    | SourceAway
    | DownloadEnqueued
    | TransfersFailed
    | TransfersDropped
    | LeftoversRemoved
    | ImportStarted
    | ImportBlocked
    | ImportRefused
    | ImportEnded
    | DownloadVanished
    | DeadlinePassed
)
