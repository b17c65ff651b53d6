"""Titles of tracks: which words count, and how alike two of them are."""

from __future__ import annotations

import re
from functools import lru_cache

import msgspec

from worker.matching.names import likeness, numbers, place, with_plain_brackets, without_stops, words
from worker.matching.scripts import latin, sound
from worker.matching.vocabulary import EDITION, FORMAT_WORDS, NO_TITLE, ORDINAL, YEAR, recordings

ALIKE = 0.75
# Between titles in the same place less will do.
ALIKE_IN_PLACE = 0.5
_GUEST = re.compile(r"[\s\(\[]+(?:feat|ft|featuring|w/|with(?=[^\)\]]*[\)\]]))[.\s]+[^\)\]]*[\)\]]?", re.IGNORECASE)
_BRACKETED = re.compile(r"[\(\[{]([^\)\]}]*)[\)\]}]")
_AFTER_DASH = re.compile(r"\s+[-\u2013\u2014]\s+")
_MIX_OF_A_YEAR = frozenset({"mix", "mono", "stereo", "version", "original", "single", "album", "radio", "edit"})
_IDLE = EDITION | FORMAT_WORDS | _MIX_OF_A_YEAR


class Title(msgspec.Struct, frozen=True):
    """A title without guests and editions: its words, the same joined, its numbers, and which recording it is of."""

    words: tuple[str, ...]
    key: str
    numbers: frozenset[str]
    recordings: frozenset[str]

    @property
    def says_something(self) -> bool:
        """Whether it's more than "Track 7" or "Untitled"."""
        return any(word not in NO_TITLE and not word.isdecimal() for word in self.words)

    def after(self, run: tuple[str, ...]) -> Title | None:
        """The title without these first words, if it begins with them and goes on."""
        if self.words[: len(run)] != run or len(self.words) == len(run):
            return None
        rest = self.words[len(run) :]
        return Title(rest, "".join(rest), numbers(rest), self.recordings)


@lru_cache(maxsize=65_536)
def read_title(text: str) -> Title:
    """A title from what a release or a file calls it."""
    text = with_plain_brackets(text)
    text = _GUEST.sub(" ", text) if "(" in text or "[" in text or "t" in text else text
    kinds: frozenset[str] = frozenset()
    if "(" in text or "[" in text or "{" in text:
        for found in _BRACKETED.findall(text):
            inside = words(found)
            if spoken_of := recordings(inside):
                kinds |= spoken_of
            elif not _is_idle(inside):
                continue
            text = text.replace(found, "")
    main, *after = _AFTER_DASH.split(text)
    for part in after:
        inside = words(part)
        if main and (spoken_of := recordings(inside)) and len(inside) <= 6:
            kinds |= spoken_of
        elif not _is_idle(inside):
            main = f"{main} {part}"
    found_words = without_stops(words(main)) or without_stops(words(text))
    return Title(found_words, "".join(found_words), numbers(found_words), kinds)


def _is_idle(inside: tuple[str, ...]) -> bool:
    return all(word in _IDLE or YEAR.fullmatch(word) or ORDINAL.fullmatch(word) for word in inside)


def resemblance(one: Title, other: Title, excused: frozenset[str]) -> float:
    """How alike two titles are, from 0 to 1; 0 when they are of different recordings or parts.

    excused: recordings that make no difference, because the album is of that kind.
    """
    if one.recordings != other.recordings and (one.recordings ^ other.recordings) - excused:
        return 0.0
    if one.key == other.key:
        return 1.0
    if one.numbers != other.numbers and not (one.numbers <= other.numbers or other.numbers <= one.numbers):
        return 0.0
    alike = max(likeness(one.key, other.key), _shared(one, other))
    short, long = (one, other) if len(one.key) <= len(other.key) else (other, one)
    if alike < 1 and len(short.key) > 3 and place(short.words, long.words) is not None:
        alike = max(alike, 0.6 + 0.4 * len(short.key) / len(long.key))
    if alike < ALIKE and not (one.key.isascii() and other.key.isascii()):
        readings = latin(one.key), latin(other.key)
        if readings[0] is not None and readings[1] is not None:
            alike = max(alike, likeness(sound(readings[0]), sound(readings[1])))
    if alike >= ALIKE_IN_PLACE:
        apart = tuple(word for word in one.words if word not in other.words)
        apart += tuple(word for word in other.words if word not in one.words)
        if recordings(apart) - excused:
            return 0.0
    # "Song" and "Song, Part 2" are only one when they stand in the same place.
    return alike if one.numbers == other.numbers else min(alike, 0.95 * ALIKE)


def comparable(one: Title, other: Title) -> bool:
    """Whether two titles could be told to differ: both say something, in scripts that can be read alike."""
    if not (one.says_something and other.says_something):
        return False
    if one.key.isascii() and other.key.isascii():
        return True
    return (latin(one.key) is None) == (latin(other.key) is None)


def _shared(one: Title, other: Title) -> float:
    left, right = set(one.words), set(other.words)
    weight = sum(len(word) for word in left & right)
    return 2 * weight / (sum(map(len, left)) + sum(map(len, right)) or 1) if weight > 3 else 0.0
