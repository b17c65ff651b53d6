"""Ids that sort by time, minted before anything is written, so that a repeated write can't double anything."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from uuid import UUID, uuid5

_lock = threading.Lock()
_last = 0

# The root of all derived ids: an entity's id follows from the event that made it, so a replay makes the same one.
_DERIVED = UUID("6f0f2f52-5d1c-5e8e-9d7b-2c1f6b0a7a51")


def uuid7(at_ms: int | None = None) -> UUID:
    """A UUIDv7 (RFC 9562): 48 bits of Unix milliseconds, then a counter that keeps one process's ids ascending.

    With at_ms the time is given (adopted history); such ids don't take part in the ascending order.
    """
    global _last  # noqa: PLW0603 - one counter a process is what makes the ids ascend
    if at_ms is not None:
        stamp = (at_ms << 12) | int.from_bytes(os.urandom(2)) & 0xFFF
    else:
        with _lock:
            now_ns = time.time_ns()
            # 12 bits of sub-millisecond time (RFC 9562 method 3), pushed on when two ids fall together.
            stamp = (now_ns // 1_000_000 << 12) | (now_ns % 1_000_000 << 12) // 1_000_000
            stamp = _last = max(stamp, _last + 1)
    value = (stamp >> 12 & 0xFFFFFFFFFFFF) << 80 | 0x7 << 76 | (stamp & 0xFFF) << 64
    value |= 0b10 << 62 | int.from_bytes(os.urandom(8)) >> 2
    return UUID(int=value)


def uuid7_named(at_ms: int, name: str) -> UUID:
    """The UUIDv7 of something that happened then and that another system called so: the same for ever."""
    digest = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=16).digest())
    moment = min(max(at_ms, 0), 0xFFFFFFFFFFFF)
    return UUID(int=moment << 80 | 0x7 << 76 | (digest >> 64 & 0xFFF) << 64 | 0b10 << 62 | digest & (1 << 62) - 1)


def derived_id(event_id: UUID, *parts: object) -> UUID:
    """The id of something that an event brought about: the same event and parts give the same id for ever."""
    return uuid5(_DERIVED, ":".join([event_id.hex, *map(str, parts)]))


def peer_id(name: str) -> UUID:
    """The subject id under which decisions about a peer are filed."""
    return uuid5(_DERIVED, f"peer:{name}")
