"""Keep secrets out of log lines, whichever way they came in: by name, inside a text, inside a traceback."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, MutableMapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from shared.config import Secret

MASK = "***"

_SECRET_NAME = re.compile(
    r"(?:^|[_\-.])(?:pass(?:word|wd)?|secret|token|api[_-]?key|secret[_-]?key|authorization|cookie|credential)s?"
    r"(?:$|[_\-.])",
    re.IGNORECASE,
)
# A fencing token is a number that everybody may see.
_HARMLESS_NAMES = frozenset({"fencing_token"})
# Shorter secrets are masked only where they are the whole value: without every "a" no log could be read.
_SHORTEST_INSIDE = 4
_DEEPEST = 6


@lru_cache(maxsize=1024)
def _names_a_secret(name: str) -> bool:
    return name not in _HARMLESS_NAMES and _SECRET_NAME.search(name) is not None


def _shapes(secret: str) -> tuple[str, ...]:
    """How a secret may be written inside another text."""
    return (
        secret,
        repr(secret)[1:-1],
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        quote(secret, safe=""),
        quote(secret),
    )


class Redactor:
    """A structlog processor that masks known secrets, and values whose names say that they are secret.

    It also leaves nothing but plain JSON values behind, so that no `repr` runs after it.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._whole: set[str] = set()
        self._inside: re.Pattern[str] | None = None
        self.protect(*secrets)

    def protect(self, *secrets: str) -> None:
        """Mask these values from now on, too (secrets that were made or changed after start)."""
        self._whole.update(secret for secret in secrets if secret)
        shapes = {shape for secret in self._whole if len(secret) >= _SHORTEST_INSIDE for shape in _shapes(secret)}
        # The longest first, so that a secret that contains another is masked whole.
        ordered = sorted(shapes, key=len, reverse=True)
        self._inside = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def text(self, value: str) -> str:
        """`value` with every known secret masked."""
        if value in self._whole:
            return MASK
        return self._inside.sub(MASK, value) if self._inside else value

    def __call__(self, logger: Any, method: str, event_dict: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        return {key: self._named(key, value, 0) for key, value in event_dict.items()}

    def _named(self, name: str, value: object, depth: int) -> object:
        if value is not None and _names_a_secret(name):
            return MASK
        return self._plain(value, depth)

    def _plain(self, value: object, depth: int) -> object:
        if value is None or isinstance(value, bool | int):
            return value
        if isinstance(value, float):
            return value if math.isfinite(value) else str(value)
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Secret):
            return MASK
        if depth < _DEEPEST:
            if isinstance(value, Mapping):
                return {self.text(str(k)): self._named(str(k), v, depth + 1) for k, v in value.items()}
            if isinstance(value, list | tuple | set | frozenset):
                return [self._plain(item, depth + 1) for item in value]
        return self.text(str(value))
