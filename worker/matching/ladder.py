"""What to search for, from the most specific text to the least."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from worker.matching.names import key, plain, without_apostrophes, words
from worker.matching.scripts import latin
from worker.matching.vocabulary import EDITION, UNSPECIFIC, VARIOUS
from worker.matching.wanted import Wanted

MAX_CHARS = 100
_PUNCTUATION = re.compile(r"[^\w\s]|_")
_BRACKETED = re.compile(r"\s*[\(\[{]([^\)\]}]*)[\)\]}]")
_ALIASES = 2


def queries(wanted: Wanted) -> tuple[str, ...]:
    """Texts to search Soulseek for, best first: distinct, not empty, at most MAX_CHARS long.

    Artist and album; the same in ASCII; the same under the artist's other names; without punctuation and words like
    "Deluxe Edition"; the album alone; the artist alone. A rung that would find everything and nothing is left out.
    """
    various = " ".join(words(wanted.artist_name)) in VARIOUS
    artist = "" if various or key(wanted.artist_name) == key(wanted.album_title) else wanted.artist_name
    rungs = [f"{artist} {wanted.album_title}", _ascii(f"{artist} {wanted.album_title}")]
    if various:
        rungs.insert(1, f"VA {wanted.album_title}")
    rungs += [f"{alias} {wanted.album_title}" for alias in _worthwhile(wanted.aliases, artist)]
    rungs.append(_bare(f"{artist} {_without_edition(wanted.album_title)}"))
    if is_specific(wanted.album_title):
        rungs += [wanted.album_title, _bare(_without_edition(wanted.album_title))]
    if is_specific(artist, at_least=4):
        rungs.append(artist)
    distinct: dict[str, str] = {}
    for rung in map(_searchable, rungs):
        if rung:
            distinct.setdefault(rung.casefold(), rung)
    return tuple(distinct.values())


def is_specific(name: str, *, at_least: int = 6) -> bool:
    """Whether a name finds little else when it's searched for alone; at_least letters in what isn't a common word."""
    telling = {word for word in words(name) if word not in UNSPECIFIC and word not in EDITION and not word.isdecimal()}
    # A letter of a script without spaces between words says more than a Latin one.
    return sum(len(word) if plain(word).isascii() else 3 * len(word) for word in telling) >= at_least


def _worthwhile(aliases: Iterable[str], artist: str) -> list[str]:
    known = {_bare(artist).casefold()}
    found = []
    for alias in aliases:
        if (bare := _bare(alias).casefold()) and bare not in known:
            known.add(bare)
            found.append(alias)
    return found[:_ALIASES]


def _ascii(text: str) -> str:
    """The text in ASCII, or "" when a letter of it can't be written so."""
    if text.isascii():
        return text
    composed = unicodedata.normalize("NFKC", text)
    found = (_in_latin(letter) for letter in re.findall(r"\w+|\W+", composed))
    return "".join(found).encode("ascii", "ignore").decode("ascii") if latin(plain(composed)) is not None else ""


def _in_latin(piece: str) -> str:
    in_latin = latin(plain(piece)) or ""
    return in_latin.title() if piece.istitle() else in_latin.upper() if piece.isupper() else in_latin


def _bare(text: str) -> str:
    return _PUNCTUATION.sub(" ", without_apostrophes(_ascii(text) or text))


def _without_edition(title: str) -> str:
    """The title without bracketed words that only name an edition."""

    def kept(found: re.Match[str]) -> str:
        return "" if all(word in EDITION or word.isdecimal() for word in words(found[1])) else found[0]

    return _BRACKETED.sub(kept, title).strip() or title


def _searchable(text: str) -> str:
    """The text with single spaces, and no word that Soulseek would exclude (-word) or complete (*word)."""
    cut = " ".join(stripped for word in text.split() if (stripped := word.lstrip("-*")))
    if len(cut) <= MAX_CHARS:
        return cut
    return cut[: MAX_CHARS + 1].rpartition(" ")[0] or cut[:MAX_CHARS]
