"""What the names of folders claim: whose album it is, which one, and what sort of recording."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

import msgspec

from worker.matching.artists import Artist, find_artist, is_joined
from worker.matching.leftover import Leftover
from worker.matching.names import likeness, numbers, place, without_stops
from worker.matching.pieces import Piece, is_noise, is_place, pieces
from worker.matching.scripts import latin, sound
from worker.matching.subject import Name, Subject
from worker.matching.vocabulary import VARIOUS, recordings

_NEARLY = 0.84
_NEARLY_APART = 0.6
FIRST = frozenset({"1"})


class Album(IntEnum):
    """How a folder's name relates to the wanted title."""

    ANOTHER_VOLUME = -2
    OTHER = -1
    SILENT = 0
    PART = 1
    MORE = 2
    NEARLY = 3
    NAMED = 4


class Claim(msgspec.Struct, frozen=True):
    """`strange` are words of the album's folder that nothing explains; `above` those of the folder over it."""

    artist: Artist
    album: Album
    recordings: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    years: frozenset[int] = frozenset()
    strange: tuple[str, ...] = ()
    above: tuple[str, ...] = ()
    various: bool = False
    edition: bool = False


class _Flat(msgspec.Struct, frozen=True):
    """A folder's name: its pieces, and all its words with the piece that each stands in."""

    own: tuple[Piece, ...]
    words: tuple[tuple[str, int], ...]


def read_claim(names: Sequence[str], subject: Subject) -> Claim:
    """What the folders down to the album's own claim, seen from the wanted album."""
    claim = _read_own(_flattened(names[-1] if names else ""), subject)
    if len(names) > 1 and _says_nothing(claim):
        # "FLAC (1991)" or the like: the folder above has the name.
        outer = read_claim(names[:-1], subject)
        return msgspec.structs.replace(outer, years=outer.years | claim.years, kinds=outer.kinds | claim.kinds)
    artist, various, kinds = claim.artist, claim.various, claim.recordings
    above: tuple[str, ...] = ()
    for name in names[:-1]:
        folder = _flattened(name)
        artist = max(artist, _take_artist(folder, [False] * len(folder.words), subject, above=True))
        kinds |= _recordings_above(folder, subject)
        above = tuple(word for word, _ in folder.words if not is_place(word))
        various = various or any(" ".join(piece.words) in VARIOUS for piece in folder.own)
    return msgspec.structs.replace(
        claim, artist=artist, recordings=kinds - subject.recordings, above=above, various=various
    )


def _flattened(name: str) -> _Flat:
    own = pieces(name)
    return _Flat(own, tuple((word, index) for index, piece in enumerate(own) for word in without_stops(piece.words)))


def _says_nothing(claim: Claim) -> bool:
    return claim.album is Album.SILENT and claim.artist is Artist.SILENT and not claim.strange


def _read_own(flat: _Flat, subject: Subject) -> Claim:
    only_words = tuple(word for word, _ in flat.words)
    found = [_explain(flat, None, subject)]
    for name in subject.titles:
        offset = 0
        while (start := place(name.words, only_words[offset:])) is not None:
            found.append(_explain(flat, (offset + start, name), subject))
            offset += start + 1
    return max(found, key=_weight)


def _weight(claim: Claim) -> tuple[int, int, int, int]:
    # Once another volume is seen, only the exact title outweighs it.
    album = claim.album if claim.album is not Album.ANOTHER_VOLUME else Album.NEARLY
    return album, claim.artist, -len(claim.strange), -len(claim.kinds)


def _explain(flat: _Flat, hit: tuple[int, Name] | None, subject: Subject) -> Claim:
    """The claim of a folder's own name, if the title stands in it where `hit` says, or nowhere."""
    taken = [False] * len(flat.words)
    if hit is not None:
        taken[hit[0] : hit[0] + len(hit[1].words)] = [True] * len(hit[1].words)
    artist = _take_artist(flat, taken, subject)
    left = Leftover(flat.own, flat.words, taken, subject)
    if hit is None:
        album = _resemble(left, subject)
    else:
        start, title = hit
        if subject.title_names_artist and title.words == subject.titles[0].words:
            artist = Artist.NAMED
        in_brackets = bool(flat.own[flat.words[start][1]].bracket)
        certain = title.certain and not (in_brackets and left.possible_titles())
        album = Album.NAMED if certain else Album.PART
        numbers_after = left.volumes | left.number_after(start + len(title.words))
        if numbers_after - subject.numbers - FIRST:
            album = Album.ANOTHER_VOLUME
        elif numbers_after - subject.numbers and certain:
            # The first album may be called so once there is a second.
            album = Album.MORE if left.strange else Album.NEARLY
        elif left.strange:
            album = Album.MORE if certain else Album.OTHER
    return Claim(
        artist,
        album,
        recordings=left.recordings - subject.recordings,
        kinds=left.kinds - subject.title_words,
        years=left.years,
        strange=() if album is Album.NEARLY else left.strange,
        various=left.various,
        edition=left.edition,
    )


