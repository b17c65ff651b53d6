"""The log and the fold in memory, both peers beside them: a whole story in a few milliseconds, in any order.

It's the fold's own code that decides, wakes and orders; only claiming and storing are played here.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from shared.acquisition.acts import own_delivery
from shared.acquisition.commands import AFTER_THE_END, Command, coalesce_key
from shared.acquisition.fold import fold_one
from shared.acquisition.model import Acquisition, AttemptState, Context
from shared.acquisition.reading import Read
from shared.acquisition.signals import Signal, Unheeded
from shared.acquisition.workspace import Peer, Workspace
from shared.eventlog.event import OPERATOR, REPRISE, Delivery, Event, EventState, Settlement
from shared.eventlog.identity import peer_id, uuid7
from shared.settings.registry import Settings
from shared.sources import interpret
from tests.shared.acquisition.lidarr_side import LidarrSide

_LONGEST = 2000


class World:
    """One log, one fold, both peers. dice: in which order everything happens; without, as it usually goes.

    A second passes with each event, so that a webhook that comes again comes soon, as those of two connections do.
    """

    def __init__(self, side: LidarrSide, dice: Random | None = None, **settings: Any) -> None:
        self.side = side
        self.dice = dice
        self.settings = replace(Settings(), **settings)
        self.work = Workspace(peers={name: Peer(name=name, id=peer_id(name)) for name in ("lidarr", "slskd")})
        self.commands: list[Command] = []
        self.settled: dict[UUID, Settlement] = {}
        self.watching: list[Callable[[], None]] = []
        self.seen: dict[UUID, Acquisition] = {}
        self._now = datetime(2026, 1, 1, tzinfo=UTC)
        self._waiting: list[Event] = []
        self._parked: list[tuple[Event, frozenset[str]]] = []
        self._keys: set[tuple[str, str]] = set()

    # --- what happens ---

    def post(self, *deliveries: Delivery) -> None:
        """Append, as the log does: what is known by its key already is only counted."""
        for one in deliveries:
            if one.dedupe_key is not None and (one.source, one.dedupe_key) in self._keys:
                continue
            if one.dedupe_key is not None:
                self._keys.add((one.source, one.dedupe_key))
            self._waiting.append(Event(uuid7(), one.source, one.type, one.body, self._now, one.correlation_id))

    def ask(self, signal: Signal) -> Settlement:
        """A person's act, folded at once."""
        self.post(own_delivery(signal, source=OPERATOR))
        return self._fold(self._waiting.pop())

    def go_on(self, hears: Callable[[list[Delivery]], list[Delivery]] = list) -> None:
        """Fold events and carry out commands until nothing is left to do. hears: what is heard of what webhooks say."""
        for _ in range(_LONGEST):
            if not self.step(hears):
                return
        raise AssertionError("it goes on and on")

    def step(self, hears: Callable[[list[Delivery]], list[Delivery]] = list) -> bool:
        """Fold one event or carry out one command; False where there is nothing to do."""
        if not self._waiting and not self.commands:
            return False
        if self._waiting and (self.dice is None or self.dice.random() < 0.6 or not self.commands):
            self._fold(self._waiting.pop(self._which()))
        else:
            place = self.dice.randrange(len(self.commands)) if self.dice else 0
            self._perform(self.commands.pop(place))
            self.post(*hears(self.side.take_said()))
        return True

    def observe(self) -> None:
        """Look at both peers, as the clock has us do, until they have nothing more to tell."""
        for _ in range(20):
            known, soulseek = len(self._keys), self.side.soulseek
            self.post(*self.side.rows, *(soulseek.answer_look() if soulseek else ()))
            self.go_on()
            if len(self._keys) == known:
                return
        raise AssertionError("there is always something new")

    # --- what there is ---

    @property
    def acquisitions(self) -> list[Acquisition]:
        return sorted(self.work.acquisitions.values(), key=lambda one: (one.created_at, one.id))

    @property
    def parked(self) -> list[Event]:
        return [event for event, _ in self._parked]

    # --- how ---

    def _which(self) -> int:
        """Any webhook may be folded next, but what we have found or read is folded in its order."""
        if self.dice is None:
            return 0
        place = self.dice.randrange(len(self._waiting))
        if _in_order(self._waiting[place]):
            place = next(number for number, event in enumerate(self._waiting) if _in_order(event))
        return place

    def _fold(self, event: Event) -> Settlement:
        self._now += timedelta(seconds=1)
        meaning = interpret(event)
        unheeded = meaning.reason if isinstance(meaning, Unheeded) else None
        read = Read(event, () if isinstance(meaning, Unheeded) else meaning, event.id, unheeded)
        context = Context(now=self._now, cause=event.id, settings=self.settings, lidarr=True, slskd=True)
        settlement = self.settled[event.id] = fold_one(read, self.work, context)
        if settlement.state is EventState.PARKED:
            self._parked.append((event, frozenset(settlement.waits_for)))
        self._wake()
        self._take_orders()
        for watch in self.watching:
            watch()
        return settlement

    def _wake(self) -> None:
        bound, self.work.bound = self.work.bound, set()
        woken = [event for event, keys in self._parked if keys & bound]
        self._parked = [(event, keys) for event, keys in self._parked if not keys & bound]
        self._waiting += woken

    def _take_orders(self) -> None:
        orders, self.work.orders = self.work.orders, []
        for placed in orders:
            command = placed.order.command
            key = coalesce_key(command)
            if key is None or all(coalesce_key(waiting) != key for waiting in self.commands):
                self.commands.append(command)
        self.commands = [one for one in self.commands if self._has_purpose(one)]

    def _has_purpose(self, command: Command) -> bool:
        known = self.work.acquisitions.get(getattr(command, "acquisition_id", UUID(int=0)))
        return known is None or known.is_active or type(command).__name__ in AFTER_THE_END

    def _perform(self, command: Command) -> None:
        known = self.work.acquisitions.get(getattr(command, "acquisition_id", UUID(int=0)))
        blocked = {
            (attempt.peer, attempt.folder or "")
            for one in self.acquisitions
            if known is not None and one.album_mbid == known.album_mbid
            for attempt in one.attempts
            if attempt.peer and attempt.state is AttemptState.FAILED
        }
        self.post(*self.side.answer(command, known, blocked))


def _in_order(event: Event) -> bool:
    return event.source == REPRISE or event.type.startswith("History")
