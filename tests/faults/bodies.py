"""What the load is made of: every kind of webhook, each body of its own so that it can be found again byte for byte."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

_PAYLOADS = Path(__file__).parents[1] / "payloads"
_LIDARR = ("health", "health_restored", "rename", "retag", "test", "application_update", "artist_add", "artist_delete")
_SLSKD = ("noop", "private_message_received", "room_message_received", "soulseek_client_connected")
# One that is byte for byte the same for ever (as Lidarr's is), so only its number can be checked.
_IMPORT_FAILURE = (_PAYLOADS / "lidarr" / "import_failure.json").read_bytes()


@dataclass(frozen=True, slots=True)
class Body:
    """The exact bytes of a webhook, and the source that sends them."""

    source: str
    content: bytes


class Bodies:
    """Makes bodies that need no album: kept, interpreted and settled like every other."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._numbers = count(1)
        self._templates = [
            *(("lidarr", json.loads((_PAYLOADS / "lidarr" / f"{name}.json").read_text())) for name in _LIDARR),
            *(("slskd", json.loads((_PAYLOADS / "slskd" / f"{name}.json").read_text())) for name in _SLSKD),
        ]

    def next(self, *, padding: int = 0) -> Body:
        """A body; `padding` bytes make it larger."""
        number = next(self._numbers)
        chance = self._random.random()
        if chance < 0.01:
            return Body("lidarr", _IMPORT_FAILURE)
        if chance < 0.03:
            return Body("slskd", b"\xff\x00 no JSON at all, number %d" % number)
        source, template = self._random.choice(self._templates)
        content: dict[str, Any] = {**template, "number": number, "padding": "x" * padding}
        if source == "slskd":
            content["id"] = str(uuid4())
        if content.get("eventType") == "ArtistAdd":
            content["artist"] = {**content["artist"], "id": number}
        return Body(source, json.dumps(content).encode())
