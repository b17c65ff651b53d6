"""What becomes of one text: known words stay, everything else gets a pseudonym, secrets are masked."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urlsplit

from reprise.recording.judging import in_sentence, is_everybodys, is_ordinary, numbers_something
from reprise.recording.leaks import Leaks
from reprise.recording.pseudonyms import Pseudonyms
from reprise.recording.tokens import Token, components, tokens
from reprise.recording.vocabulary import API, EDITIONS, EVERYBODYS, SMALL, TECHNICAL, of_the_trade, technical

MASK = "***"
_SHORTEST_SECRET = 6
_PATH = re.compile(r"[\\/]")
_ENCODED = re.compile(r"%[0-9A-Fa-f]{2}")
# What is quoted in a message, or looks like a path, is a name.
_QUOTED = re.compile(
    r"""(?<!\w)'[^']*'(?!\w) | "[^"]*" | (?<![\w<]) (?:[A-Za-z]:)? [\\/] \w .*? (?=:\s|$)""", re.VERBOSE
)


@dataclass(slots=True)
class Tally:
    """What was taken out: secrets by place, all else by how many different ones."""

    secrets: int = 0
    names: set[str] = field(default_factory=set)
    people: set[str] = field(default_factory=set)
    hosts: set[str] = field(default_factory=set)
    ids: set[str] = field(default_factory=set)


