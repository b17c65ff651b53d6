"""One file of the journal: written in groups, each made durable before anybody is told."""

from __future__ import annotations

import os
import secrets
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

SUFFIX = ".journal"
_last_us = 0


@dataclass(frozen=True, slots=True, order=True)
class Segment:
    """A finished file. Its name tells when it was begun (so names sort by time) and the salt of its checksums.

    deliveries is how many it holds; None when another process wrote it.
    """

    created_us: int
    salt: int
    path: Path
    size_bytes: int
    deliveries: int | None = None

    @property
    def created_at(self) -> datetime:
        return datetime.fromtimestamp(self.created_us / 1_000_000, UTC)

    def read(self) -> bytes:
        """What was made durable in it."""
        with self.path.open("rb") as file:
            return file.read(self.size_bytes)


def segments_in(folder: Path) -> list[Segment]:
    """The segments of a folder, oldest first; other files are left out."""
    found = []
    for path in folder.iterdir():
        created, _, salt = path.name.removesuffix(SUFFIX).partition("-")
        if path.name.endswith(SUFFIX):
            with suppress(ValueError):  # somebody else's file
                found.append(Segment(int(created), int(salt, 16), path, path.stat().st_size))
    return sorted(found)


class Writing:
    """The segment that is being written. Any OSError of write means: nothing of that group is acknowledged."""

    def __init__(self, folder: Path) -> None:
        global _last_us  # noqa: PLW0603 - names must ascend, whatever the clock does
        self.created_us = _last_us = max(_last_us + 1, time.time_ns() // 1000)
        self.salt = secrets.randbits(32)
        self.path = folder / f"{self.created_us:016d}-{self.salt:08x}{SUFFIX}"
        self.size_bytes = 0
        self.deliveries = 0
        self._fd = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            sync_folder(folder)  # or the file itself may be gone after a power cut
        except OSError:
            self.abandon()
            raise

    def write(self, frames: Sequence[bytes]) -> None:
        """Append and fsync. If that fails, what was written of it is cut off again, as far as the disk allows."""
        group = b"".join(frames)
        try:
            written = 0
            while written < len(group):
                written += os.write(self._fd, memoryview(group)[written:])
            _sync(self._fd)
        except OSError:
            with suppress(OSError):
                os.ftruncate(self._fd, self.size_bytes)
            raise
        self.size_bytes += len(group)
        self.deliveries += len(frames)

    def finish(self) -> Segment | None:
        """Close it. None if nothing was made durable in it; then the file is gone."""
        if not self.size_bytes:
            self.abandon()
            return None
        self._close()
        return Segment(self.created_us, self.salt, self.path, self.size_bytes, self.deliveries)

    def abandon(self) -> None:
        """Close and remove a file that holds nothing acknowledged."""
        self._close()
        with suppress(OSError):
            self.path.unlink()

    def _close(self) -> None:
        with suppress(OSError):  # all that matters was synced before
            os.close(self._fd)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


if sys.platform == "darwin":
    import fcntl

    def _sync(fd: int) -> None:
        fcntl.fcntl(fd, fcntl.F_FULLFSYNC)  # fsync alone leaves it in the drive's cache (fsync(2) of macOS)

else:

    def _sync(fd: int) -> None:
        os.fdatasync(fd)  # includes the new size (fdatasync(2))
