"""What a folder's name says beside artist and title, word by word."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from worker.matching.pieces import Piece, is_catalogue_number, is_noise, is_of_an_edition
from worker.matching.subject import Subject
from worker.matching.vocabulary import (
    CONNECTIVES,
    EDITION,
    EDITION_TAG,
    FORMAT_NUMBERS,
    FORMAT_WORDS,
    KINDS,
    ORDINAL,
    SOUNDTRACK,
    VARIOUS,
    YEAR,
    recordings,
)

_VOLUME = frozenset({"vol", "pt", "chapter", "book"})
# Before these a number counts something else than albums.
_COUNTED = frozenset(
    {"cd", "cds", "disc", "discs", "disk", "disks", "lp", "lps", "vinyl", "bit", "bits", "khz", "tracks"}
)
_SEQUEL_AT_MOST = 60


class Leftover:
    """The words that are neither artist nor title (`taken`), sorted by what they say.

    `strange` are those that nothing explains; `volumes` the numbers after "vol." and the like.
    """

    def __init__(
        self, own: Sequence[Piece], flat: Sequence[tuple[str, int]], taken: Sequence[bool], subject: Subject
    ) -> None:
        self._own, self._flat, self._taken, self._subject = own, flat, taken, subject
        self.recordings: frozenset[str] = frozenset()
        self.kinds: frozenset[str] = frozenset()
        self.years: frozenset[int] = frozenset()
        self.volumes: frozenset[str] = frozenset()
        self.strange: tuple[str, ...] = ()
        self.various = False
        self.edition = False
        for index, piece in enumerate(own):
            words = tuple(word for position, word in self._of_piece(index) if not taken[position])
            # "Artist - 03 - Album": the number only says where it stands in a row.
            is_index = len(words) == 1 and words[0].isdecimal() and any(map(_says_something, own[index + 1 :]))
            if words and not is_index:
                self._sort(piece, words, stands_alone=len(words) == len(self._of_piece(index)))

    def possible_titles(self) -> list[tuple[str, ...]]:
        """Words outside brackets that may be a title: all of them together, and each piece for itself."""
        apart = []
        for index, piece in enumerate(self._own):
            words = tuple(
                word
                for position, word in self._of_piece(index)
                if not self._taken[position] and self._may_be_title(word)
            )
            if words and not piece.bracket and " ".join(piece.words) not in VARIOUS:
                apart.append(words)
        together = tuple(word for words in apart for word in words)
        return [together, *apart] if len(apart) > 1 else apart

    def number_after(self, end: int) -> frozenset[str]:
        """The number that follows the title and makes another title of it ("Album 2"), if there is one."""
        if end >= len(self._flat) or self._taken[end]:
            return frozenset()
        word, index = self._flat[end]
        follows = [one for one, at in self._flat[end + 1 : end + 2] if at == index]
        if (
            word.isdecimal()
            and int(word) <= _SEQUEL_AT_MOST
            and index == self._flat[end - 1][1]
            and not any(one in _COUNTED or one in FORMAT_NUMBERS for one in follows)
        ):
            return frozenset({word})
        return frozenset()

    def _of_piece(self, index: int) -> list[tuple[int, str]]:
        return [(position, word) for position, (word, at) in enumerate(self._flat) if at == index]

    def _may_be_title(self, word: str) -> bool:
        return word in self._subject.title_words or not is_of_an_edition(word)

    def _sort(self, piece: Piece, words: tuple[str, ...], *, stands_alone: bool) -> None:
        if " ".join(piece.words) in VARIOUS:
            self.various = True
            return
        kinds_of_recording = recordings(words)
        self.recordings |= kinds_of_recording
        self.volumes |= {number for word, number in pairwise(words) if word in _VOLUME and number.isdecimal()}
        is_tag = bool(piece.bracket) and (
            piece.bracket != "("
            or bool(kinds_of_recording)
            or any(word in EDITION_TAG or is_catalogue_number(word) for word in words)
            or any(word.isdecimal() and len(word) > 2 and not YEAR.fullmatch(word) for word in words)
        )
        # A number by itself may be a title; beside words for formats it's one of theirs.
        is_title = stands_alone and not any(word in FORMAT_WORDS or word in FORMAT_NUMBERS for word in words)
        strange = []
        for word in words:
            if YEAR.fullmatch(word):
                # Unless it is a title: "1989".
                self.years |= {int(word)} - set(map(int, self._subject.numbers))
            elif word in KINDS:
                self.kinds |= {word}
            elif word in EDITION or ORDINAL.fullmatch(word) or word in SOUNDTRACK:
                self.edition = True
            elif not (
                is_tag
                or not any(map(str.isalnum, word))
                or word in FORMAT_WORDS
                or word in FORMAT_NUMBERS
                or word in CONNECTIVES
                or is_catalogue_number(word)
                or recordings((word,))
                or (word.isdecimal() and (piece.bracket == "#" or not (piece.bracket or is_title)))
            ):
                strange.append(word)
        self.strange += tuple(strange)


def _says_something(piece: Piece) -> bool:
    return not piece.bracket and not all(map(is_noise, piece.words))