class Redaction:
    """The memory of one recording: who is called what, and what must never be seen."""

    def __init__(self, *, keep_names: bool = False, pseudonyms: Pseudonyms | None = None) -> None:
        self._keep_names = keep_names
        self._pseudonyms = pseudonyms or Pseudonyms(reserved=API | EDITIONS | EVERYBODYS | TECHNICAL)
        self._secrets: set[str] = set()
        self._hosts: set[str] = set()
        # Words of people, and words that somewhere are a whole name: kept nowhere from then on; except that a folder
        # which everybody has stays one, since paths must go on beginning alike.
        self._people: set[str] = set()
        self._whole_names: set[str] = set()
        self._public: set[str] = set()
        self._tokens = tokens()
        self.leaks = Leaks()
        self.tally = Tally()

    def protect(self, *secrets: str) -> None:
        """Mask these wherever they stand from now on; short ones and usual words only where they are shown."""
        fresh = {
            secret
            for secret in secrets
            if len(secret) >= _SHORTEST_SECRET and secret.strip("*") and not of_the_trade(secret)
        } - self._secrets
        if fresh:
            self._secrets |= fresh
            self._tokens = tokens(self._secrets, self._hosts)
            for secret in fresh:
                self.leaks.add(secret)

    def protect_host(self, host: str) -> None:
        """Give a host's name a pseudonym wherever it stands; one without a dot is a word like any."""
        if "." in host and host.lower() not in self._hosts:
            self._hosts.add(host.lower())
            self._tokens = tokens(self._secrets, self._hosts)

    def mask(self, secret: str) -> str:
        """The mask of a secret, which is remembered; a masked one stays as it is."""
        if not secret.strip("*"):
            return secret
        self.tally.secrets += 1
        self.protect(secret)
        return MASK

    def name(self, text: str, *, public: bool = False) -> str:
        """Names of artists, albums, tracks, folders, files, and of whatever nobody knows.

        With `keep_names`, `public` ones stay: of a path the last two parts, since those above are somebody's disk.
        """
        if _ENCODED.search(text) and not re.search(r"\s", text) and (plain := unquote(text)) != text:
            return quote(self.name(plain, public=public), safe="/\\:?&=+,;@()!~*'[]")
        found = list(self._tokens.finditer(text))
        parts = list(components(text, found))
        folders = {token.start() for part in parts if _PATH.search(text) and is_everybodys(part) for token in part}
        if public and self._keep_names:
            self._public |= {token[0].lower() for part in parts[-2:] for token in part} - self._people
        else:
            for part in parts:
                if part[0].start() not in folders:
                    self._note_whole_name(part, alone=len(part) == len(found))
        return self._written(
            text, found, lambda token: self._stays_in_name(token) or self._stays_as_folder(token, folders)
        )

    def person(self, text: str) -> str:
        """A user's name: none of its words is kept, here or anywhere."""
        if text:
            self.tally.people.add(text.lower())
        found = list(self._tokens.finditer(text))
        self._people.update(token[0].lower() for token in found)
        return self._written(text, found, lambda token: False)

    def message(self, text: str) -> str:
        """A sentence of a peer: the words of its trade stay, and so do numbers; what it quotes is a name."""
        quoted = [part.span() for part in _QUOTED.finditer(text)]
        for begin, end in quoted:
            self._note_whole_name(list(self._tokens.finditer(text, begin, end)), alone=False)

        def stays(token: Token) -> bool:
            if any(begin <= token.start() < end for begin, end in quoted):
                return self._stays_in_name(token)
            if token[0].lower() in SMALL:
                return True
            known = token[0].isdecimal() or technical(token[0]) or (of_the_trade(token[0]) and in_sentence(token))
            return known and not self._is_private(token)

        return self._written(text, list(self._tokens.finditer(text)), stays)

    def label(self, text: str) -> str:
        """A word of an API, such as the name of a command or of a quality; others get a pseudonym."""
        found = list(self._tokens.finditer(text))
        return self._written(text, found, lambda token: of_the_trade(token[0]) or self._stays_in_name(token))

    def term(self, text: str) -> str:
        """A word that a peer has from a list, even one that we haven't heard of; but not if it is somebody's name."""
        found = list(self._tokens.finditer(text))
        return self._written(text, found, lambda token: of_the_trade(token[0]) or not self._pseudonyms.knows(token[0]))

    def _note_whole_name(self, part: list[Token], *, alone: bool) -> None:
        """A name of nothing but ordinary words ("Live"), or a number ("25"), is a name all the same."""
        if any(token.lastgroup != "word" for token in part):
            return
        others = [token for token in part if not (technical(token[0]) or numbers_something(token))]
        numbers = [token for token in others if token[0].isdecimal()]
        if all(is_ordinary(token) for token in others) or (alone and len(numbers) == len(others)):
            self._whole_names |= {token[0].lower() for token in others}

    def _stays_in_name(self, token: Token) -> bool:
        known = is_ordinary(token) or (self._keep_names and token[0].lower() in self._public)
        return known and not self._is_private(token)

    def _stays_as_folder(self, token: Token, folders: Collection[int]) -> bool:
        return token.start() in folders and token[0].lower() not in self._people

    def _is_private(self, token: Token) -> bool:
        return token[0].lower() in self._people or token[0].lower() in self._whole_names

    def _written(self, text: str, found: Iterable[Token], stays: Callable[[Token], bool]) -> str:
        pieces, end = [], 0
        for token in found:
            pieces += [text[end : token.start()], self._replaced(token, stays)]
            end = token.end()
        return "".join([*pieces, text[end:]])

    def _replaced(self, token: Token, stays: Callable[[Token], bool]) -> str:
        text = token[0]
        match token.lastgroup:
            case "secret":
                self.tally.secrets += 1
                return MASK
            case "host":
                return self._host(text)
            case "authority":
                return self._authority(text)
            case "guid" | "hexadecimal":
                return self._id(token)
            case "day":
                return text if self._keep_names else _on_a_real_day(self._pseudonyms.number(text[:4]), text[4:])
            case "moment" | "span":
                return text
            case "address":
                return self._address(text)
            case "symbol":
                return text if unicodedata.category(text)[0] in "PZM" else "\u25c7"
            case _:
                return text if stays(token) else self._word(text)

    def _word(self, text: str) -> str:
        self.tally.names.add(text.lower())
        return self._pseudonyms.number(text) if text.isdecimal() else self._pseudonyms.word(text)

    def _id(self, token: Token) -> str:
        if self._keep_names and token.lastgroup == "guid":
            return token[0]
        self.tally.ids.add(token[0].lower())
        draw = self._pseudonyms.guid if token.lastgroup == "guid" else self._pseudonyms.hexadecimal
        return draw(token[0])

    def _authority(self, text: str) -> str:
        try:
            parts = urlsplit(f"//{text}")
            host, port = parts.hostname or "", parts.port
        except ValueError:
            return re.sub(r"[^\W_]+", lambda word: self._word(word[0]), text)
        if parts.password:
            self.protect(unquote(parts.password))
        shown = f"{self.mask(parts.netloc.rpartition('@')[0])}@" if "@" in text else ""
        self.protect_host(host)
        written = self._host(host)
        return shown + (f"[{written}]" if ":" in host else written) + (f":{port}" if port else "")

    def _host(self, text: str) -> str:
        try:
            return self._address(text, strict=True)
        except ValueError:
            if text == "localhost":
                return text
            self.tally.hosts.add(text.lower())
            return ".".join(map(self._pseudonyms.word, text.split(".")))

    def _address(self, text: str, *, strict: bool = False) -> str:
        try:
            written = self._pseudonyms.address(text)
        except ValueError:
            if strict:
                raise
            return re.sub(r"[^\W_]+", lambda word: self._word(word[0]), text)
        if written != text:
            self.tally.hosts.add(text.lower())
        return written


def _on_a_real_day(year: str, rest: str) -> str:
    leap = int(year) % 4 == 0 and int(year) != 1900
    return year + (rest if leap else rest.replace("-02-29", "-02-28"))
