"""Names as they are compared: without case, accents, punctuation and articles, and with digits for numbers."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from worker.matching.numerals import as_digits

_LETTERS = str.maketrans(
    {"ø": "o", "æ": "ae", "œ": "oe", "ß": "ss", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "\u0131": "i", "ħ": "h"}
)
_APOSTROPHES = str.maketrans(dict.fromkeys("'`\u00b4\u2018\u2019\u02bc\u02b9\u2032\uff07", ""))
_ACCENTS = re.compile("[\u0300-\u036f]")
_ABBREVIATION = re.compile(r"\b([^\W\d_])\.(?=[^\W\d_]\b)")
_NUMERAL = re.compile(r"\b([IVX])[.:](?=\s)")
_NUMERALS = {"I": "1", "V": "5", "X": "10"}
_SYMBOLS_IN_WORDS = re.compile(r"(?<=\w)[$!](?=\w)|\$(?=[^\W\d])")
_THOUSANDS = re.compile(r"(?<=[0-9]),(?=[0-9]{3}(?![0-9]))")
_KHZ = re.compile(r"\b(44|88|176)[.,]([124])(?![0-9])")
_GLUED = re.compile(r"\b(vol|volume|part|pt)([0-9]+)\b")
_WIDE = str.maketrans("\uff08\uff09\u3010\u3011\u300c\u300d\u300e\u300f\uff3b\uff3d", "()[]()()[]")
_NO_WORD = re.compile(r"[\W_]+")
_SPACES = re.compile(r"\s+")
_ONE_LETTER_APART = 0.76
STOP_WORDS = frozenset({"the", "a", "an", "and"})


def without_apostrophes(text: str) -> str:
    """The text with what stands for an apostrophe taken out: "Don't" is one word, however it's written."""
    return text.translate(_APOSTROPHES)


def with_plain_brackets(text: str) -> str:
    """The text with round and square brackets for East Asian ones."""
    return text if text.isascii() else text.translate(_WIDE)


def plain(text: str) -> str:
    """The text without accents and case, its punctuation kept."""
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", text).casefold().translate(_LETTERS)
    return unicodedata.normalize("NFC", _ACCENTS.sub("", apart))


@lru_cache(maxsize=65_536)
def words(text: str) -> tuple[str, ...]:
    """The words of a name, folded: R.E.M. is one word, & is "and", "Part Two" and "Part II" end with "2"."""
    text = without_apostrophes(text)
    if "." in text or ":" in text:
        text = _NUMERAL.sub(lambda found: f"{_NUMERALS[found[1]]} ", _ABBREVIATION.sub(r"\1", text))
    if "$" in text or "!" in text:
        text = _SYMBOLS_IN_WORDS.sub(lambda found: "s" if found[0] == "$" else "i", text)
    text = plain(text).replace("&", " and ").replace("+", " and ")
    if any(map(str.isdecimal, text)):
        text = _GLUED.sub(r"\1 \2", _KHZ.sub(r"\1\2", _THOUSANDS.sub("", text)))
    found = tuple(word for word in _NO_WORD.split(text) if word)
    return as_digits(found) if found else tuple(_SPACES.sub("", text))


def without_stops(found: tuple[str, ...]) -> tuple[str, ...]:
    """The words without articles and "and", unless nothing would be left."""
    return tuple(word for word in found if word not in STOP_WORDS) or found


@lru_cache(maxsize=65_536)
def key(text: str) -> str:
    """What two spellings of a name have in common: its words, joined, without articles."""
    return "".join(without_stops(words(text)))


def numbers(found: tuple[str, ...]) -> frozenset[str]:
    """The numbers among words, by which sequels and volumes differ."""
    return frozenset(word for word in found if word.isdecimal())


@lru_cache(maxsize=65_536)
def likeness(one: str, other: str) -> float:
    """How alike two keys are, from 0 to 1, by the pairs of letters they share (Dice's coefficient)."""
    if one == other:
        return 1.0
    if min(len(one), len(other)) < 3:
        return 0.0
    left, right = _pairs(one), _pairs(other)
    alike = 2 * len(left & right) / (len(left) + len(right))
    # In a short name one wrong letter spoils too many pairs.
    return max(alike, _ONE_LETTER_APART) if alike < _ONE_LETTER_APART and _one_letter_apart(one, other) else alike


def _one_letter_apart(one: str, other: str) -> bool:
    short, long = (one, other) if len(one) <= len(other) else (other, one)
    if not (4 <= len(long) <= 8 and len(long) - len(short) <= 1) or short[0] != long[0]:
        return False
    at = next((index for index, letter in enumerate(short) if letter != long[index]), len(short))
    return short[at + (len(short) == len(long)) :] == long[at + 1 :]


@lru_cache(maxsize=16_384)
def _pairs(text: str) -> frozenset[tuple[str, int]]:
    counted: dict[str, int] = {}
    pairs = []
    for index in range(len(text) - 1):
        pair = text[index : index + 2]
        counted[pair] = counted.get(pair, 0) + 1
        pairs.append((pair, counted[pair]))
    return frozenset(pairs)


def place(run: tuple[str, ...], found: tuple[str, ...]) -> int | None:
    """Where `run` stands, without a gap, in `found`; None when it doesn't."""
    if not run or len(run) > len(found):
        return None
    first = run[0]
    for start in range(len(found) - len(run) + 1):
        if found[start] == first and found[start : start + len(run)] == run:
            return start
    return None
