"""What an effect is given and what it gives back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from shared.acquisition.commands import Command
from shared.acquisition.signals import Signal
from shared.errors import StepAside
from shared.eventlog.event import Delivery
from shared.postgres.pool import Connection, Pool
from worker.clients.lidarr import LidarrClient
from worker.lease import Claimed

C_contra = TypeVar("C_contra", bound=Command, contravariant=True)


@dataclass(frozen=True, slots=True)
class Tools:
    """What effects work with. lidarr is None where no Lidarr is configured."""

    pool: Pool
    lidarr: LidarrClient | None

    def need_lidarr(self) -> LidarrClient:
        """The client, or StepAside: the command waits until Lidarr is configured."""
        if self.lidarr is None:
            raise StepAside("Lidarr is not configured: set LIDARR_URL and LIDARR_API_KEY")
        return self.lidarr


@dataclass(frozen=True, slots=True)
class Found:
    """What an effect found or brought about. All of it enters the log, in order, when the command is settled.

    also runs in that same transaction, for bookkeeping that is no fact (how far a history has been read).
    """

    signals: tuple[Signal, ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    also: Callable[[Connection], Awaitable[None]] | None = field(default=None)


class Effect(Protocol[C_contra]):
    """The code that performs one kind of command at a peer.

    It looks before it acts, calls claimed.must_outlast() before anything that changes the peer, and is written
    so that performing it twice has the result of once. Raises TryLater, GiveUp or StepAside.
    """

    async def __call__(self, command: C_contra, claimed: Claimed, tools: Tools, /) -> Found: ...
