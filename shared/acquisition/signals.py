"""The source-neutral meaning of events. Our own events carry a signal as their body; webhooks are read into one.

Every signal is a tagged struct, so the type of one of our own events and its body always agree.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Literal, TypeAlias
from uuid import UUID

import msgspec

from shared.acquisition.adopted import Adopted, BatchAdopted
from shared.acquisition.findings import Finding, WantedRequested

Origin = Literal["api", "batch", "wanted", "lidarr"]


class _Signal(msgspec.Struct, frozen=True, tag=True, omit_defaults=True):
    """Shared form: frozen, tagged with the class name, absent where default."""


class AlbumRef(msgspec.Struct, frozen=True, omit_defaults=True):
    """An album as a peer names it: release-group MBID, title, and Lidarr's own numeric id where known."""

    mbid: UUID
    title: str = ""
    lidarr_id: int | None = None


class AlbumWish(msgspec.Struct, frozen=True, omit_defaults=True):
    """One album that somebody asks for."""

    album_mbid: UUID
    artist_name: str
    album_title: str
    artist_mbid: UUID | None = None


# --- what people ask ---


class JobRequested(_Signal, frozen=True, kw_only=True):
    """Somebody asks for an album."""

    user_id: str
    album: AlbumWish
    batch_id: UUID | None = None
    origin: Origin = "api"


class BatchRequested(_Signal, frozen=True, kw_only=True):
    """Somebody asks for several albums together. Doubles among them count once."""

    user_id: str
    albums: tuple[AlbumWish, ...]
    label: str | None = None
    origin: Origin = "batch"


class JobCancelled(_Signal, frozen=True, kw_only=True):
    """Somebody no longer wants a job; the last job's cancel cancels the acquisition.

    others: further jobs for the same album, where a batch with several of them is cancelled.
    """

    job_id: UUID
    reason: str | None = None
    others: tuple[UUID, ...] = ()


class JobRetried(_Signal, frozen=True, kw_only=True):
    """A person opens a finished job again: the only way out of a terminal state."""

    job_id: UUID
    reason: str | None = None


class BatchCancelled(_Signal, frozen=True, kw_only=True):
    """A person cancels a batch and its open jobs. With expected_version only if it is still at that version."""

    batch_id: UUID
    expected_version: int | None = None
    reason: str | None = None


class Replayed(_Signal, frozen=True, kw_only=True):
    """A person has an event folded again, under what is known now."""

    of: UUID
    reason: str | None = None


class SettingChanged(_Signal, frozen=True, kw_only=True):
    """A person changed a setting. For the record: the change is made beside it, under this version of the settings."""

    name: str
    value: Any
    version: int


class EventsRetried(_Signal, frozen=True, kw_only=True):
    """A person has events folded again: of is one, or an operation for many. For the record, like SettingChanged."""

    of: UUID
    reason: str | None = None


# --- what Lidarr and slskd say ---


class Grabbed(_Signal, frozen=True, kw_only=True):
    """Lidarr sent a release to a download client. history_id is set when read from its history, not a webhook."""

    album: AlbumRef
    artist_name: str = ""
    artist_mbid: UUID | None = None
    download_id: str | None = None
    release_title: str | None = None
    indexer: str | None = None
    size_bytes: int | None = None
    at: datetime
    history_id: int | None = None


class Imported(_Signal, frozen=True, kw_only=True):
    """Lidarr imported files of an album; not necessarily all of it.

    whole: it is done with the download, so what is missing now was not in it.
    """

    album: AlbumRef
    download_id: str | None = None
    files: int = 0
    upgrade: bool = False
    whole: bool = False
    at: datetime
    history_id: int | None = None


class DownloadFailureHinted(_Signal, frozen=True, kw_only=True):
    """A DownloadFailure webhook: a reason to look, or the failure itself where we can't look."""

    download_id: str | None
    release_title: str | None
    at: datetime


class ImportFailureHinted(_Signal, frozen=True, kw_only=True):
    """An ImportFailure webhook: says nothing about which album, so it is only a reason to look."""


class _DownloadEnded(_Signal, frozen=True, kw_only=True):
    album: AlbumRef
    download_id: str | None
    at: datetime
    history_id: int


class DownloadFailed(_DownloadEnded, frozen=True, kw_only=True):
    """A row of Lidarr's history: the download of this album failed."""

    message: str


class ImportIncomplete(_DownloadEnded, frozen=True, kw_only=True):
    """A row of Lidarr's history: not every track of the album could be imported."""

    message: str


class DownloadDropped(_DownloadEnded, frozen=True, kw_only=True):
    """A row of Lidarr's history: a person removed the download from the queue without blocking it."""


class AlbumDeleted(_Signal, frozen=True, kw_only=True):
    """A person deleted the album in Lidarr."""

    album: AlbumRef


class FileArrived(_Signal, frozen=True, kw_only=True):
    """slskd moved a finished file into its downloads folder: the only proof of arrival there is."""

    batch_id: UUID | None
    transfer_id: UUID | None
    username: str
    remote_filename: str
    local_filename: str
    size_bytes: int


Signal: TypeAlias = (
    JobRequested
    | BatchRequested
    | JobCancelled
    | JobRetried
    | BatchCancelled
    | Replayed
    | SettingChanged
    | EventsRetried
    | Grabbed
    | Imported
    | DownloadFailureHinted
    | ImportFailureHinted
    | DownloadFailed
    | ImportIncomplete
    | DownloadDropped
    | AlbumDeleted
    | FileArrived
    | Finding
    | WantedRequested
    | Adopted
    | BatchAdopted
)

_encoder = msgspec.json.Encoder()
# An escaped backslash before it makes it text that merely looks so.
_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")
_decoder: msgspec.json.Decoder[Signal] = msgspec.json.Decoder(Signal)


def encode(signal: Signal) -> bytes:
    """The body under which a signal of our own enters the log.

    It may quote what strangers wrote (a file's name, a refusal), and Postgres keeps no U+0000.
    """
    return _NUL.sub(rb"\1\\ufffd", _encoder.encode(signal))


def decode(body: bytes) -> Signal:
    """The signal in the body of one of our own events. Raises msgspec.DecodeError."""
    return _decoder.decode(body)


class Unheeded(msgspec.Struct, frozen=True):
    """An event that is kept for history and calls for nothing; reason says why."""

    reason: str