def _resemble(left: Leftover, subject: Subject) -> Album:
    """What the words outside brackets, as far as they could be a title, have to do with the wanted one."""
    possible = left.possible_titles()
    if not possible:
        return Album.SILENT
    found = set()
    for words in possible:
        # Where a piece of the name is like the title, the rest of the name remains strange.
        most = Album.MORE if set(left.strange) - set(words) else Album.NAMED
        found |= {min(_resembling(words, title), most) for title in subject.titles}
    return Album.ANOTHER_VOLUME if Album.ANOTHER_VOLUME in found else max(found, default=Album.OTHER)


def _resembling(words: tuple[str, ...], title: Name) -> Album:
    joined, told, wanted = "".join(words), numbers(words), numbers(title.words)
    if joined == title.key:
        return Album.NAMED if title.certain else Album.PART
    if told != wanted and title.certain and _without(words, told) == _without(title.words, wanted):
        # Without its number the title is only a part of the name.
        return Album.ANOTHER_VOLUME if told else Album.PART
    if told <= wanted and set(words) < set(title.words) and len(joined) > 3:
        return Album.PART
    if wanted <= told and set(title.words) < set(words):
        return Album.MORE if title.certain else Album.OTHER
    if told == wanted and _is_nearly(words, title.words):
        return Album.NEARLY if title.certain else Album.PART
    return Album.OTHER if _is_comparable(joined, title.key) else Album.SILENT


def _without(words: tuple[str, ...], some: frozenset[str]) -> tuple[str, ...]:
    return tuple(word for word in words if word not in some)


def _is_nearly(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether two titles are one but for spelling: no word may be quite another."""
    left, right = "".join(one), "".join(other)
    if min(len(left), len(right)) < 4:
        return False
    if likeness(left, right) >= _NEARLY:
        apart = "".join(_without(one, frozenset(other))), "".join(_without(other, frozenset(one)))
        return likeness(*apart) >= _NEARLY_APART
    if left.isascii() and right.isascii():
        return False
    readings = latin(left), latin(right)
    return (
        readings[0] is not None
        and readings[1] is not None
        and likeness(sound(readings[0]), sound(readings[1])) >= _NEARLY
    )


def _is_comparable(one: str, other: str) -> bool:
    return (latin(one) is None) == (latin(other) is None)


def _take_artist(flat: _Flat, taken: list[bool], subject: Subject, *, above: bool = False) -> Artist:
    """Whether the artist is named; the words of the name are marked in `taken`."""
    only_words = tuple(word for word, _ in flat.words)
    best = Artist.SILENT
    for name in subject.artists:
        # Across dashes and brackets, where they are part of the name.
        start = place(name.words, only_words) if len(name.words) > 1 and name.certain else None
        if start is not None and not any(taken[start : start + len(name.words)]):
            taken[start : start + len(name.words)] = [True] * len(name.words)
            best = Artist.NAMED
            index = flat.words[start][1]
            if is_joined(name.words, flat.own[index], subject):
                taken[:] = [done or at == index for done, (_, at) in zip(taken, flat.words, strict=True)]
    for index, piece in enumerate(flat.own):
        positions = [at for at, (_, one) in enumerate(flat.words) if one == index and not taken[at]]
        words = tuple(only_words[at] for at in positions)
        level, first, last = find_artist(words, piece, subject, is_place if above else is_noise)
        for at in positions[first:last]:
            taken[at] = True
        best = max(best, level)
    return best


def _recordings_above(folder: _Flat, subject: Subject) -> frozenset[str]:
    """The kinds of recording that a folder gathers which has no other name than the artist's: "Live", "Tributes"."""
    words = tuple(word for word, _ in folder.words)
    kinds = recordings(words)
    if not kinds:
        return kinds
    artist = {word for name in subject.artists for word in name.words}
    return kinds if all(is_place(word) or word in artist for word in words) else frozenset()
