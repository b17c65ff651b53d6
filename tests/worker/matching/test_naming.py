"""However people name folders and files, the album is known, and nothing else is taken for it: all with all."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterator

import pytest

from worker.clients.slskd_answers import File, Response
from worker.matching import Release, Track, Wanted, rank

ALBUMS = (
    ("Nirvana", "Nevermind", 1991),
    ("The Beatles", "Abbey Road", 1969),
    ("AC/DC", "Back in Black", 1980),
    ("Sigur Rós", "Takk...", 2005),
    ("R.E.M.", "Automatic for the People", 1992),
    ("Guns N' Roses", "Use Your Illusion II", 1991),
    ("Simon & Garfunkel", "Bridge Over Troubled Water", 1970),
    ("Florence + the Machine", "Lungs", 2009),
    ("Godspeed You! Black Emperor", "Lift Your Skinny Fists Like Antennas to Heaven", 2000),
    ("M83", "Hurry Up, We're Dreaming", 2011),
    ("U2", "War", 1983),
    ("Adele", "21", 2011),
    ("Taylor Swift", "1989", 2014),
    ("Prince", "1999", 1982),
    ("Blur", "13", 1999),
    ("Blur", "Blur", 1997),
    ("The xx", "xx", 2009),
    ("Nick Cave & The Bad Seeds", "Push the Sky Away", 2013),
    ("Tyler, the Creator", "Flower Boy", 2017),
    ("Bob Dylan", "Highway 61 Revisited", 1965),
    ("Queen", "Greatest Hits", 1981),
    ("Elliott Smith", "Either/Or", 1997),
    ("ABBA", "Gold: Greatest Hits", 1992),
    ("Eminem", "The Marshall Mathers LP", 2000),
    ("Eminem", "The Marshall Mathers LP 2", 2013),
    ("Sunn O)))", "Life Metal", 2019),
)
TITLES = ("Morning River", "Don't Stop", "Electric (Part 1)", "Electric (Part 2)", "Goodnight, Moon", "Glass Houses")
FOLDERS = (
    r"@@abcde\Music\{artist}\{album}",
    r"Music\{artist}\{year} - {album}",
    r"Music\{artist}\({year}) {album}",
    r"Music\{artist}\[{year}] {album} [FLAC]",
    r"Music\{artist}\{album} ({year}) [320]",
    r"{artist} - {album}",
    r"done\{artist} - {year} - {album}",
    r"{artist}\{artist} - {album}",
    r"M\{artist}\{artist} - {year} - {album} (24bit-96kHz)",
    r"x\{artist_}-{album_}-CD-FLAC-{year}-GRP",
    r"M\{artist}\Studio Albums\{year}. {album}",
    r"M\{artist} Discography\03 - {album} ({year})",
    r"M\{first}\{artist}\{album}\FLAC",
    r"{plain_artist} - {plain_album}",
    r"M\{artist}\{album} ({year}, Japan, ABCD-12345)",
    r"M\{artist}\{album} [Bonus Tracks]",
    r"{artist} - {album} [{year}] FLAC 16-44.1",
    r"M\{artist}\{album} (30th Anniversary Edition) (2031)",
    r"M\{turned}\{album}",
)
FILES = (
    "{n:02} - {title}",
    "{n}. {title}",
    "{artist} - {n:02} - {title}",
    "{artist} - {album} - {n:02} - {title}",
    "{n:02}-{artist_}-{title_}",
    "1{n:02} {title}",
    "A{n} {title}",
    "{title}",
)
OTHER_RECORDINGS = (
    *(
        "{} (Live)",
        "{} - Live at Wembley 1986",
        "Live - {}",
        "A Tribute to {}",
        "{} (Karaoke)",
        "{} (Instrumental)",
        "{} Demos",
    ),
    *(
        "{} Remixes",
        "{} Sessions",
        "{} (Acoustic)",
        "{} In Concert",
        "{} (8-Bit)",
        "{} (Re-recorded)",
        "{} (Lullaby Versions)",
    ),
)
OTHER_ALBUMS = (
    "{} Vol. 2",
    "{}, Part 4",
    "{} V",
    "{} Sampler",
    "{} - The Singles",
    "Beyond {}",
    "{} and Other Stories",
)


def _legal(name: str) -> str:
    return re.sub(r'[\\/:*?"<>|]', "_", name)


def _offer(artist: str, album: str, year: int, folder: str, file: str) -> Response:
    parts = {"artist": _legal(artist), "album": _legal(album), "year": year, "first": artist[0]}
    parts["turned"] = f"{artist.removeprefix('The ')}, The" if artist.startswith("The ") else parts["artist"]
    for part in ("artist", "album"):
        letters = unicodedata.normalize("NFKD", str(parts[part]))
        parts[f"plain_{part}"] = "".join(letter for letter in letters if not unicodedata.combining(letter)).lower()
        parts[f"{part}_"] = str(parts[f"plain_{part}"]).replace(" ", "_")
    path = folder.format(**parts)
    names = [
        file.format(**parts, n=number, title=_legal(title), title_=_legal(title).replace(" ", "_"))
        for number, title in enumerate(TITLES, start=1)
    ]
    files = [File(filename=f"{path}\\{name}.mp3", size=9_600_000, bit_rate=320, length=240) for name in names]
    return Response(username="ann", files=tuple(files))


def _releases() -> Iterator[tuple[Release, ...]]:
    """What may be known of the album: its tracks, their number, or nothing."""
    yield (Release(1, len(TITLES), 1, tuple(Track(title) for title in TITLES)),)
    yield (Release(1, len(TITLES)),)
    yield ()


def _chosen(wanted: Wanted, offer: Response) -> int:
    best = rank([offer], wanted, formats=["mp3"]).best
    return 0 if best is None else len(best.files)


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_album_is_known_by_any_usual_name(folder: str) -> None:
    missed = [
        (artist, album, file, len(releases))
        for (artist, album, year), file, releases in itertools.product(ALBUMS, FILES, [*_releases()][::2])
        if _chosen(Wanted(artist, album, releases, (), year), _offer(artist, album, year, folder, file)) != len(TITLES)
    ]
    assert missed == []


@pytest.mark.parametrize("form", OTHER_RECORDINGS)
def test_another_recording_is_never_taken_for_it(form: str) -> None:
    taken = [
        (artist, album, folder)
        for (artist, album, year), folder, releases in itertools.product(ALBUMS, FOLDERS[:6], _releases())
        if _chosen(
            Wanted(artist, album, releases, (), year), _offer(artist, form.format(album), year, folder, FILES[0])
        )
    ]
    assert taken == []


@pytest.mark.parametrize("form", OTHER_ALBUMS)
def test_another_album_is_never_taken_for_it_without_its_tracks(form: str) -> None:
    taken = [
        (artist, album, folder)
        for (artist, album, year), folder, releases in itertools.product(ALBUMS, FOLDERS[:6], [*_releases()][1:])
        if _chosen(
            Wanted(artist, album, releases, (), year), _offer(artist, form.format(album), year, folder, FILES[0])
        )
    ]
    assert taken == []


def test_no_album_is_taken_for_another_of_the_artist_nor_for_anothers() -> None:
    taken = [
        (artist, album, other)
        for (artist, album, year), (other_artist, other, other_year) in itertools.permutations(ALBUMS, 2)
        for folder, by in itertools.product(FOLDERS[:3], {artist, other_artist})
        if other != by  # a self-titled album bears its artist's name, not the wanted artist's
        if _chosen(
            Wanted(artist, album, (Release(1, len(TITLES)),), (), year), _offer(by, other, other_year, folder, FILES[0])
        )
    ]
    assert taken == []
