"""Do these files make up that list of tracks? Which file is which track, and how sure is it?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from enum import IntEnum
from functools import cached_property

import msgspec

from worker.matching.folders import Sound
from worker.matching.stems import Named
from worker.matching.subject import Sheet
from worker.matching.titles import ALIKE, ALIKE_IN_PLACE, Title, comparable, resemblance

# Masters of the same recording differ by pauses, hardly by more.
LENGTH_TOLERANCE_S = 15.0
CLOSE_S = 4.0
# Recordings that lengths tell from the album's; a karaoke version lasts as long as the song.
TOLD_BY_LENGTHS = frozenset({"live", "acoustic", "demo", "remix"})


class How(IntEnum):
    """By what a file was taken for a track, from nothing to its title; DISSENT: by place and length, not by title."""

    MISSING = 0
    DISSENT = 1
    PLACE = 2
    ALIKE = 3
    TITLE = 4


class Heard(msgspec.Struct, frozen=True):
    """A file with what its name tells."""

    sound: Sound
    named: Named

    @property
    def disc(self) -> int | None:
        return self.sound.disc if self.named.stem.disc is None else self.named.stem.disc


class Fit(msgspec.Struct, frozen=True):
    """Files for a sheet: `chosen` holds a file's index for each track, or None; `extras` are the files left over.

    Of `lengths_known` pairs of lengths, `close` agree to seconds and `off` differ by more than masters do.
    """

    sheet: Sheet
    chosen: tuple[int | None, ...]
    how: tuple[How, ...]
    extras: tuple[int, ...]
    lengths_known: int
    close: int
    off: int

    def count(self, *hows: How) -> int:
        return sum(1 for how in self.how if how in hows)

    @property
    def by_title(self) -> int:
        return self.count(How.TITLE, How.ALIKE)

    @property
    def missing(self) -> int:
        return self.count(How.MISSING)

    @property
    def same_recording(self) -> bool:
        """Whether the lengths tell that it's the very recording; another one doesn't agree to seconds throughout."""
        return self.lengths_known >= max(4, 0.8 * len(self.sheet)) and self.close >= 0.9 * self.lengths_known

    @property
    def goodness(self) -> tuple[int, ...]:
        """For comparing fits of the same files to several sheets: more is better."""
        agreed = self.lengths_known - self.off
        return (-self.missing, -self.count(How.DISSENT), -len(self.extras), -self.off, self.by_title, agreed)


class Files:
    """The files of a folder in one format, ready to be fitted to many sheets."""

    def __init__(self, heard: Sequence[Heard]) -> None:
        self.heard = tuple(heard)
        self.by_key: defaultdict[str, list[int]] = defaultdict(list)
        for index, one in enumerate(heard):
            for key in dict.fromkeys(title.key for title in one.named.titles):
                self.by_key[key].append(index)

    @cached_property
    def by_word(self) -> Mapping[str, set[int]]:
        """Which files have a word in what may be their title, or begin with these letters."""
        found: defaultdict[str, set[int]] = defaultdict(set)
        for index, one in enumerate(self.heard):
            for title in one.named.titles:
                for word in (*title.words, _beginning(title)):
                    found[word].add(index)
        return found

    @cached_property
    def is_ascii(self) -> bool:
        return all(title.key.isascii() for one in self.heard for title in one.named.titles)

    def titles_found(self, sheet: Sheet) -> int:
        """How many of the sheet's titles are some file's, word for word."""
        return sum(1 for title in sheet.titles if title.key in self.by_key)

    def fit(self, sheet: Sheet, excused: frozenset[str]) -> Fit:
        """Give each track the file that is it, by title where possible, else by its place in the order."""
        fitting = _Fitting(self, sheet, excused)
        fitting.by_title()
        fitting.by_title_in_place()
        fitting.by_likeness()
        fitting.by_place()
        fitting.by_elimination()
        return fitting.result()


class _Fitting:
    def __init__(self, files: Files, sheet: Sheet, excused: frozenset[str]) -> None:
        self._files, self._sheet, self._excused = files, sheet, excused
        self._chosen: dict[int, tuple[int, How]] = {}
        self._free = set(range(len(files.heard)))
        self._in_place = _in_place(files.heard, sheet)

    def by_title(self) -> None:
        for track, title in enumerate(self._sheet.titles):
            same = [file for file in self._files.by_key.get(title.key, ()) if file in self._free]
            same = [file for file in same if self._likeness(file, track) == 1.0]
            if same:
                place = self._in_place.get(track)
                self._take(track, min(same, key=lambda file: (file != place, self._apart(file, track))), How.TITLE)

    def by_title_in_place(self) -> None:
        for track in self._open():
            file = self._in_place.get(track)
            if file in self._free and self._likeness(file, track) >= ALIKE_IN_PLACE:
                self._take(track, file, How.ALIKE)

    def by_likeness(self) -> None:
        pairs = [
            (likeness, -track, -file)
            for track in self._open()
            for file in self._worth_comparing(track)
            if (likeness := self._likeness(file, track)) >= ALIKE
        ]
        for _, track, file in sorted(pairs, reverse=True):
            if -track not in self._chosen and -file in self._free:
                self._take(-track, -file, How.ALIKE)

    def by_place(self) -> None:
        for track in self._open():
            file = self._in_place.get(track)
            if file not in self._free or self._apart(file, track) > LENGTH_TOLERANCE_S:
                continue
            wanted, called = self._sheet.titles[track], self._files.heard[file].named.titles[0]
            if not comparable(called, wanted):
                self._take(track, file, How.PLACE)
            elif self._is_close(file, track) and called.recordings - self._excused <= TOLD_BY_LENGTHS:
                self._take(track, file, How.DISSENT)

    def by_elimination(self) -> None:
        """The last file is the last track, if it's as long, in whichever place."""
        for track in self._open():
            if len(self._free) == 1 == len(self._open()) and len(self._sheet) > 3:
                (file,) = self._free
                called = self._files.heard[file].named.titles[0]
                if self._is_close(file, track) and called.recordings - self._excused <= TOLD_BY_LENGTHS:
                    self._take(track, file, How.DISSENT)

    def result(self) -> Fit:
        known = [self._apart(file, track) for track, (file, _) in self._chosen.items() if self._both_known(file, track)]
        tracks = range(len(self._sheet))
        return Fit(
            self._sheet,
            chosen=tuple(self._chosen[track][0] if track in self._chosen else None for track in tracks),
            how=tuple(self._chosen[track][1] if track in self._chosen else How.MISSING for track in tracks),
            extras=tuple(sorted(self._free)),
            lengths_known=len(known),
            close=sum(1 for apart in known if apart <= CLOSE_S),
            off=sum(1 for apart in known if apart > LENGTH_TOLERANCE_S),
        )

    def _open(self) -> list[int]:
        return [track for track in range(len(self._sheet)) if track not in self._chosen]

    def _worth_comparing(self, track: int) -> set[int]:
        """The free files that share a word or a beginning with a track's title; in other scripts it may be any."""
        title = self._sheet.titles[track]
        if not (self._files.is_ascii and title.key.isascii()):
            return self._free
        by_word = self._files.by_word
        sharing = (by_word[word] for word in (*title.words, _beginning(title)) if word in by_word)
        return self._free.intersection(set().union(*sharing))

    def _take(self, track: int, file: int, how: How) -> None:
        self._chosen[track] = file, how
        self._free.discard(file)

    def _likeness(self, file: int, track: int) -> float:
        title = self._sheet.titles[track]
        return max(
            (resemblance(title, one, self._excused) for one in self._files.heard[file].named.titles), default=0.0
        )

    def _both_known(self, file: int, track: int) -> bool:
        return bool(self._files.heard[file].sound.file.length and self._sheet.lengths_s[track])

    def _is_close(self, file: int, track: int) -> bool:
        return self._both_known(file, track) and self._apart(file, track) <= CLOSE_S

    def _apart(self, file: int, track: int) -> float:
        """By how many seconds lengths differ; 0 where one isn't known."""
        length = self._files.heard[file].sound.file.length
        return min((abs(length - one) for one in self._sheet.lengths_s[track]), default=0.0) if length else 0.0


def _beginning(title: Title) -> str:
    return f"^{title.key[:3]}"


def _in_place(heard: Sequence[Heard], sheet: Sheet) -> dict[int, int]:
    """The file that stands in each track's place, by disc and number; where that tells nothing, by the order."""
    track_at = {place: track for track, place in enumerate(sheet.places)}
    found: dict[int, int] = {}
    for file, one in enumerate(heard):
        number = one.named.stem.number
        if number is None or one.named.stem.by_side:
            continue
        disc = one.disc
        if disc is None and number > 100:
            disc, number = divmod(number, 100)
        if disc is not None and (track := track_at.get((disc, number))) is not None:
            found.setdefault(track, file)
        elif (disc is None or sheet.discs == 1) and 0 < number <= len(sheet):
            found.setdefault(number - 1, file)
    if len(heard) == len(sheet) and len(found) < len(sheet):
        orders = [(one.disc or 0, one.named.stem.number or 0) for one in heard]
        if len(set(orders)) == len(orders):
            return dict(enumerate(sorted(range(len(heard)), key=orders.__getitem__)))
    return found
