"""What a process takes of memory."""

from __future__ import annotations

from dataclasses import dataclass

import psutil

_MB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Size:
    """Resident memory, and the process's fair share of it (pages shared with others are divided), in MB of 2^20."""

    resident: float
    share: float


def size_of(pid: int) -> Size:
    """What this process takes now. Where the system tells no shares, all of it is its own."""
    found = psutil.Process(pid).memory_full_info()
    return Size(found.rss / _MB, getattr(found, "pss", found.rss) / _MB)
