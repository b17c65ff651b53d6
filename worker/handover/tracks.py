"""Which track each file is, going by the names that its owner gave to it and to its folder."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from worker.clients.lidarr_answers import Track
from worker.matching.names import likeness, place, plain, without_stops, words

_DISC = re.compile(r"(?:^|[^a-z])(?:cd|dvd|lp|dis[ck]|disque|disco|vol(?:ume)?)[ ._#-]*(\d{1,2})(?!\d)")
_DISC_AND_NUMBER = re.compile(r"^\W*(\d{1,2})[-.](\d{1,3})(?!\d)")
_ON_A_SIDE = re.compile(r"^\W*([a-h]\d{1,2})(?![^\W_])")
_DISC_IN_NUMBER = re.compile(r"^\W*([1-9])(\d\d)(?!\d)")
_NUMBER = re.compile(r"^\W*(\d{1,3})(?!\d)")
_NUMBER_LATER = re.compile(r"(?:\s-\s+|track\W*)(\d{1,3})(?:\s-\s|[.]\s|$)")
_GUESTS = re.compile(r"\s*[\[(]?\b(?:feat|ft|featuring)\b.*$")
_BARE = frozenset({"track", "tr", "audiotrack", "titel", "piste"})

_ALIKE = 0.75
# With the right number on it, a title may be spelled rather differently.
_ALIKE_IF_NUMBERED = 0.4


@dataclass(frozen=True, slots=True)
class Name:
    """What a remote name tells: titles are words, numbers are as the sleeve writes them (`1`, `a1`)."""

    words: tuple[str, ...]
    number: str | None = None
    disc: int | None = None
    # `101` is track 1 of disc 1 as often as it is track 101.
    disc_and_number: tuple[int, str] | None = None


@dataclass(frozen=True, slots=True)
class Assignment:
    """Files by their place in the order given, each with the numbers of its tracks in Lidarr; what is left over."""

    tracks: Mapping[int, tuple[int, ...]]
    score: float
    files_left: tuple[int, ...] = field(default=())
    tracks_left: tuple[Track, ...] = field(default=())

    @property
    def complete(self) -> bool:
        """Whether every file is a track, and every track has its file."""
        return not self.files_left and not self.tracks_left


def read_name(remote: str) -> Name:
    """Read a full remote name: its parts are divided by backslashes, and a disc may be told by its folder."""
    folder, _, file = remote.rpartition("\\")
    stem = plain(file.rpartition(".")[0] or file)
    disc = _DISC.search(plain(folder.rpartition("\\")[2])) or _DISC.search(stem)
    on_disc = int(disc[1]) if disc else None
    title = words(_GUESTS.sub("", stem))
    if both := _DISC_AND_NUMBER.match(stem):
        return Name(title, both[2].lstrip("0") or "0", int(both[1]))
    if side := _ON_A_SIDE.match(stem):
        return Name(title, side[1][0] + (side[1][1:].lstrip("0") or "0"), on_disc)
    number = _NUMBER.match(stem) or _NUMBER_LATER.search(stem)
    two = _DISC_IN_NUMBER.match(stem)
    return Name(
        title,
        (number[1].lstrip("0") or "0") if number else None,
        on_disc,
        (int(two[1]), two[2].lstrip("0") or "0") if two else None,
    )


def assign(
    names: Sequence[Name], tracks: Sequence[Track], *, known: Mapping[int, tuple[int, ...]], beside: Sequence[str] = ()
) -> Assignment:
    """Give each file its track: first those that are known, then whichever pair is most alike.

    beside: names of artist and album, which stand in file names and say nothing of the track.
    """
    found: dict[int, tuple[int, ...]] = dict(known)
    score = 10.0 * len(known)
    taken = {number for numbers in known.values() for number in numbers}
    noise = {word for name in beside for word in words(name)} | _BARE
    pairs = sorted(
        (
            (-weight, file, index)
            for file, name in enumerate(names)
            if file not in found
            for index, track in enumerate(tracks)
            if track.id not in taken and (weight := _weigh(name, track, noise)) > 0
        ),
    )
    for weight, file, index in pairs:
        track = tracks[index]
        if file not in found and track.id not in taken:
            found[file] = (track.id,)
            taken.add(track.id)
            score -= weight
    return Assignment(
        found,
        score,
        tuple(file for file in range(len(names)) if file not in found),
        tuple(track for track in tracks if track.id not in taken),
    )


def _weigh(name: Name, track: Track, noise: set[str]) -> float:
    """How much speaks for a file being this track; 0 when nothing does."""
    title = words(_GUESTS.sub("", plain(track.title)))
    # The word that is left out may be all that there is.
    alike = max(_title(name.words, title), _title(without_stops(name.words), without_stops(title)))
    numbered = _has_number(name, track)
    says_nothing = all(word in noise or word.isdecimal() or word == name.number for word in name.words)
    if alike < _ALIKE and not (numbered and (says_nothing or alike >= _ALIKE_IF_NUMBERED)):
        return 0.0
    same_disc = name.disc is not None and name.disc == track.medium_number
    return 2.0 * alike + (1.0 if numbered else 0.0) + (0.5 if same_disc else 0.0)


def _title(found: tuple[str, ...], title: tuple[str, ...]) -> float:
    """How alike they are: at best when a file's name ends with the title, for numbers and artists stand before it."""
    if found[-len(title) :] == title:
        return 1.0
    if place(title, found) is not None:
        return 0.85
    # What stands before the title may be any number of words, so each ending is tried.
    endings = ("".join(found[start:]) for start in range(len(found)))
    return 0.95 * max((likeness(ending, "".join(title)) for ending in endings), default=0.0)


def _has_number(name: Name, track: Track) -> bool:
    on_sleeve = track.track_number.lower().lstrip("0")
    if name.disc_and_number == (track.medium_number, on_sleeve):
        return True
    if name.number is None:
        return False
    if name.disc is not None:
        return (name.disc, name.number) == (track.medium_number, on_sleeve)
    return name.number in (on_sleeve, str(track.absolute_track_number))
