"""The wanted album, made ready for comparing with many folders."""

from __future__ import annotations

import re
from functools import cached_property

import msgspec

from worker.matching.names import key, numbers, place, plain, without_stops, words
from worker.matching.scripts import latin, sound
from worker.matching.titles import Title, read_title
from worker.matching.vocabulary import EDITION, UNSPECIFIC, VARIOUS, recordings
from worker.matching.wanted import Wanted

_BRACKETED = re.compile(r"\s*[\(\[{]([^\)\]}]*)[\)\]}]")
_SUBTITLE = re.compile(r"\s*[:;]\s+|\s+[-\u2013\u2014]\s+|\s+/\s+")
_BAND = re.compile(
    r"\s*(?:,|&|\band\b|\bwith\b|\bet\b|\by\b)\s*(?:the|his|her|their|los|las|les|die)\b.*", re.IGNORECASE
)
_GUESTS = re.compile(r"(?<=\S)\s+[(\[]?(?:feat|ft|featuring)\b.*", re.IGNORECASE)
_SORTED = re.compile(r"(.*\S)\s*,\s+(\S.*)")


class Name(msgspec.Struct, frozen=True):
    """A way in which artist or album may be written; `certain` unless it says less than the whole name."""

    words: tuple[str, ...]
    certain: bool = True

    @property
    def key(self) -> str:
        return "".join(self.words)

    @property
    def any_order(self) -> tuple[str, ...]:
        return tuple(sorted(self.words))


class Sheet(msgspec.Struct, frozen=True):
    """A list of tracks, that of one release or of several with the same titles; lengths in seconds, all that are told.

    `places` holds each track's disc and its number there, from 1.
    """

    release_id: int
    titles: tuple[Title, ...]
    places: tuple[tuple[int, int], ...]
    lengths_s: tuple[tuple[float, ...], ...]
    discs: int

    def __len__(self) -> int:
        return len(self.titles)


class Subject:
    """A wanted album's names, track lists and counts in the form in which they are compared."""

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self.is_various = " ".join(words(wanted.artist_name)) in VARIOUS
        self.artists = _artist_names(wanted)
        self.titles = _album_names(wanted)
        self.is_self_titled = key(wanted.artist_name) == key(wanted.album_title)
        self.sheets = _sheets(wanted)
        # Releases of which only the number of tracks is known.
        self.counts = {
            release.track_count: release.id
            for release in reversed(wanted.releases)
            if not release.tracks and release.track_count > 0
        }

    @cached_property
    def title_names_artist(self) -> bool:
        """Whether the title has the artist's name in it, as when it's self-titled."""
        artist, title = without_stops(words(self.wanted.artist_name)), without_stops(words(self.wanted.album_title))
        return place(artist, title) is not None

    @cached_property
    def recordings(self) -> frozenset[str]:
        """The kinds of recording that the wanted names speak of themselves: these are no reason to refuse."""
        return recordings(words(self.wanted.album_title)) | recordings(words(self.wanted.artist_name))

    @cached_property
    def numbers(self) -> frozenset[str]:
        return numbers(words(self.wanted.album_title))

    @cached_property
    def number_title(self) -> str:
        """The title if it's nothing but a number ("21"), else ""."""
        return self.wanted.album_title if self.wanted.album_title.isdecimal() else ""

    @cached_property
    def title_words(self) -> frozenset[str]:
        return frozenset(words(self.wanted.album_title))

    @cached_property
    def artist_keys(self) -> frozenset[str]:
        return frozenset(name.key for name in self.artists)

    @cached_property
    def title_keys(self) -> frozenset[str]:
        return frozenset(name.key for name in self.titles)

    @cached_property
    def artist_sounds(self) -> frozenset[str]:
        return frozenset(sound(reading) for name in self.artists if (reading := latin(name.key)))

    @cached_property
    def artist_is_readable(self) -> bool:
        """Whether some name of the artist can be read in Latin letters."""
        return any(latin(plain(name)) is not None for name in (self.wanted.artist_name, *self.wanted.aliases))

    @cached_property
    def artist_orders(self) -> frozenset[tuple[str, ...]]:
        return frozenset(name.any_order for name in self.artists if name.certain)

    @cached_property
    def smallest(self) -> int:
        """The least number of tracks that a release has; 0 when no release is known."""
        return min([*map(len, self.sheets), *self.counts], default=0)


def _artist_names(wanted: Wanted) -> tuple[Name, ...]:
    found: dict[tuple[str, ...], bool] = {}

    def add(text: str, *, certain: bool) -> None:
        if name := without_stops(words(text)):
            found[name] = found.get(name, False) or certain

    for text in (wanted.artist_name, *wanted.aliases):
        add(text, certain=True)
        add(_GUESTS.sub("", text), certain=True)
        if turned := _SORTED.fullmatch(text):
            add(f"{turned[2]} {turned[1]}", certain=True)
    for text in (wanted.artist_name, *wanted.aliases):
        if (lead := _BAND.sub("", text)) and lead != text:
            add(lead, certain=False)
        last = words(text)[-1:]
        if len(words(text)) > 1 and last and len(last[0]) > 4 and not text.lower().startswith("the "):
            add(last[0], certain=False)
    return tuple(Name(name, certain) for name, certain in found.items())


def _album_names(wanted: Wanted) -> tuple[Name, ...]:
    title = wanted.album_title
    bare = _BRACKETED.sub(
        lambda found: "" if all(word in EDITION or word.isdecimal() for word in words(found[1])) else found[0], title
    )
    certain = [title, bare]
    uncertain = [_BRACKETED.sub("", title), _SUBTITLE.split(title)[0], *_SUBTITLE.split(title)[1:]]
    found: dict[tuple[str, ...], bool] = {}
    artist = without_stops(words(wanted.artist_name))
    for text in certain:
        if name := without_stops(words(text)):
            found[name] = True
            if name[: len(artist)] == artist and len(name) > len(artist):
                # "Chicago 16" lies under Chicago as "16".
                found[name[len(artist) :]] = True
    for text in (*uncertain, *wanted.aliases):
        name = without_stops(words(text))
        if name and name != artist and not all(word in UNSPECIFIC or word in EDITION for word in name):
            found.setdefault(name, False)
    return tuple(Name(name, is_certain) for name, is_certain in found.items())


def _sheets(wanted: Wanted) -> tuple[Sheet, ...]:
    found: dict[object, Sheet] = {}
    for release in wanted.releases:
        if not release.tracks:
            continue
        # A stable sort: tracks keep their order within their disc.
        tracks = sorted(release.tracks, key=lambda track: track.disc)
        titles = tuple(read_title(track.title) for track in tracks)
        seen: dict[int, int] = {}
        places = []
        for track in tracks:
            seen[track.disc] = seen.get(track.disc, 0) + 1
            places.append((track.disc, seen[track.disc]))
        lengths = tuple((track.length_s,) if track.length_s else () for track in tracks)
        same = titles, tuple(places)
        known = found.get(same)
        if known is None:
            found[same] = Sheet(release.id, titles, tuple(places), lengths, len(seen))
        else:
            merged = tuple((*one, *other) for one, other in zip(known.lengths_s, lengths, strict=True))
            found[same] = msgspec.structs.replace(known, lengths_s=merged)
    return tuple(found.values())
