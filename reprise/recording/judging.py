"""Judge a token where it stands: whether it numbers something, is as everybody has it, or belongs to a sentence."""

from __future__ import annotations

import re

from reprise.recording.tokens import Token
from reprise.recording.vocabulary import everybodys, ordinary, technical
from worker.matching.vocabulary import FORMAT_NUMBERS

_SENTENCE_BEGINS = re.compile(r"(?:^|[.:;!?(\n])\s*$")
_SENTENCE = re.compile(r"\s+[a-z\d]|[.:!?]?\s*$|[.:!?]\s")
# Where a number numbers something: a disc, or (where the text goes on) a track.
_DISC = re.compile(r"\b(?:cd|dis[ck]|side|vol|volume|pt|part|track)[\s._#-]{0,2}$", re.IGNORECASE)
_TRACK = re.compile(r"(?:(?:^|[\\/])(?:[(\[]|\d{1,2}-)?|\s-\s|_-_)$")
_GOES_ON = re.compile(r"[\s._)\]-]+\w")
_IN_WORDS = re.compile(r"(?i:one|two|three|four|five|six|seven|eight|nine|ten)$|X{0,2}(?:IX|IV|V?I{0,3})$")
_ROMAN = re.compile(r"[IVX]+$")
_FIRST = re.compile(r"(?:^|[\\/])\W*$")
_SIDED = re.compile(r"[A-Da-d]\d$")


def is_everybodys(part: list[Token]) -> bool:
    """Whether a part of a path is one as everybody has it: Music, Various Artists, Disc One, Track 01.flac."""
    return all(everybodys(token[0]) or technical(token[0]) or numbers_something(token) for token in part)


def is_ordinary(token: Token) -> bool:
    return ordinary(token[0]) or technical(token[0]) or numbers_something(token)


def numbers_something(token: Token) -> bool:
    """Whether it is a number that numbers something (a track, a disc) or tells a quality, and so is nobody's name."""
    word, text, begin = token[0], token.string, token.start()
    if len(word) > 6 or not (word.isdecimal() or _IN_WORDS.match(word) or _SIDED.match(word)):
        return False
    if word in FORMAT_NUMBERS or (word.isdecimal() and (len(word) == 1 or (len(word) == 2 and word[0] == "0"))):
        return True
    if len(word) > 5 or (word.isdecimal() and len(word) > 3):
        return False
    near = max(0, begin - 8)
    if _DISC.search(text, near, begin):
        return True
    if _ROMAN.match(word):
        return not _FIRST.search(text, near, begin)
    return bool(not word.isalpha() and _TRACK.search(text, near, begin) and _GOES_ON.match(text, token.end()))


def in_sentence(token: Token) -> bool:
    """Whether a word is written as one in a sentence, and not as a name is: small, or at its beginning."""
    text = token.string
    return token[0][0].islower() or bool(
        _SENTENCE_BEGINS.search(text, max(0, token.start() - 4), token.start()) and _SENTENCE.match(text, token.end())
    )
