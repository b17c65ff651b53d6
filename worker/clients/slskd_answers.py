"""What we read of slskd's answers; every field may be absent, since versions differ."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import msgspec


class Answer(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """slskd spells names in camelCase."""


class ServerState(Answer, frozen=True, kw_only=True):
    """slskd's connection to the Soulseek network; searches need `is_logged_in`."""

    state: str = ""
    is_connected: bool = False
    is_logged_in: bool = False


class Version(Answer, frozen=True, kw_only=True):
    full: str = ""
    current: str = ""


class Shares(Answer, frozen=True, kw_only=True):
    directories: int = 0
    files: int = 0


class Application(Answer, frozen=True, kw_only=True):
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


class Directories(Answer, frozen=True, kw_only=True):
    """Folders by the names that slskd has for them, on its own machine."""

    downloads: str = ""
    incomplete: str = ""


class Options(Answer, frozen=True, kw_only=True):
    directories: Directories = Directories()
    remote_file_management: bool = False


class FolderFile(Answer, frozen=True, kw_only=True):
    """A file on slskd's disk; `full_name` is its path below the folder that was asked about."""

    name: str = ""
    full_name: str = ""
    length: int = 0


class FolderContents(Answer, frozen=True, kw_only=True):
    files: tuple[FolderFile, ...] = ()


class UserStatus(Answer, frozen=True, kw_only=True):
    presence: str = ""

    @property
    def is_online(self) -> bool:
        """Whether the user is connected, though perhaps away from the keyboard."""
        return self.presence.lower() in {"online", "away"}


class Search(Answer, frozen=True, kw_only=True):
    """A search and how far it is; times are as slskd writes them."""

    id: str = ""
    search_text: str = ""
    state: str = ""
    response_count: int = 0
    file_count: int = 0
    locked_file_count: int = 0
    started_at: str | None = None
    ended_at: str | None = None

    @property
    def words(self) -> tuple[str, ...]:
        return words_of(self.state)

    @property
    def is_complete(self) -> bool:
        """Whether it has ended; `Completed, TimedOut` is the usual end."""
        return "Completed" in self.words

    @property
    def is_errored(self) -> bool:
        """Whether it ended, or couldn't even begin, because something broke."""
        return "Errored" in self.words

    @property
    def is_cancelled(self) -> bool:
        return "Cancelled" in self.words


class File(Answer, frozen=True, kw_only=True):
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


class Response(Answer, frozen=True, kw_only=True):
    """What one peer answered to a search. `upload_speed` in bytes/s; locked files can be seen but not had."""

    username: str
    has_free_upload_slot: bool = False
    upload_speed: int = 0
    queue_length: int = 0
    files: tuple[File, ...] = ()
    locked_files: tuple[File, ...] = ()


class EventRow(Answer, frozen=True, kw_only=True):
    """An event as slskd keeps it; `timestamp` is as it came, `data` is JSON text without id, type and timestamp."""

    id: str
    type: str = ""
    timestamp: str = ""
    data: str = ""

    @property
    def at(self) -> datetime | None:
        """When it happened (for a download: when the transfer ended); slskd may leave out that it's UTC."""
        return instant(self.timestamp)

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


def words_of(state: str) -> tuple[str, ...]:
    """The words of a state, such as `Completed, Succeeded`."""
    return tuple(word for part in state.split(",") if (word := part.strip()))


def instant(text: str | None) -> datetime | None:
    """A time as slskd writes it, perhaps without saying that it's UTC; None if it can't be read."""
    try:
        found = msgspec.convert(text, datetime)
    except msgspec.ValidationError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
