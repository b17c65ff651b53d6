"""What is to be done: one struct per intended side effect. worker/effects has one file for each."""

from __future__ import annotations

from typing import TypeAlias, get_args
from uuid import UUID

import msgspec


class _Command(msgspec.Struct, frozen=True, tag=True, tag_field="kind", omit_defaults=True):
    """Shared form; the tag is the command's kind."""


class EnsureAlbum(_Command, frozen=True, kw_only=True):
    """Make Lidarr have the album, monitored, with its artist. Adding what is there is a no-op at Lidarr."""

    acquisition_id: UUID
    album_mbid: UUID


class SearchAlbum(_Command, frozen=True, kw_only=True):
    """Have Lidarr search, unless it is downloading the album already. Lidarr folds an identical waiting search.

    may_skip: another source may have the album, so that one out of reach for long need not be waited for.
    """

    acquisition_id: UUID
    attempt: int
    lidarr_album_id: int
    may_skip: bool = False


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


class SearchSoulseek(_Command, frozen=True, kw_only=True):
    """Have slskd search with one of the album's texts (rung), as soon as the fleet's search budget allows it.

    max_bytes: what the album's budget leaves for a download. after_lidarr: Lidarr's own download failed just now, and
    it may grab another one by itself, which is waited for. may_skip as in SearchAlbum.
    """

    acquisition_id: UUID
    attempt: int
    rung: int = 0
    max_bytes: int | None = None
    after_lidarr: bool = False
    may_skip: bool = False


class FollowSoulseekSearch(_Command, frozen=True, kw_only=True):
    """Wait for the end of a search that slskd runs, and choose from what was found."""

    acquisition_id: UUID
    attempt: int
    rung: int
    text: str
    search_id: UUID
    max_bytes: int | None = None


class EnqueueDownload(_Command, frozen=True, kw_only=True):
    """Have slskd download the files of an attempt. batch_id is the download's id at slskd: a second try finds it."""

    acquisition_id: UUID
    attempt: int
    batch_id: UUID


class DropTransfers(_Command, frozen=True, kw_only=True):
    """Take the transfers of an attempt that is over off slskd: cancelled if they run, removed from its list."""

    acquisition_id: UUID
    attempt: int


class RemoveLeftovers(_Command, frozen=True, kw_only=True):
    """Remove what a failed attempt left in slskd's downloads folder, where slskd allows that."""

    acquisition_id: UUID
    attempt: int


class ImportAlbum(_Command, frozen=True, kw_only=True):
    """Have Lidarr import the files that an attempt brought, if it sees them and takes them for the album."""

    acquisition_id: UUID
    attempt: int


class FollowImport(_Command, frozen=True, kw_only=True):
    """Wait for the end of an import that Lidarr runs, and look what it brought."""

    acquisition_id: UUID
    attempt: int
    command_id: int


class ReadWanted(_Command, frozen=True, kw_only=True):
    """Read what Lidarr misses, and ask for it as one batch. event_id: of the event that opens the batch."""

    user_id: str
    limit: int
    event_id: UUID
    label: str | None = None


class WakeLidarr(_Command, frozen=True, kw_only=True):
    """Have Lidarr test its connection to us: a success ends the back-off in which it drops every webhook."""


class ObservePeer(_Command, frozen=True, kw_only=True):
    """Read a peer's history and queue from where we left off, and append what is new."""

    peer: str


class RollUpBatch(_Command, frozen=True, kw_only=True):
    """Recount a batch from its jobs and commit a new version if the counts changed."""

    batch_id: UUID


Command: TypeAlias = (
    EnsureAlbum
    | SearchAlbum
    | FollowSearch
    | CheckAlbum
    | AbandonDownload
    | SearchSoulseek
    | FollowSoulseekSearch
    | EnqueueDownload
    | DropTransfers
    | RemoveLeftovers
    | ImportAlbum
    | FollowImport
    | ReadWanted
    | WakeLidarr
    | ObservePeer
    | RollUpBatch
)

KINDS: tuple[str, ...] = tuple(kind.__name__ for kind in get_args(Command))

# Leaving a peer and clearing up have a purpose though the acquisition is over.
AFTER_THE_END: tuple[str, ...] = ("AbandonDownload", "DropTransfers", "RemoveLeftovers")


def coalesce_key(command: Command) -> str | None:
    """At most one command with the same key waits at a time: for work that reads everything there is anyway."""
    match command:
        case ObservePeer(peer=peer):
            return f"observe:{peer}"
        case RollUpBatch(batch_id=batch_id):
            return f"batch:{batch_id}"
        case CheckAlbum(acquisition_id=acquisition_id):
            return f"check:{acquisition_id}"
        case WakeLidarr():
            return "wake:lidarr"
        case _:
            return None
