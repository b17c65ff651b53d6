"""What a recording consists of: a header, then calls and webhooks, each a line of JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

FORMAT = 1

PeerName = Literal["lidarr", "slskd"]
Direction = Literal["call", "webhook"]
"""A call goes from Reprise to the peer, a webhook from the peer to Reprise."""


class Header(Struct, frozen=True, kw_only=True):
    """The first line. `began_at` is UTC; `names` says whether those of the music were kept."""

    reprise_recording: int = FORMAT
    peer: PeerName
    peer_version: str
    reprise_version: str
    names: Literal["scrubbed", "kept"]
    began_at: str


class Body(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A body: JSON, or text, or only how long it was."""

    json: Any = UNSET
    text: str | UnsetType = UNSET
    withheld_bytes: int | UnsetType = UNSET


class Answer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    status: int
    headers: dict[str, str] = {}
    body: Body | None = None


class Exchange(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A request with its answer, or with the fault that came instead; `n` counts requests as they began."""

    n: int
    direction: Direction
    at_s: float
    took_s: float
    method: str
    path: str
    query: list[tuple[str, str]] = []
    headers: dict[str, str] = {}
    body: Body | None = None
    answer: Answer | None = None
    fault: str = ""

    @property
    def looks(self) -> bool:
        """Whether it only looked at the peer."""
        return self.direction == "call" and self.method in ("GET", "HEAD")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A recording that was read; the exchanges in the order in which they began."""

    header: Header
    exchanges: tuple[Exchange, ...]


@dataclass(slots=True, kw_only=True)
class Heard:
    """An exchange as it went over the wire, secrets, names and all; it never leaves the memory."""

    n: int
    direction: Direction
    at_s: float
    method: str
    path: str
    query: str
    headers: list[tuple[str, str]]
    body: bytes = b""
    took_s: float = 0.0
    status: int | None = None
    answer_headers: list[tuple[str, str]] = field(default_factory=list)
    answer_body: bytes = b""
    fault: str = ""


HEADER = msgspec.json.Decoder(Header)
EXCHANGE = msgspec.json.Decoder(Exchange)
