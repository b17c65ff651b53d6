"""Every form in which a text may stand in a file, found without the code that is to be proved."""

from __future__ import annotations

import base64
import codecs
import gzip
import html
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus, unquote


def content(path: Path) -> str:
    """What stands in the file of a recording, unpacked."""
    raw = path.read_bytes()
    return (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("ascii")


def told(texts: Iterable[str], written: str) -> list[str]:
    """Which of the texts can be read out of what was written, in whatever form and case."""
    readings = [reading.casefold() for reading in _readings(written)]
    exact = [written, *readings]
    return [
        text
        for text in texts
        if any(shape.casefold() in reading for shape in _spellings(text) for reading in readings)
        or any(encoded in reading for encoded in _encodings(text) for reading in exact)
    ]


def _readings(written: str) -> Iterator[str]:
    """The file as it is, and what a curious reader would make of it."""
    unescaped = written
    for _ in range(4):
        yield unescaped
        yield unquote(unescaped)
        yield html.unescape(unescaped)
        unescaped = re.sub(r"\\+u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), unescaped).replace(
            "\\\\", "\\"
        )
    for run in re.findall(r"[A-Za-z0-9+/_-]{8,}={0,2}", written):
        bare = run.rstrip("=").translate(str.maketrans("-_", "+/"))
        for shift in range(4):
            cut = bare[shift:]
            cut = cut[: len(cut) // 4 * 4]
            yield base64.b64decode(cut).decode("utf-8", "ignore")


def _spellings(text: str) -> Iterator[str]:
    for spelled in {text, unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text)}:
        yield spelled
        yield quote(spelled, safe="")
        yield quote_plus(spelled)
        yield html.escape(spelled)
        yield json.dumps(spelled)[1:-1]
        yield json.dumps(json.dumps(spelled))[3:-3]
        yield codecs.encode(spelled.encode(), "hex").decode()


def _encodings(text: str) -> Iterator[str]:
    """Base64, however it is aligned; only what is long enough not to stand there by chance."""
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + text.encode()).decode()
        whole = encoded[(0, 2, 3)[shift] : len(encoded) // 4 * 4 - 4]
        if len(whole) >= 5:
            yield whole
            yield whole.translate(str.maketrans("+/", "-_"))
