"""The course of a recording: which answer comes next, and which webhook is due."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import UNSET

from reprise.recording.form import Exchange, Recording
from reprise.recording.matching import Bound, Identities, Query, alike

Found = list[tuple[int, Bound]]


class Script:
    """Follows a caller through a recording.

    Acts and webhooks are its milestones. Looks between two of them are answered in the order in which they were
    recorded there, the last answer again and again; once a milestone is passed, never by what was before it, if there
    is anything later. So a caller may look more or less often than when it was recorded.
    """

    def __init__(self, recording: Recording) -> None:
        self._exchanges = recording.exchanges
        self._milestones = [place for place, one in enumerate(self._exchanges) if not one.looks]
        self._done: set[int] = set()
        self._reached = -1
        self.identities = Identities(self._exchanges)

    def answer(self, method: str, path: str, query: Query, body: Any = None) -> Exchange | None:
        """The recorded call that this is, or None; an act is answered as often as it was recorded."""
        looks = method in ("GET", "HEAD")
        found = [
            (place, bound)
            for place, one in enumerate(self._exchanges)
            if one.direction == "call"
            and one.looks == looks
            and (looks or place not in self._done)
            and (bound := self.identities.match(one, method, path, query)) is not None
        ]
        if not found:
            return None
        place, bound = self._look(found) if looks else self._act(found, body)
        chosen = self._exchanges[place]
        self._done.add(place)
        self.identities.remember(bound)
        if not looks:
            self._reached = max(self._reached, place)
            self.identities.learn(_json(chosen), body)
        return chosen

    def due(self) -> Exchange | None:
        """The next webhook, once every act that came before it was done, or a later one."""
        for place in self._milestones:
            if place in self._done:
                continue
            if self._exchanges[place].direction == "webhook":
                return self._exchanges[place]
            if place > self._reached:
                return None
        return None

    def waits_for_looks(self, webhook: Exchange) -> bool:
        """Whether something that was looked at just before this webhook hasn't been looked at yet."""
        place = self._exchanges.index(webhook)
        begins = max((one for one in self._milestones if one < place), default=-1)
        between = range(begins + 1, place)
        seen = {_looked_at(self._exchanges[one]) for one in between if one in self._done}
        return not seen.issuperset(_looked_at(self._exchanges[one]) for one in between)

    def sent(self, webhook: Exchange) -> None:
        """Take note that a webhook was sent."""
        place = self._exchanges.index(webhook)
        self._done.add(place)
        self._reached = max(self._reached, place)

    @property
    def left(self) -> Sequence[Exchange]:
        """The acts that nobody did, and the webhooks that weren't sent."""
        return [self._exchanges[place] for place in self._milestones if place not in self._done]

    def _act(self, found: Found, body: Any) -> tuple[int, Bound]:
        same = (one for one in found if alike(_json(self._exchanges[one[0]]), body))
        return next(same, found[0])

    def _look(self, found: Found) -> tuple[int, Bound]:
        ahead = next((place for place in self._milestones if place > self._reached), len(self._exchanges))
        seen = [one for one in found if one[0] < ahead]
        if not seen:
            return found[0]
        last = seen[-1][0]
        begins = max((place for place in self._milestones if place < last), default=-1)
        fresh = (one for one in seen if one[0] > begins and one[0] not in self._done)
        return next(fresh, seen[-1])


def _looked_at(exchange: Exchange) -> tuple[str, tuple[str, ...]]:
    return exchange.path, tuple(name for name, _ in exchange.query)


def _json(exchange: Exchange) -> Any:
    if exchange.body is None or exchange.body.json is UNSET:
        return None
    return exchange.body.json
