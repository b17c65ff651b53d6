"""Folder names taken apart: stretches between dashes and in brackets, and which of their words say nothing."""

from __future__ import annotations

import re
from functools import lru_cache

import msgspec

from worker.matching.names import with_plain_brackets, words
from worker.matching.vocabulary import (
    CATALOGUE,
    CONNECTIVES,
    EDITION,
    FORMAT_NUMBERS,
    FORMAT_WORDS,
    KINDS,
    ORDINAL,
    PLACES,
    SOUNDTRACK,
    YEAR,
    recordings,
)

_BRACKETS = re.compile(r"[\(\[{][^\)\]}]*[\)\]}]?")
_DASH = re.compile(r"\s+[-\u2013\u2014~|]+\s+|\s*_-_\s*")
# Up to the next dash or bracket: "Artist feat. Guest - Album".
_GUESTS = re.compile(
    r"(?<=\S)\s+[(\[]?(?:feat|ft|featuring)\b\.?\s(?:(?!\s[-\u2013\u2014]\s)[^()\[\]])*[)\]]?", re.IGNORECASE
)
_HYPHEN = re.compile(r"-(?![^(\[{]*[)\]}])")
_COMMA = re.compile(r"\s*[,;/]\s*")
_INDEX = re.compile(r"\W*[0-9]{1,3}\s*[.\-)\]_]\s*(?=.*[^\W_])")


class Piece(msgspec.Struct, frozen=True):
    """A stretch of a name.

    `bracket` is what opens it: "" outside brackets, "#" for a folder's own number. `listed` are parts between commas.
    """

    words: tuple[str, ...]
    bracket: str = ""
    listed: tuple[tuple[str, ...], ...] = ()


@lru_cache(maxsize=16_384)
def pieces(name: str) -> tuple[Piece, ...]:
    """A folder's name in its pieces; scene names ("Artist-Album-1999-GRP") too."""
    name = with_plain_brackets(name)
    if " " not in name:
        if name.count("-") >= 2 and (scene := _scene(name)):
            return scene
        name = (name.replace(".", " ") if name.count(".") > 1 else name).replace("_-_", " - ").replace("_", " ")
    indexed = _INDEX.match(name)
    if indexed is None:
        return _stretches(name)
    # The album's number in a row of folders, most likely: "03. Album".
    return (Piece(words(indexed[0]), "#"), *_stretches(name[indexed.end() :]))


def _stretches(name: str) -> tuple[Piece, ...]:
    name = _GUESTS.sub(" ", name)
    found: list[Piece] = []
    start = 0
    for bracketed in _BRACKETS.finditer(name):
        found += map(_piece, _DASH.split(name[start : bracketed.start()]))
        inside = _piece(bracketed[0].strip("()[]{}"), bracketed[0][0])
        # Brackets around nothing may be a title: "( )".
        found.append(inside if inside.words else _piece(bracketed[0]))
        start = bracketed.end()
    found += map(_piece, _DASH.split(name[start:]))
    return tuple(piece for piece in found if piece.words)


def _piece(text: str, bracket: str = "") -> Piece:
    listed = tuple(words(part) for part in _COMMA.split(text)) if _COMMA.search(text) else ()
    return Piece(words(text), bracket, listed)


def _scene(name: str) -> tuple[Piece, ...]:
    parts = [_stretches(part.replace("_", " ").replace(".", " ")) for part in _HYPHEN.split(name)]
    parts = [part for part in parts if part]
    said = [all(is_noise(word) for piece in part for word in piece.words) for part in parts]
    if not any(said[1:]):
        return ()
    # The last part is the group that made it.
    if len(parts) > 3 and not said[-1]:
        parts.pop()
    return tuple(piece for part in parts for piece in part)


@lru_cache(maxsize=16_384)
def is_of_an_edition(word: str) -> bool:
    """Whether a word says only which edition it is, and in what format."""
    return (
        word in FORMAT_WORDS
        or word in EDITION
        or word in FORMAT_NUMBERS
        or YEAR.fullmatch(word) is not None
        or ORDINAL.fullmatch(word) is not None
    )


@lru_cache(maxsize=16_384)
def is_noise(word: str) -> bool:
    """Whether a word says neither whose album it is nor what it's called."""
    return (
        is_of_an_edition(word)
        or word in CONNECTIVES
        or word in SOUNDTRACK
        or word in KINDS
        or bool(recordings((word,)))
    )


@lru_cache(maxsize=16_384)
def is_place(word: str) -> bool:
    """Whether a word, in a folder above an album's, needn't be part of an artist's name."""
    return word in PLACES or is_noise(word) or word.isdecimal() or len(word) == 1


def is_catalogue_number(word: str) -> bool:
    return CATALOGUE.fullmatch(word) is not None
