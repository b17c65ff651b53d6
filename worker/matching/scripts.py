"""Names in other scripts, read in Latin letters as people write them on Soulseek."""

from __future__ import annotations

import re
from functools import lru_cache

_CYRILLIC_LETTERS = "абвгдежзийклмнопрстуфхцчшщъыьэюяіїєґўјљњћџђ"
_CYRILLIC = "a b v g d e zh z i i k l m n o p r s t u f kh ts ch sh shch - y - e yu ya i yi ye g u j lj nj c dz dj"
_GREEK_LETTERS = "αβγδεζηθικλμνξοπρσςτυφχψω"
_GREEK = "a v g d e z i th i k l m n x o p r s s t y f ch ps o"
# Rows of five, for a i u e o.
_KANA_LETTERS = (
    "あいうえおかきくけこがぎぐげごさしすせそざじずぜぞたちつてと"
    "だぢづでどなにぬねのはひふへほばびぶべぼぱぴぷぺぽまみむめもらりるれろ"
)
_KANA_ROWS = ("", "k", "g", "s", "z", "t", "d", "n", "h", "b", "p", "m", "r")
_KANA_ODD = "や ya ゆ yu よ yo わ wa を o ん n し shi ち chi つ tsu ふ fu じ ji ぢ ji づ zu ゔ vu ー - っ -"
_SMALL_LETTERS = "ゃゅょぁぃぅぇぉ"
_SMALL = "ya yu yo a i u e o"
# From here on letters are of no script that is read here.
_LAST_LATIN_LETTER = "\u024f"
_KATAKANA, _TO_HIRAGANA = ("\u30a1", "\u30f6"), 0x60
# What different ways of transliterating disagree about.
_ALIKE = tuple(
    (re.compile(pattern), instead)
    for pattern, instead in (
        ("shch|sch|sh", "s"),
        ("tch|ch|ts|tz|tc", "c"),
        ("kh", "h"),
        ("ph", "f"),
        ("zh", "z"),
        ("th", "t"),
        ("ou", "u"),
        ("x", "ks"),
        ("ck", "k"),
        ("w", "v"),
        ("[yj]", "i"),
        (r"(.)\1+", r"\1"),
    )
)


def _table(letters: str, readings: str) -> dict[str, str]:
    return {letter: reading.strip("-") for letter, reading in zip(letters, readings.split(), strict=True)}


_LATIN_OF = _table(_CYRILLIC_LETTERS, _CYRILLIC) | _table(_GREEK_LETTERS, _GREEK)
_LATIN_OF |= {letter: _KANA_ROWS[index // 5] + "aiueo"[index % 5] for index, letter in enumerate(_KANA_LETTERS)}
_LATIN_OF |= _table("".join(_KANA_ODD.split()[::2]), " ".join(_KANA_ODD.split()[1::2]))
_LATIN_OF_SMALL = _table(_SMALL_LETTERS, _SMALL)


@lru_cache(maxsize=16_384)
def latin(folded: str) -> str | None:
    """A folded name in Latin letters; None when it has letters that we can't read (Chinese, Hebrew, …)."""
    if folded.isascii():
        return folded
    out: list[str] = []
    for written in folded:
        letter = chr(ord(written) - _TO_HIRAGANA) if _KATAKANA[0] <= written <= _KATAKANA[1] else written
        if letter in _LATIN_OF_SMALL:
            # A small "ya" after "ki" makes "kya", not "kiya".
            if out and len(out[-1]) > 1 and out[-1].endswith("i"):
                out[-1] = out[-1][:-1]
            out.append(_LATIN_OF_SMALL[letter])
        elif letter in _LATIN_OF:
            out.append(_LATIN_OF[letter])
        elif letter.isalpha() and letter > _LAST_LATIN_LETTER:
            return None
        else:
            out.append(letter)
    return "".join(out)


@lru_cache(maxsize=16_384)
def sound(latin_name: str) -> str:
    """A Latin name with what transliterations disagree about evened out; only for comparing."""
    for pattern, instead in _ALIKE:
        latin_name = pattern.sub(instead, latin_name)
    return latin_name
