"""The last look at a line before it is written: what must not be told may stand there in no form whatever."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

_SHORTEST = 6
_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")


class Leaks:
    """Finds texts in every form that a program might give them; texts below six characters are not looked for."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._shapes: set[str] = set()
        self._exact: set[str] = set()
        for text in texts:
            self.add(text)

    def add(self, text: str) -> None:
        if len(text) >= _SHORTEST:
            self._shapes.update(shape.casefold() for shape in _shapes(text))
            self._exact.update(_in_base64(text.encode()))

    def found(self, line: str) -> bool:
        """Whether one of them stands in it."""
        readings = [line.casefold(), _ESCAPED.sub(lambda found: chr(int(found[1], 16)), line).casefold()]
        told = any(shape in reading for shape in self._shapes for reading in readings)
        return told or any(shape in line for shape in self._exact)


def _shapes(text: str) -> Iterator[str]:
    yield text
    yield quote(text, safe="")
    yield quote_plus(text)
    for escaped in (json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]):
        yield escaped
        # JSON within a text of JSON
        yield json.dumps(escaped)[1:-1]


def _in_base64(content: bytes) -> Iterator[str]:
    """What is the same whatever stands before and behind: there are three ways to be cut into triples."""
    for shift in range(3):
        encoded = base64.b64encode(bytes(shift) + content).decode()
        whole = encoded[(0, 2, 3)[shift] : len(encoded) // 4 * 4 - 4]
        if len(whole) >= _SHORTEST:
            yield whole
            yield whole.translate(str.maketrans("+/", "-_"))
