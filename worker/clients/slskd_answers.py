"""What we read of slskd's answers; every field may be absent, since versions differ."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import msgspec


class _Answer(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """slskd spells names in camelCase."""


class ServerState(_Answer, frozen=True, kw_only=True):
    """slskd's connection to the Soulseek network; searches need `is_logged_in`."""

    state: str = ""
    is_connected: bool = False
    is_logged_in: bool = False


class Version(_Answer, frozen=True, kw_only=True):
    full: str = ""
    current: str = ""


class Shares(_Answer, frozen=True, kw_only=True):
    directories: int = 0
    files: int = 0


class Application(_Answer, frozen=True, kw_only=True):
    version: Version = Version()
    server: ServerState = ServerState()
    shares: Shares = Shares()
    pending_restart: bool = False

    @property
    def release(self) -> tuple[int, ...]:
        """The version as numbers, (0, 26, 0), or () when it isn't known."""
        match = re.match(r"\d+(?:\.\d+)*", self.version.current or self.version.full)
        return tuple(int(part) for part in match.group().split(".")) if match else ()

    @property
    def takes_batches(self) -> bool:
        """Whether downloads can be enqueued in batches that bear our own id (from 0.26 on)."""
        return self.release >= (0, 26)


class File(_Answer, frozen=True, kw_only=True):
    """A file that a peer shares. `filename` is its full remote name, parts divided by backslashes; `length` in seconds.

    `bit_rate` (kbit/s) is absent for lossless files, and all attributes may be: peers' clients differ.
    """

    filename: str
    size: int = 0
    bit_rate: int | None = None
    bit_depth: int | None = None
    sample_rate: int | None = None
    length: int | None = None
    is_variable_bit_rate: bool | None = None
    is_locked: bool = False


class Response(_Answer, frozen=True, kw_only=True):
    """What one peer answered to a search. `upload_speed` in bytes/s; locked files can be seen but not had."""

    username: str
    has_free_upload_slot: bool = False
    upload_speed: int = 0
    queue_length: int = 0
    files: tuple[File, ...] = ()
    locked_files: tuple[File, ...] = ()


class EventRow(_Answer, frozen=True, kw_only=True):
    """An event as slskd keeps it; `timestamp` is as it came, `data` is JSON text without id, type and timestamp."""

    id: str
    type: str = ""
    timestamp: str = ""
    data: str = ""

    @property
    def at(self) -> datetime | None:
        """When it happened (for a download: when the transfer ended); slskd may leave out that it's UTC."""
        try:
            found = msgspec.convert(self.timestamp, datetime)
        except msgspec.ValidationError:
            return None
        return found if found.tzinfo else found.replace(tzinfo=UTC)

    def whole(self) -> dict[str, Any]:
        """The event in the form that a webhook has."""
        try:
            data = msgspec.json.decode(self.data)
        except msgspec.DecodeError:
            data = None
        own = data if isinstance(data, dict) else {"data": self.data}
        return {"type": self.type, **own, "id": self.id, "timestamp": self.timestamp}


class EventPage(msgspec.Struct, frozen=True, kw_only=True):
    """A slice of slskd's events, newest first; `total` counts all it keeps, None when it didn't say."""

    total: int | None
    events: tuple[EventRow, ...]
