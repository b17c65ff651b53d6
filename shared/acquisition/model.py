"""The nouns of acquisition: frozen values that the rules take and give back."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

import msgspec

from shared.acquisition.candidate import WantedFile
from shared.acquisition.commands import Command
from shared.settings.registry import Settings


class State(StrEnum):
    """Where an acquisition, and with it each of its active jobs, stands."""

    PENDING = "pending"
    SEARCHING = "searching"
    DOWNLOADING = "downloading"
    IMPORTING = "importing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


TERMINAL = frozenset({State.COMPLETED, State.FAILED, State.CANCELLED})
ACTIVE = frozenset(State) - TERMINAL


class AttemptState(StrEnum):
    """Where one attempt stands. The first three are open."""

    SEARCHING = "searching"
    DOWNLOADING = "downloading"
    IMPORTING = "importing"
    COMPLETED = "completed"
    FAILED = "failed"
    ABANDONED = "abandoned"


OPEN_ATTEMPT = frozenset({AttemptState.SEARCHING, AttemptState.DOWNLOADING, AttemptState.IMPORTING})


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One try at one candidate of one source. grab_history_id tells two grabs of one download id apart.

    searched_at: when its search began; None while it waits for its turn. peer, folder and files: what Soulseek's
    candidate is. leftovers: what became of the files that it left behind. reason: why it ended, or what it waits for.
    """

    number: int
    source: str
    state: AttemptState
    started_at: datetime
    foreign_grab: bool = False
    download_id: str | None = None
    release_title: str | None = None
    indexer: str | None = None
    size_bytes: int | None = None
    files_arrived: int = 0
    grab_seen: bool = False
    grab_history_id: int | None = None
    end_history_id: int | None = None
    reason: str | None = None
    searched_at: datetime | None = None
    grabbed_at: datetime | None = None
    finished_at: datetime | None = None
    peer: str | None = None
    folder: str | None = None
    files: tuple[WantedFile, ...] = ()
    leftovers: str | None = None

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_ATTEMPT

    @property
    def arrived(self) -> tuple[WantedFile, ...]:
        """The files that slskd has moved into its downloads folder."""
        return tuple(file for file in self.files if file.local is not None)

    @property
    def is_handed_over(self) -> bool:
        """Whether all of its files came from Soulseek, so that Lidarr was asked to import them."""
        return bool(self.files) and len(self.arrived) == len(self.files)

    def wants(self, username: str, filename: str) -> bool:
        """Whether this is a file of the attempt's candidate."""
        return self.peer == username and any(file.filename == filename for file in self.files)


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody asked for: one user, one album, maybe one batch."""

    id: UUID
    user_id: str
    origin: str
    album_mbid: UUID
    artist_name: str
    album_title: str
    batch_id: UUID | None
    acquisition_id: UUID
    state: State
    created_at: datetime
    reason: str | None = None
    finished_at: datetime | None = None

    @property
    def is_active(self) -> bool:
        return self.state in ACTIVE


class Acquisition(msgspec.Struct, frozen=True, kw_only=True):
    """The work of getting one album, with its attempts (by number) and its jobs. sequence counts decisions."""

    id: UUID
    album_mbid: UUID
    artist_name: str
    album_title: str
    origin: str
    created_at: datetime
    updated_at: datetime
    artist_mbid: UUID | None = None
    state: State = State.PENDING
    reason: str | None = None
    budget_from: int = 0
    budget_spent: bool = False
    lidarr_album_id: int | None = None
    history_floor: int | None = None
    sequence: int = 0
    finished_at: datetime | None = None
    attempts: tuple[Attempt, ...] = ()
    jobs: tuple[Job, ...] = ()

    @property
    def is_active(self) -> bool:
        return self.state in ACTIVE

    @property
    def driven(self) -> bool:
        """Whether we drive it; an album that Lidarr got by itself is only watched."""
        return self.origin == "asked"

    @property
    def open_attempts(self) -> tuple[Attempt, ...]:
        return tuple(attempt for attempt in self.attempts if attempt.is_open)

    @property
    def current(self) -> Attempt | None:
        """The newest open attempt."""
        return next((attempt for attempt in reversed(self.attempts) if attempt.is_open), None)


class Order(NamedTuple):
    """A command to be carried out, not before delay_s seconds from now."""

    command: Command
    delay_s: float = 0.0


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule may know besides subject and signal: the clock, the settings, what is configured.

    cause is the event that entities made by this decision are named after: a replay has its original here.
    """

    now: datetime
    cause: UUID
    settings: Settings
    lidarr: bool
    slskd: bool = False


class Outcome(msgspec.Struct, frozen=True):
    """What a rule decided. applied False: the signal changes nothing, and reason says why."""

    after: Acquisition
    applied: bool
    reason: str | None = None
    orders: tuple[Order, ...] = ()


def plain_case(download_id: str) -> str:
    """A download id without its case: of ASCII alone, for lower() of other letters differs from server to server."""
    return download_id.encode().lower().decode()


def same_download(one: str | None, other: str | None) -> bool:
    """Whether two download ids mean one download; peers write the same id in several cases. Absent is never equal."""
    return one is not None and other is not None and plain_case(one) == plain_case(other)
