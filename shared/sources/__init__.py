"""The webhook sources. A new source is one new file here and one line in SOURCES."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import get_args

import msgspec

from shared.acquisition.signals import Signal, Unheeded, decode
from shared.errors import StepAside
from shared.eventlog.event import OPERATOR, REPRISE, Event, Identifies
from shared.sources import lidarr, slskd


@dataclass(frozen=True, slots=True)
class Source:
    """A sender of webhooks: its name in the log, and the two pure readings of what it sends."""

    name: str
    identify: Identifies
    interpret: Callable[[Event], tuple[Signal, ...] | Unheeded]


_LIDARR = Source("lidarr", lidarr.identify, lidarr.interpret)
_SLSKD = Source("slskd", slskd.identify, slskd.interpret)

# By the name in the webhook's address; soulseek is the name people know.
SOURCES: Mapping[str, Source] = MappingProxyType({"lidarr": _LIDARR, "slskd": _SLSKD, "soulseek": _SLSKD})


_SIGNALS = frozenset(signal.__name__ for signal in get_args(Signal))


def interpret(event: Event) -> tuple[Signal, ...] | Unheeded:
    """What an event of any source means: our own carry their signal, the others are read by their source.

    Raises StepAside for one of our own that a newer release has appended: its workers read it, whenever they are back.
    """
    if event.source in (REPRISE, OPERATOR):
        if event.type not in _SIGNALS:
            raise StepAside(f"this release knows no {event.type}; a newer one does")
        try:
            return (decode(event.body),)
        except msgspec.DecodeError as error:
            return Unheeded(f"unreadable: {error}")
    source = SOURCES.get(event.source)
    return Unheeded("unknown source") if source is None else source.interpret(event)
