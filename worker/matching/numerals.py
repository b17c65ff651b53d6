"""Numbers in names, however they are written: "Four", "IV" and "04" are one number."""

from __future__ import annotations

_UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_ORDINAL_WORDS = "first second third fourth fifth sixth seventh eighth ninth tenth"
_ROMAN_FROM_2 = "ii iii iv v vi vii viii ix x xi xii xiii xiv xv xvi xvii xviii xix xx xxi xxii xxiii xxiv xxv"
_ENDINGS = {1: "st", 2: "nd", 3: "rd"}

_VALUES = {word: value for value, word in enumerate(_UNITS.split())}
_VALUES |= {word: 10 * value for value, word in enumerate(_TENS.split(), start=2)}
_ORDINALS = {word: f"{value}{_ENDINGS.get(value, 'th')}" for value, word in enumerate(_ORDINAL_WORDS.split(), start=1)}
# A single letter may be anything else; it counts where a number is likely.
_ROMAN = {word: str(value) for value, word in enumerate(_ROMAN_FROM_2.split(), start=2) if len(word) > 1}
_LETTERS = {"i": "1", "v": "5", "x": "10"}
_SHORT = {"volume": "vol", "vols": "vol", "part": "pt", "nr": "no", "number": "no", "opus": "op"}
BEFORE_A_NUMBER = frozenset({"vol", "pt", "chapter", "book", "no", "act", "episode", "op"}) | _SHORT.keys()


def as_digits(words: tuple[str, ...]) -> tuple[str, ...]:
    """The words with digits for number words and Roman numerals, no leading zeros, and "vol" for "volume"."""
    found: list[str] = []
    last = len(words) - 1
    index = 0
    while index <= last:
        word, taken = words[index], 1
        if word.isdecimal():
            word = word.lstrip("0") or "0"
        elif word in _VALUES:
            value = _VALUES[word]
            follows = _VALUES.get(words[index + 1], 0) if index < last else 0
            if value >= 20 and 0 < follows < 10:
                value, taken = value + follows, 2
            word = str(value)
        elif word in _ROMAN:
            word = _ROMAN[word]
        elif word in _LETTERS and index and (index == last or words[index - 1] in BEFORE_A_NUMBER):
            word = _LETTERS[word]
        elif word in _ORDINALS:
            word = _ORDINALS[word]
        elif index < last and word in _SHORT:
            word = _SHORT[word]
        found.append(word)
        index += taken
    return tuple(found)
