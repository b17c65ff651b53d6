"""What a backup says of itself: which release made it, of what, when, and what must be in it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

FORMAT = 1

Reason = Literal["asked", "nightly", "migration", "upgrade"]


class Member(msgspec.Struct, frozen=True):
    """One file within the backup."""

    size_bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The last file but one of a backup; a backup without it was never finished.

    counts are the rows of every table in the dump's own snapshot. database_bytes is the database's size on the server.
    schema_version is the newest migration; 0 for an untracked schema. server_version reads like `18.6`.
    """

    format: int = FORMAT
    release: str
    made_at: datetime
    reason: Reason
    schema_version: int
    server_version: str
    dumped_by: str
    database_bytes: int
    counts: dict[str, int]
    spool_files: int
    spool_bytes: int
    members: dict[str, Member]
