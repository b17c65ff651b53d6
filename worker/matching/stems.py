"""File names: disc, number and title of a track, and whose it is."""

from __future__ import annotations

import re
from functools import lru_cache

import msgspec

from worker.matching.artists import Artist, find_artist, is_artist
from worker.matching.names import without_stops, words
from worker.matching.pieces import Piece, is_noise, is_of_an_edition
from worker.matching.subject import Subject
from worker.matching.titles import Title, read_title
from worker.matching.vocabulary import VARIOUS

_DASH = re.compile(r"\s+[-\u2013\u2014]+\s+|\s*_-_\s*|\s+[-\u2013\u2014](?=\w)|(?<=\w)[-\u2013\u2014]\s+")
_NUMBER = re.compile(
    r"[\[(#]?(?:"
    r"(?:cd|disc|disk|d)?\s*(?P<disc>[0-9]{1,2})\s*[-._x]\s*(?:track|t)?\s*(?P<of_disc>[0-9]{1,3})"
    r"|(?P<side>[A-Ha-h])-?(?P<of_side>[0-9]{1,2})"
    r"|(?P<number>[0-9]{1,3})"
    r")[\])]?(?![^\W_])[\s.\-_)\]:,]*",
    re.IGNORECASE,
)
_TRAILING = re.compile(r"(.*[^\W\d].*?)[\s.\-_(\[]+([0-9]{2})[)\]]?")
_TRACK_WORD = re.compile(r"(?:audio)?\s*(?:track|titel|piste|pista|traccia)\s*\.?\s*(?=[0-9])", re.IGNORECASE)


class Stem(msgspec.Struct, frozen=True):
    """A file's name: disc and number where it tells them, the stretches of the rest, and the one that had the number.

    Sides of a record count as discs; then `by_side` is set, and numbers begin anew with each.
    """

    parts: tuple[str, ...]
    numbered: str = ""
    disc: int | None = None
    number: int | None = None
    by_side: bool = False


class Named(msgspec.Struct, frozen=True):
    """A file's name seen from the wanted album.

    `titles` are what its title may be, likeliest first; `another` is what stands where an artist would.
    """

    stem: Stem
    titles: tuple[Title, ...]
    artist: Artist
    another: str = ""
    names_album: bool = False


@lru_cache(maxsize=65_536)
def read_stem(text: str, album: str = "") -> Stem:
    """What a file's name tells by itself; `album` is a title that is a number, and no track's: "Adele - 21 - 03"."""
    name = text
    if " " not in name:
        name = name.replace("_-_", " - ").replace("_", " ")
        if " " not in name and name.count(".") > 1:
            name = name.replace(".", " ")
    parts = [part.strip() for part in _DASH.split(name) if part.strip()]
    if " " not in text and len(parts) == 1:
        parts = [part.strip() for part in parts[0].split("-") if part.strip()]
    for index, part in enumerate(parts):
        if index and part == album:
            continue
        cleaned = _TRACK_WORD.sub("", part, count=1)
        match = _NUMBER.match(cleaned)
        # In the middle of a name a single digit is a number only if it stands alone: not in "Artist - 7 Rings".
        if match is None or (index and match.end() < len(cleaned) and len(match[0].strip()) < 2):
            continue
        rest = cleaned[match.end() :].strip()
        others = (*parts[:index], *([rest] if rest else []), *parts[index + 1 :])
        if match["of_disc"]:
            return Stem(others, part, int(match["disc"]), int(match["of_disc"]))
        if match["of_side"]:
            return Stem(others, part, ord(match["side"].lower()) - ord("a") + 1, int(match["of_side"]), by_side=True)
        return Stem(others, part, None, int(match["number"]))
    if parts and (trailing := _TRAILING.fullmatch(parts[-1])):
        return Stem((*parts[:-1], trailing[1].strip()), parts[-1], None, int(trailing[2]))
    return Stem(tuple(parts))


def read_named(text: str, subject: Subject) -> Named:
    """What a file's name tells about the wanted album."""
    stem = read_stem(text, subject.number_title)
    artist, names_album = Artist.SILENT, False
    rest: list[str] = []
    for part in stem.parts[:-1]:
        found = without_stops(words(part))
        joined = "".join(found)
        said = "".join(word for word in found if word in subject.title_words or not is_of_an_edition(word))
        names_album = names_album or joined in subject.title_keys or said in subject.title_keys
        level, _, _ = find_artist(found, Piece(words(part)), subject, is_noise)
        artist = max(artist, level)
        if level is Artist.SILENT and not {joined, said} & subject.title_keys and not _is_idle(found):
            rest.append(part)
    another = rest[0] if rest else ""
    rest += stem.parts[-1:]
    titles = [read_title(" - ".join(rest))]
    if len(rest) > 1:
        titles.append(read_title(rest[-1]))
        if is_artist(without_stops(words(rest[-1])), subject) is Artist.NAMED:
            artist, another = Artist.NAMED, ""
            titles.insert(0, read_title(" - ".join(rest[:-1])))
    if stem.numbered:
        # The number may be the title's own: "99 Luftballons", "1979".
        titles.append(read_title(stem.numbered))
    for name in subject.artists:
        if artist is Artist.SILENT and name.certain and titles[0].words[: len(name.words)] == name.words:
            artist, another = Artist.HINTED, ""
            titles += [without for title in titles if (without := title.after(name.words)) is not None]
    return Named(stem, tuple(dict.fromkeys(titles)), artist, another, names_album)


def _is_idle(found: tuple[str, ...]) -> bool:
    return " ".join(found) in VARIOUS or all(map(is_noise, found)) or all(word.isdecimal() for word in found)
