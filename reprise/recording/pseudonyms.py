"""Other words for words: of the same shape, always the same for the same word, and nothing leads back.

They are drawn at random and kept in memory alone, so a recording holds no key to undo them with.
"""

from __future__ import annotations

import ipaddress
import random
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator
from uuid import UUID

_CONSONANTS, _VOWELS, _DIGITS = "bcdfghjklmnpqrstvwxyz", "aeiou", "0123456789"
# Greek, Cyrillic, Hebrew, Hiragana, Katakana, Han, Hangul: their letters are drawn from themselves, others from Latin.
_SCRIPTS = (
    range(0x3B1, 0x3C2),
    range(0x430, 0x450),
    range(0x5D0, 0x5EB),
    range(0x3042, 0x3094),
    range(0x30A2, 0x30F4),
    range(0x4E00, 0x9FA6),
    range(0xAC00, 0xD7A4),
)
_DRAWS = 200


class Pseudonyms:
    """The pseudonyms of one recording; `reserved` words mean something and are never drawn."""

    def __init__(self, *, reserved: Collection[str] = (), chance: random.Random | None = None) -> None:
        self._chance = chance or random.SystemRandom()
        self._reserved = reserved
        self._known: dict[str, str] = {}
        self._written: dict[str, str] = {}
        self._taken: set[str] = set()
        # All years move together, so that an edition stays as much younger than its album as it was.
        self._years_back = self._chance.randint(3, 23)

    def knows(self, word: str) -> bool:
        """Whether this word, or one that differs in case and accents alone, was given a pseudonym."""
        return _key(word) in self._known

    def word(self, text: str) -> str:
        """A letter for a letter, a digit for a digit, in the same case; accents and apostrophes stay where they are.

        Words that differ in these alone get pseudonyms that differ in these alone.
        """
        if (known := self._written.get(text)) is not None:
            return known
        parts = _parts(text)
        drawn = iter(self._one(_key(text), self._letters))
        written = "".join(_in_case(next(drawn), part) if part.isalnum() else part for part in parts)
        return self._written.setdefault(text, unicodedata.normalize("NFC", written))

    def number(self, digits: str) -> str:
        """As many digits; a year of the last two centuries becomes an earlier one."""
        if len(digits) == 4 and digits[:2] in ("19", "20"):
            return str(int(digits) - self._years_back)
        return self._one(digits, self._figures)

    def guid(self, text: str) -> str:
        """Another UUID of the same version, in the same case; the one of zeros stays."""
        if UUID(text).int == 0:
            return text
        return _in_case(self._one(text.lower(), self._guid), text)

    def hexadecimal(self, text: str) -> str:
        """As many hexadecimal digits, in the same case."""
        return _in_case(self._one(text.lower(), lambda key: self._chance.choices("0123456789abcdef", k=len(key))), text)

    def address(self, text: str) -> str:
        """An IP address that belongs to nobody; loopback and "any" stay. Raises ValueError if it isn't one."""
        address = ipaddress.ip_address(text)
        if address.is_loopback or address.is_unspecified:
            return text
        return self._one(text.lower(), self._nobodys if address.version == 4 else self._nobodys_v6)

    def _one(self, key: str, draw: Callable[[str], Iterable[str]]) -> str:
        if (known := self._known.get(key)) is not None:
            return known
        for _ in range(_DRAWS):
            drawn = "".join(draw(key))
            # Short words can run out of others; then two share one, which is better than to tell.
            if not (drawn == key or drawn in self._taken or drawn in self._reserved or drawn in self._known):
                break
        self._taken.add(drawn)
        self._known[key] = drawn
        return drawn

    def _letters(self, key: str) -> Iterator[str]:
        vowel_next = self._chance.random() < 0.3
        for letter in key:
            script = next((one for one in _SCRIPTS if ord(letter) in one), None)
            if letter.isdigit():
                yield self._chance.choice(_DIGITS)
            elif script is not None:
                yield chr(self._chance.choice(script))
            else:
                yield self._chance.choice(_VOWELS if vowel_next else _CONSONANTS)
                vowel_next = not vowel_next

    def _figures(self, key: str) -> Iterator[str]:
        yield self._chance.choice(_DIGITS if key[0] == "0" else _DIGITS[1:])
        yield from self._chance.choices(_DIGITS, k=len(key) - 1)

    def _guid(self, key: str) -> Iterator[str]:
        for place, mark in enumerate(key):
            # The version, and the variant.
            fixed = mark == "-" or place in (14, 19)
            yield mark if fixed else self._chance.choice("0123456789abcdef")

    def _nobodys(self, _: str) -> str:
        return f"198.18.{self._chance.randint(0, 255)}.{self._chance.randint(1, 254)}"

    def _nobodys_v6(self, _: str) -> str:
        return f"2001:db8::{self._chance.randint(1, 0xFFFF):x}"


def _parts(text: str) -> Iterator[str]:
    """Letters without their accents, each followed by its accents; Hangul and its like stay whole."""
    for letter in unicodedata.normalize("NFC", text):
        apart = unicodedata.normalize("NFD", letter)
        yield from apart if all(map(unicodedata.combining, apart[1:])) else letter


def _key(text: str) -> str:
    return "".join(part.lower() for part in _parts(text) if part.isalnum())


def _in_case(drawn: str, like: str) -> str:
    return drawn.upper() if like.isupper() else drawn
