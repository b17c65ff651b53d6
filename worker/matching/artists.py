"""The artist in the names of folders and files."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum

from worker.matching.names import likeness, numbers, place
from worker.matching.pieces import Piece
from worker.matching.scripts import latin, sound
from worker.matching.subject import Subject

_NEARLY = 0.86
_JOINING = frozenset({"and", "feat", "ft", "featuring", "with", "vs", "presents"})


class Artist(IntEnum):
    """How names relate to the wanted artist."""

    SILENT = 0
    HINTED = 1
    NAMED = 2


def find_artist(
    words: tuple[str, ...], piece: Piece, subject: Subject, says_nothing: Callable[[str], bool]
) -> tuple[Artist, int, int]:
    """Whether the artist is named among words of a piece, and from where to where.

    A name of one word must stand apart, but for words that say nothing: "Air" isn't named in "Air Supply".
    """
    if (whole := is_artist(words, subject)) is Artist.NAMED:
        return whole, 0, len(words)
    for name in subject.artists:
        start = place(name.words, words)
        if start is None:
            continue
        end = start + len(name.words)
        if all(says_nothing(word) for word in (*words[:start], *words[end:])):
            return Artist.NAMED if name.certain else Artist.HINTED, start, end
        if name.certain and len(name.words) > 1:
            return Artist.NAMED, start, end
        if not name.certain and name.words in piece.listed:
            return Artist.HINTED, start, end
        if name.certain and is_joined(name.words, piece, subject):
            return Artist.HINTED, 0, len(words)
    return whole, 0, len(words) if whole else 0


def is_artist(words: tuple[str, ...], subject: Subject) -> Artist:
    """Whether these words are the artist's name and nothing else, in any order, nearly or in another script."""
    joined = "".join(words)
    if not joined:
        return Artist.SILENT
    if tuple(sorted(words)) in subject.artist_orders:
        return Artist.NAMED
    for name in subject.artists:
        if joined == name.key:
            return Artist.NAMED if name.certain else Artist.HINTED
    if len(joined) < 5:
        return Artist.SILENT
    for name in subject.artists:
        if name.certain and likeness(joined, name.key) >= _NEARLY and numbers(words) == numbers(name.words):
            return Artist.NAMED
    if not joined.isascii() or not all(name.key.isascii() for name in subject.artists):
        reading = latin(joined)
        if reading is not None and any(likeness(sound(reading), one) >= _NEARLY for one in subject.artist_sounds):
            return Artist.NAMED
    return Artist.SILENT


def is_joined(name: tuple[str, ...], piece: Piece, subject: Subject) -> bool:
    """Whether a word that joins several artists stands beside the name, so that the rest of the piece names others.

    Where the title begins with the artist's name, the rest may as well be another title.
    """
    if subject.title_names_artist:
        return False
    beside = [
        piece.words[index]
        for position, word in enumerate(piece.words)
        for index in (position - 1, position + 1)
        if word in {name[0], name[-1]} and 0 <= index < len(piece.words)
    ]
    return any(word in _JOINING and word not in name for word in beside)
