"""A folder of the spool for each process, locked for as long as it lives; what a dead one left is adopted.

<data_dir>/spool/<name>/lock and *.journal, and <data_dir>/spool/damaged/ for what couldn't be read
"""

from __future__ import annotations

import fcntl
import os
import secrets
import time
from contextlib import suppress
from pathlib import Path

import structlog

from ingest.spool.segment import SUFFIX, Segment, segments_in, sync_folder

_log = structlog.get_logger("ingest.spool")

_LOCK = "lock"
_DAMAGED = "damaged"
# A folder that is being made bears this until it is locked, so that nobody takes it for an orphan.
_UNBORN = ".new-"
_UNBORN_FOR_S = 60.0


class Place:
    """This process's folder, locked by flock: the kernel lets go of it when the process ends in any way."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"{time.time_ns() // 1000:016d}-{secrets.token_hex(4)}"
        unborn = root / f"{_UNBORN}{name}"
        unborn.mkdir(mode=0o700)
        lock = _locked(unborn)
        if lock is None:
            raise BlockingIOError(f"{unborn} is locked by somebody else")
        self._lock = lock
        self.path = root / name
        unborn.rename(self.path)
        sync_folder(root)

    def adopt(self) -> list[Segment]:
        """Move here what other processes left behind when they died, oldest first.

        What has come here is answered whatever fails afterwards: nobody would look for it in a living one's folder.
        """
        adopted: list[Segment] = []
        for folder in sorted(self.root.iterdir()):
            if folder in (self.path, self.root / _DAMAGED) or not folder.is_dir():
                continue
            try:
                self._adopt(folder, adopted)
            except OSError as error:
                _log.warning("spool.not_adopted", folder=str(folder), error=str(error))
        return sorted(adopted)

    def _adopt(self, folder: Path, adopted: list[Segment]) -> None:
        if folder.name.startswith(_UNBORN) and time.time() - folder.stat().st_mtime < _UNBORN_FOR_S:
            return
        lock = _locked(folder)
        if lock is None:
            return
        try:
            found = segments_in(folder)
            for left in found:
                moved = left.path.rename(self.path / left.path.name)
                adopted.append(Segment(left.created_us, left.salt, moved, left.size_bytes))
            sync_folder(self.path)
        finally:
            os.close(lock)
        if found:
            _log.warning("spool.adopted", folder=str(folder), segments=len(found))
        # Another process may be looking into it at this moment, and a file of somebody else's may lie there. On a
        # network file system an open file can't be removed, so the lock has been closed.
        with suppress(OSError):
            _remove_if_done(folder)

    def set_aside(self, segment: Segment) -> Path:
        """Keep a damaged segment for a person, where no drain stumbles over it."""
        target = self._damaged() / segment.path.name
        segment.path.rename(target)
        sync_folder(target.parent)
        return target

    def set_aside_bytes(self, name: str, content: bytes) -> Path:
        """Keep one delivery that Postgres refuses for a person."""
        target = self._damaged() / name
        with target.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        sync_folder(target.parent)
        return target

    def leave(self) -> None:
        """Remove the folder if it is empty, and let go of it; the next process adopts what is left."""
        with suppress(OSError):
            _remove_if_done(self.path)
        os.close(self._lock)

    def _damaged(self) -> Path:
        folder = self.root / _DAMAGED
        if not folder.exists():
            folder.mkdir(mode=0o700, exist_ok=True)
            sync_folder(self.root)
        return folder


def _locked(folder: Path) -> int | None:
    """The descriptor of the folder's lock, or None while its process lives."""
    path = folder / _LOCK
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except FileNotFoundError:  # adopted and removed since we saw it
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Somebody may have adopted and removed the folder between our open and our lock.
        if os.fstat(fd).st_ino != path.stat().st_ino:
            raise FileNotFoundError(path)
    except (BlockingIOError, FileNotFoundError):
        os.close(fd)
        return None
    return fd


def _remove_if_done(folder: Path) -> None:
    if any(path.name.endswith(SUFFIX) for path in folder.iterdir()):
        return
    (folder / _LOCK).unlink(missing_ok=True)
    folder.rmdir()
    sync_folder(folder.parent)
