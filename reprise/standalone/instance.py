"""One `reprise up` per data directory: a lock that the kernel frees, however its holder ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from reprise.standalone.layout import Layout
from reprise.standalone.problems import CannotStart


def is_running(layout: Layout) -> bool:
    """Whether some process holds the lock at this moment."""
    try:
        fd = os.open(layout.data_dir / "up.lock", os.O_RDWR | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(fd)


@contextmanager
def only_instance(layout: Layout) -> Iterator[None]:
    """Hold the lock. Raises CannotStart, naming the holder, if another process has it."""
    fd = os.open(layout.data_dir / "up.lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(fd, 20).decode().strip()
            raise CannotStart(
                f"another `reprise up` (pid {holder or 'unknown'}) is running on {layout.data_dir}. "
                "Stop it first, or set REPRISE_DATA_DIR to another folder"
            ) from None
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
        yield
        os.ftruncate(fd, 0)
    finally:
        os.close(fd)  # frees the lock; the file stays, or two processes could lock two files of one name
