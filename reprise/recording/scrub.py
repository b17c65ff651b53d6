"""Scrub a whole request or answer: its path, query, headers and body, field by field."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

import msgspec

from reprise.recording.fields import Kind, is_known, is_secret, kind_of, names_a_person
from reprise.recording.form import Body
from reprise.recording.redaction import Redaction
from reprise.recording.vocabulary import of_the_trade

# Headers that tell something and belong to nobody, where they look as they should.
_HEADERS = {
    "content-type": re.compile(r"[\w.+-]+/[\w.+-]+(?:; ?charset=[\w-]+)?$"),
    "x-total-count": re.compile(r"\d{1,20}$"),
    "retry-after": re.compile(r"\d{1,10}$"),
    "user-agent": re.compile(r"(?:Lidarr|slskd|Reprise)/[\w.+-]{1,40}(?: \([\w. -]{1,60}\))?$"),
}
# Headers of which it may be seen that they were there.
_SHOWN = frozenset({"x-api-key", "authorization", "x-webhook-secret", "cookie", "set-cookie"})
_SHAPES = {
    Kind.TERM: re.compile(r"""[A-Za-z0-9\["][A-Za-z0-9 \]"'+-]{0,40}(?:, ?[A-Za-z]{1,40}){0,3}$"""),
    Kind.FIGURE: re.compile(r"-?\d{1,20}(?:\.\d{1,20})?$"),
    Kind.VERSION: re.compile(r"[A-Da-dv]?\d[\w.+-]{0,40}$"),
}
_LONGEST_TEXT = 64 * 1024


class Scrubber:
    """Scrubs everything of one recording, so that what matched before still does."""

    def __init__(self, redaction: Redaction) -> None:
        self._redaction = redaction

    def path(self, raw: str) -> str:
        """A request's path, still encoded."""
        segments = [unquote(segment) for segment in raw.split("/")]
        before = ["", *segments]
        return "/".join(
            quote(self._segment(segment, after=after, files="files" in segments[:place]), safe="@:,'()!~")
            for place, (segment, after) in enumerate(zip(segments, before, strict=False))
        )

    def query(self, raw: str) -> list[tuple[str, str]]:
        """A request's query."""
        return [
            (self._key(name), self._text(value, kind_of(name)))
            for name, value in parse_qsl(raw, keep_blank_values=True)
        ]

    def headers(self, headers: Iterable[tuple[str, str]]) -> dict[str, str]:
        """What may be seen of the headers; of those that prove who one is, that they were there."""
        kept = {}
        for name, value in headers:
            lower = name.lower()
            if lower in _SHOWN or is_secret(name):
                masked = self._credential(value)
                if lower in _SHOWN:
                    kept[lower] = masked
            elif lower == "location":
                kept[lower] = self._redaction.name(value)
            elif (shape := _HEADERS.get(lower)) is not None and shape.match(value):
                kept[lower] = value
        return kept

    def body(self, content: bytes, *, path: str) -> Body | None:
        """A body, as JSON where it is; None when it is empty. What is neither JSON nor a short text is withheld."""
        if not content:
            return None
        try:
            found = msgspec.json.decode(content)
            kind = Kind.MESSAGE if isinstance(found, str) else Kind.OTHER
            return Body(json=self._value(found, kind=kind, within="command" if "/command" in path else ""))
        except RecursionError:
            return Body(withheld_bytes=len(content))
        except (msgspec.DecodeError, UnicodeDecodeError):
            return self._text_body(content)

    def _text_body(self, content: bytes) -> Body:
        try:
            text = content[: _LONGEST_TEXT + 1].decode()
        except UnicodeDecodeError:
            text = ""
        if not text or len(content) > _LONGEST_TEXT:
            return Body(withheld_bytes=len(content))
        return Body(text=self._redaction.message(text))

    def _segment(self, segment: str, *, after: str, files: bool) -> str:
        if names_a_person(segment, after=after):
            return self._redaction.person(segment)
        if not segment or segment.isdecimal() or all(map(of_the_trade, re.split(r"[-_.]", segment))):
            return segment
        if files and (plain := _from_base64(segment)) is not None:
            return _to_base64(self._redaction.name(plain.removeprefix("././").removeprefix("./")))
        return self._redaction.name(segment)

    def _value(self, value: Any, *, kind: Kind, within: str) -> Any:
        match value:
            case str():
                return self._text(value, kind, within)
            case dict():
                return {self._key(name): self._field(name, one, value, kind, within) for name, one in value.items()}
            case list():
                return [self._value(one, kind=kind, within=within) for one in value]
            case int() | float() if kind is Kind.SECRET and not isinstance(value, bool):
                return 0
            case _:
                return value

    def _field(self, name: str, value: Any, whole: dict[str, Any], above: Kind, within: str) -> Any:
        """One field of an object; with `name` or `key` beside it, a `value` is what these say."""
        kind = Kind.SECRET if above is Kind.SECRET else kind_of(name, within)
        if name == "value" and ("key" in whole or _keeps_a_secret(whole.get("name"))):
            kind = Kind.SECRET
        return self._value(value, kind=kind, within=name)

    def _key(self, name: str) -> str:
        return name if is_known(name) else self._redaction.name(name)

    def _text(self, text: str, kind: Kind, within: str = "") -> str:
        if kind is Kind.SECRET:
            return self._redaction.mask(text)
        if text[:1] in ("{", "[") and (inner := _from_json(text)) is not None:
            return msgspec.json.encode(self._value(inner, kind=kind, within=within)).decode()
        if (shape := _SHAPES.get(kind)) is not None and shape.match(text):
            return self._redaction.term(text) if kind is Kind.TERM else text
        match kind:
            case Kind.LABEL:
                return self._redaction.label(text)
            case Kind.MESSAGE:
                return self._redaction.message(text)
            case Kind.PERSON:
                return self._redaction.person(text)
            case _:
                return text if text in ("true", "false") else self._redaction.name(text, public=kind is Kind.NAME)

    def _credential(self, value: str) -> str:
        """The mask of what a header showed; its parts are remembered, too."""
        _, _, bare = value.partition(" ")
        self._redaction.protect(bare)
        if (login := _from_base64(bare)) is not None and ":" in login:
            self._redaction.protect(login.partition(":")[2])
        return self._redaction.mask(value)


def _keeps_a_secret(name: Any) -> bool:
    """Whether a setting of a connection is one, as in {"name": "password", "value": "…"}."""
    return isinstance(name, str) and (is_secret(name) or name.lower() == "headers")


def _from_json(text: str) -> Any:
    """What a text of JSON holds, or None."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError):
        return None


def _to_base64(path: str) -> str:
    """A path in base64 without a slash, as slskd can be told: if need be by a detour."""
    spellings = [base64.b64encode(f"{detour}{path}".encode()).decode() for detour in ("", "./", "././")]
    return next((spelling for spelling in spellings if "/" not in spelling), spellings[0])


def _from_base64(text: str) -> str | None:
    """The text that was written in base64 of either alphabet, or None."""
    try:
        return base64.b64decode(text.translate(str.maketrans("-_", "+/")), validate=True).decode() or None
    except (binascii.Error, ValueError):
        return None
