"""Whether a call is one that was recorded, though the ids that a caller makes up, and dates, are new every time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

import msgspec

from reprise.recording.form import Exchange

_GUID = r"(?<![^\W_])[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?![^\W_])"
_MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?"
_GUIDS = re.compile(_GUID)
_VARYING = re.compile(f"({_GUID}|{_MOMENT})")

Query = Sequence[tuple[str, str]]
Bound = Mapping[str, str]
"""Recorded ids by ids of the caller."""


class Identities:
    """Which id of the caller stands for which recorded one.

    An id that the recording knows stands for itself. Any other, such as that of a search which the caller named anew,
    takes the place of the recorded one in whose place it first stands.
    """

    def __init__(self, exchanges: Iterable[Exchange]) -> None:
        texts = (msgspec.json.encode(one).decode() for one in exchanges)
        self._recorded = {found.lower() for text in texts for found in _GUIDS.findall(text)}
        self._recorded_of: dict[str, str] = {}
        self._live_of: dict[str, str] = {}

    def match(self, recorded: Exchange, method: str, path: str, query: Query) -> Bound | None:
        """What must be remembered if this is that call; None if it isn't."""
        if recorded.method != method or len(recorded.query) != len(query):
            return None
        bound: dict[str, str] = {}
        pairs = zip(_in_order(recorded.path, recorded.query), _in_order(path, query), strict=True)
        return bound if all(self._same(one, other, bound) for one, other in pairs) else None

    def remember(self, bound: Bound) -> None:
        """From now on these ids of the caller stand for those recorded ones."""
        for live, recorded in bound.items():
            self._recorded_of[live] = recorded
            self._live_of[recorded] = live

    def learn(self, recorded: Any, live: Any) -> None:
        """Remember the new ids of a body, which stand where a recorded one has others."""
        match recorded, live:
            case str(), str():
                bound: dict[str, str] = {}
                if self._same(recorded, live, bound):
                    self.remember(bound)
            case dict(), dict():
                for name in recorded.keys() & live.keys():
                    self.learn(recorded[name], live[name])
            case list(), list():
                for one, other in zip(recorded, live, strict=False):
                    self.learn(one, other)
            case _:
                pass

    def to_caller(self, text: str) -> str:
        """A recorded text with the caller's own ids in it."""
        return _GUIDS.sub(lambda found: self._live_of.get(found[0].lower(), found[0]), text)

    def _same(self, recorded: str, live: str, bound: dict[str, str]) -> bool:
        ours, theirs = _VARYING.split(recorded), _VARYING.split(live)
        if len(ours) != len(theirs):
            return False
        return all(
            self._stands_for(one.lower(), other.lower(), bound) if place % 2 else one == other
            for place, (one, other) in enumerate(zip(ours, theirs, strict=True))
        )

    def _stands_for(self, recorded: str, live: str, bound: dict[str, str]) -> bool:
        if not (_GUIDS.match(recorded) and _GUIDS.match(live)):
            return not (_GUIDS.match(recorded) or _GUIDS.match(live))  # two dates, whichever
        if (known := self._recorded_of.get(live, bound.get(live))) is not None:
            return known == recorded
        if live in self._recorded:
            return live == recorded
        if recorded in self._live_of or recorded in bound.values():
            return False
        bound[live] = recorded
        return True


def alike(recorded: Any, live: Any) -> bool:
    """Whether two bodies differ in ids and dates alone."""
    return bool(_without_varying(recorded) == _without_varying(live))


def _without_varying(body: Any) -> Any:
    return msgspec.json.decode(_VARYING.sub("", msgspec.json.encode(body).decode()))


def _in_order(path: str, query: Query) -> Iterator[str]:
    """Path, names and values; the order of different names means nothing."""
    yield unquote(path)
    for name, value in sorted(query, key=lambda pair: pair[0].lower()):
        yield name.lower()
        yield value
