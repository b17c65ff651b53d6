"""What an effect is given and what it gives back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar
from uuid import UUID

from shared.acquisition.commands import Command
from shared.acquisition.model import Acquisition, Attempt, AttemptState
from shared.acquisition.signals import Signal
from shared.acquisition.steps import numbered
from shared.acquisition.store import read_acquisitions
from shared.cache import Cache
from shared.errors import StepAside
from shared.eventlog.event import Delivery
from shared.postgres.pool import Connection, Pool
from shared.settings.registry import Settings
from worker.clients.lidarr import LidarrClient
from worker.clients.slskd import SlskdClient
from worker.lease import Claimed


class OfAttempt(Protocol):
    """A command about one attempt of an acquisition."""

    @property
    def acquisition_id(self) -> UUID: ...
    @property
    def attempt(self) -> int: ...


C_contra = TypeVar("C_contra", bound=Command, contravariant=True)


@dataclass(frozen=True, slots=True)
class Tools:
    """What effects work with. A peer is None where it isn't configured; settings gives the values in force.

    outages: since when each peer has been of no use, by the monotonic clock (worker/outages.py).
    """

    pool: Pool
    lidarr: LidarrClient | None
    slskd: SlskdClient | None = None
    settings: Callable[[], Settings] = Settings
    cache: Cache | None = None
    outages: dict[str, float] = field(default_factory=dict)

    async def attempt(self, command: OfAttempt, *states: AttemptState) -> tuple[Acquisition, Attempt] | None:
        """The attempt that a command is about, as it stands now; None where it isn't in one of these states (with none
        named: not open) any more, so that the command has lost its purpose."""
        async with self.pool.acquire() as connection:
            found = await read_acquisitions(connection, [command.acquisition_id])
        attempt = numbered(found[0], command.attempt, *states) if found else None
        return None if attempt is None else (found[0], attempt)

    def need_slskd(self) -> SlskdClient:
        """The client, or StepAside: the command waits until slskd is configured."""
        if self.slskd is None:
            raise StepAside("slskd is not configured: set SLSKD_URL and SLSKD_API_KEY")
        return self.slskd

    def need_lidarr(self) -> LidarrClient:
        """The client, or StepAside: the command waits until Lidarr is configured."""
        if self.lidarr is None:
            raise StepAside("Lidarr is not configured: set LIDARR_URL and LIDARR_API_KEY")
        return self.lidarr


@dataclass(frozen=True, slots=True)
class Found:
    """What an effect found or brought about. All of it enters the log, in order, when the command is settled.

    also runs in that same transaction, for bookkeeping that is no fact (how far a history has been read), and answers
    what follows from it and is one: that enters the log last.
    """

    signals: tuple[Signal, ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    also: Callable[[Connection], Awaitable[Sequence[Signal] | None]] | None = field(default=None)


class Effect(Protocol[C_contra]):
    """The code that performs one kind of command at a peer.

    It looks before it acts, calls claimed.must_outlast() before anything that changes the peer, and is written
    so that performing it twice has the result of once. Raises TryLater, GiveUp or StepAside.
    """

    async def __call__(self, command: C_contra, claimed: Claimed, tools: Tools, /) -> Found: ...
