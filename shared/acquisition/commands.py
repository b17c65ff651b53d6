"""What is to be done: one struct per intended side effect. worker/effects has one file for each."""

from __future__ import annotations

from typing import TypeAlias
from uuid import UUID

import msgspec


class _Command(msgspec.Struct, frozen=True, tag=True, tag_field="kind", omit_defaults=True):
    """Shared form; the tag is the command's kind."""


class EnsureAlbum(_Command, frozen=True, kw_only=True):
    """Make Lidarr have the album, monitored, with its artist. Adding what is there is a no-op at Lidarr."""

    acquisition_id: UUID
    album_mbid: UUID


class SearchAlbum(_Command, frozen=True, kw_only=True):
    """Have Lidarr search, unless it is downloading the album already. Lidarr folds an identical waiting search."""

    acquisition_id: UUID
    attempt: int
    lidarr_album_id: int


class FollowSearch(_Command, frozen=True, kw_only=True):
    """Wait for the end of a search that Lidarr runs."""

    acquisition_id: UUID
    attempt: int
    lidarr_album_id: int
    command_id: int


class CheckAlbum(_Command, frozen=True, kw_only=True):
    """Look whether every track of the album has a file."""

    acquisition_id: UUID
    album_mbid: UUID
    lidarr_album_id: int | None = None


class AbandonDownload(_Command, frozen=True, kw_only=True):
    """Take a download that we no longer want out of Lidarr's queue, unless another album still needs it."""

    acquisition_id: UUID
    attempt: int
    download_id: str
    blocklist: bool = False


class ObservePeer(_Command, frozen=True, kw_only=True):
    """Read a peer's history and queue from where we left off, and append what is new."""

    peer: str


class RollUpBatch(_Command, frozen=True, kw_only=True):
    """Recount a batch from its jobs and commit a new version if the counts changed."""

    batch_id: UUID


Command: TypeAlias = EnsureAlbum | SearchAlbum | FollowSearch | CheckAlbum | AbandonDownload | ObservePeer | RollUpBatch

KINDS: tuple[str, ...] = (
    "EnsureAlbum",
    "SearchAlbum",
    "FollowSearch",
    "CheckAlbum",
    "AbandonDownload",
    "ObservePeer",
    "RollUpBatch",
)


def coalesce_key(command: Command) -> str | None:
    """At most one command with the same key waits at a time: for work that reads everything there is anyway."""
    match command:
        case ObservePeer(peer=peer):
            return f"observe:{peer}"
        case RollUpBatch(batch_id=batch_id):
            return f"batch:{batch_id}"
        case CheckAlbum(acquisition_id=acquisition_id):
            return f"check:{acquisition_id}"
        case EnsureAlbum() | SearchAlbum() | FollowSearch() | AbandonDownload():
            return None
