"""What another system had done, taken over as it stood there: a snapshot that the log starts an album from."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec

from shared.acquisition.model import TERMINAL, Acquisition, Context, Outcome
from shared.acquisition.steps import applied, ignored


class Adopted(msgspec.Struct, frozen=True, tag=True, omit_defaults=True, kw_only=True):
    """An album's work in another system, brought over finished. original is its row there, for the record."""

    acquisition_id: UUID
    acquisition: Acquisition
    original: dict[str, Any]


class BatchAdopted(msgspec.Struct, frozen=True, tag=True, omit_defaults=True, kw_only=True):
    """A batch of another system. For the record: the batch is made beside it, with the version it had there."""

    batch_id: UUID
    version: int
    original: dict[str, Any]


def adopt(acquisition: Acquisition, signal: Adopted, context: Context) -> Outcome:
    """Begin where the other system left off; only what is over there can be taken over, so nothing is set going."""
    snapshot = signal.acquisition
    if acquisition.sequence or snapshot.state not in TERMINAL or any(job.is_active for job in snapshot.jobs):
        return ignored(acquisition, "already_decided" if acquisition.sequence else "adopted_unfinished")
    return applied(snapshot, reason=snapshot.reason)


def unknown_yet(taken: Acquisition) -> Acquisition:
    """An adopted acquisition as it is here before anything is decided about it."""
    return Acquisition(
        id=taken.id,
        album_mbid=taken.album_mbid,
        artist_name=taken.artist_name,
        album_title=taken.album_title,
        origin=taken.origin,
        created_at=taken.created_at,
        updated_at=taken.created_at,
    )
