"""Searches of a simulated slskd: two at a time, answered only when they have ended."""

from __future__ import annotations

import uuid
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

import msgspec

from reprise.simulator.clock import Clock, ticks
from reprise.simulator.knobs import Json
from reprise.simulator.pace import Pace
from reprise.simulator.slskd.network import Network

AT_ONCE = 2
# Peers take about a second to answer; whoever gives seconds where milliseconds are meant gets nothing.
FIRST_ANSWER_MS = 1000


class Ban(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Knob `ban`: the Soulseek server throws us out when more than `searches` begin within `seconds`."""

    searches: int = 34
    seconds: float = 220


@dataclass(slots=True, kw_only=True, eq=False)
class Search:
    id: str
    text: str
    token: int
    started_at: datetime
    options: Json
    state: str = "Queued"
    ended_at: datetime | None = None
    responses: list[Json] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        return self.state.startswith("Completed")

    def to_json(self, *, responses: bool = False) -> Json:
        shown: Json = {
            "fileCount": sum(one["fileCount"] for one in self.responses),
            "id": self.id,
            "isComplete": self.complete,
            "lockedFileCount": sum(one["lockedFileCount"] for one in self.responses),
            "responseCount": len(self.responses),
            "responses": self.responses if responses else [],
            "searchText": self.text,
            "startedAt": ticks(self.started_at),
            "state": self.state,
            "token": self.token,
        }
        return shown if self.ended_at is None else {"endedAt": ticks(self.ended_at)} | shown


class Searches:
    """Every search by id; those past the second wait in line."""

    def __init__(self, clock: Clock, pace: Pace, network: Network) -> None:
        self._clock = clock
        self._pace = pace
        self._network = network
        self.reset()

    def reset(self) -> None:
        self.all: dict[str, Search] = {}
        self.ban: Ban | None = None
        self.banned = False
        self.most_at_once = 0
        self.begun_at: deque[datetime] = deque()
        self._line: deque[Search] = deque()

    @property
    def running(self) -> int:
        return sum(one.state == "InProgress" for one in self.all.values())

    def start(self, text: str, options: Json, *, id: str | None) -> Search:
        search = Search(
            id=id or str(uuid.uuid4()),
            text=text,
            token=len(self.all) + 1,
            started_at=self._clock.now(),
            options=options,
        )
        self.all[search.id] = search
        self._line.append(search)
        self._proceed()
        return search

    def fail(self, text: str, *, id: str | None) -> None:
        """Keep the record that slskd keeps of a search it couldn't start."""
        search = Search(id=id or str(uuid.uuid4()), text=text, token=0, started_at=self._clock.now(), options={})
        search.state, search.ended_at = "Completed, Errored", search.started_at
        self.all[search.id] = search

    def stop(self, search: Search) -> None:
        if not search.complete:
            self._end(search, "Completed, Cancelled")

    def _proceed(self) -> None:
        while self._line and self.running < AT_ONCE:
            search = self._line.popleft()
            if search.complete:
                continue
            search.state = "InProgress"
            self.most_at_once = max(self.most_at_once, self.running)
            self._count()
            self._pace.schedule(partial(self._answer, search))

    def _count(self) -> None:
        now = self._clock.now()
        self.begun_at.append(now)
        if self.ban is not None:
            since = now - timedelta(seconds=self.ban.seconds)
            self.banned = self.banned or sum(at > since for at in self.begun_at) > self.ban.searches

    async def _answer(self, search: Search) -> None:
        if search.complete:
            return
        limit = int(search.options.get("responseLimit") or 250)
        files = int(search.options.get("fileLimit") or 25_000)
        fewest = int(search.options.get("minimumResponseFileCount") or 1)
        patient = int(search.options.get("searchTimeout") or 15_000) >= FIRST_ANSWER_MS
        found = self._network.search(search.text) if patient and not self.banned else []
        found = [one for one in found if one["fileCount"] + one["lockedFileCount"] >= fewest]
        taken: list[Json] = []
        end = "Completed, TimedOut"
        for response in found:
            taken.append(response | {"token": search.token})
            if sum(one["fileCount"] for one in taken) >= files:
                end = "Completed, FileLimitReached"
                break
            if len(taken) >= limit:
                end = "Completed, ResponseLimitReached"
                break
        search.responses = taken
        self._end(search, end)

    def _end(self, search: Search, state: str) -> None:
        search.state, search.ended_at = state, self._clock.now()
        self._proceed()
