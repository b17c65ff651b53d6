"""What folder names and file names say together about artist and album."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import msgspec

from worker.matching.artists import Artist
from worker.matching.claims import Album, Claim
from worker.matching.fitting import Heard
from worker.matching.folders import BONUS_DISC
from worker.matching.names import key
from worker.matching.subject import Subject

# Another edition may be called by the year in which it came out; hardly by one before the album's.
_EARLIER_BY = 1


class Evidence(msgspec.Struct, frozen=True):
    """A folder's files of one format, and what can be said of them by names alone.

    `other_artist` is whom they seem to be by, if the wanted artist isn't named anywhere.
    """

    heard: tuple[Heard, ...]
    claim: Claim
    artist: Artist
    album: Album
    other_artist: str = ""


def gather_evidence(heard: Sequence[Heard], claim: Claim, subject: Subject) -> Evidence:
    """Put both together; out of a folder of many albums come only the files that name this one."""
    album = claim.album
    naming = tuple(one for one in heard if one.named.names_album)
    if naming and album in {Album.OTHER, Album.SILENT, Album.PART}:
        heard, album = naming, Album.NAMED
    artist = claim.artist
    for level in (Artist.NAMED, Artist.HINTED):
        if 2 * sum(1 for one in heard if one.named.artist >= level) > len(heard):
            artist = max(artist, level)
    if subject.is_various:
        artist = Artist.NAMED if claim.various else max(artist, Artist.HINTED)
    elif artist is Artist.SILENT and not subject.artist_is_readable and not claim.various:
        # A name in Chinese letters and no other known: how it's written in Latin ones can't be told.
        artist = Artist.HINTED
    other = "" if artist is not Artist.SILENT else _other_artist(heard, claim)
    return Evidence(tuple(heard), claim, artist, album, other)


def _other_artist(heard: Sequence[Heard], claim: Claim) -> str:
    if claim.various:
        return "various artists"
    others = [one.named.another for one in heard if one.named.another]
    if 2 * len(others) > len(heard):
        names = {key(other): other for other in others}
        return others[0] if len(names) == 1 else "various artists"
    if claim.album >= Album.MORE and claim.strange:
        return " ".join(claim.strange)
    return " ".join(claim.above)


def another_year(evidence: Evidence, subject: Subject) -> bool:
    """Whether the folder's year tells of another album; where artist and title are one name, any other does."""
    wanted, years = subject.wanted.year, evidence.claim.years
    if wanted is None or not years or min(abs(year - wanted) for year in years) <= 1:
        return False
    if subject.is_self_titled and not evidence.claim.edition:
        return True
    return max(years) < wanted - _EARLIER_BY


def numbering(heard: Sequence[Heard]) -> str:
    """What's wrong with the numbers of the files: "" when they run from 1 without a gap, or aren't there at all."""
    numbered = [one for one in heard if one.named.stem.number is not None]
    if not numbered:
        return ""
    if len(numbered) < len(heard):
        return "some files have no number"
    ordered = sorted(_place(one) for one in numbered)
    if len(set(ordered)) < len(ordered):
        return "numbers occur twice"
    numbers = [number for _, number in ordered]
    if numbers == list(range(1, len(numbers) + 1)):
        return ""
    discs = [disc for disc, _ in groupby(disc for disc, _ in ordered) if disc != BONUS_DISC]
    if discs and discs != list(range(discs[0], discs[0] + len(discs))):
        return "a disc is missing"
    for _, of_disc in groupby(ordered, key=lambda place: place[0]):
        on_disc = [number for _, number in of_disc]
        if on_disc not in (list(range(1, len(on_disc) + 1)), list(range(len(on_disc)))):
            return "numbers are missing"
    return "" if not discs or discs[0] <= 1 else "a disc is missing"


def _place(one: Heard) -> tuple[int, int]:
    number = one.named.stem.number or 0
    if one.disc is None and number > 100:
        return divmod(number, 100)
    return one.disc or 0, number
