"""Files find their tracks by their names, however people write them."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from worker.clients.lidarr_answers import Track
from worker.handover.tracks import Assignment, Name, assign, read_name

SHORT = ["Opening", "Slow Water", "Closing"]


def album(*discs: list[str], sides: Sequence[str] = ()) -> list[Track]:
    """Tracks as Lidarr has them, numbered from 1 on each disc, or by sides of a record."""
    found: list[Track] = []
    for disc, titles in enumerate(discs, 1):
        for number, title in enumerate(titles, 1):
            sleeve = sides[number - 1] if sides else str(number)
            found.append(
                Track(
                    id=100 + len(found),
                    title=title,
                    medium_number=disc,
                    track_number=sleeve,
                    absolute_track_number=len(found) + 1,
                )
            )
    return found


def given(files: list[str], tracks: list[Track], folder: str = "@@x\\Music\\Band - Album") -> Assignment:
    names = [read_name(file if "\\" in file else f"{folder}\\{file}") for file in files]
    return assign(names, tracks, known={}, beside=("Band", "Album"))


def in_order(count: int) -> dict[int, tuple[int, ...]]:
    return {place: (100 + place,) for place in range(count)}


@pytest.mark.parametrize(
    ("remote", "name"),
    [
        ("x\\01 Opening.flac", Name(("1", "opening"), "1")),
        ("x\\CD2\\03. Opening.flac", Name(("3", "opening"), "3", 2)),
        ("x\\Disc 1 - Early\\03_Opening.flac", Name(("3", "opening"), "3", 1)),
        ("x\\2-03 Opening.flac", Name(("2", "3", "opening"), "3", 2)),
        ("x\\203 Opening.flac", Name(("203", "opening"), "203", None, (2, "3"))),
        ("x\\A1 Opening.flac", Name(("a1", "opening"), "a1")),
        ("x\\Band - Album - 07 - Opening.flac", Name(("band", "album", "7", "opening"), "7")),
        ("x\\Opening.flac", Name(("opening",))),
        ("Opening", Name(("opening",))),
        ("x\\05 Opening (feat. Somebody Else).flac", Name(("5", "opening"), "5")),
    ],
)
def test_a_name_tells_title_number_and_disc(remote: str, name: Name) -> None:
    assert read_name(remote) == name


@pytest.mark.parametrize(
    "files",
    [
        ["01 Opening.flac", "02 Slow Water.flac", "03 Closing.flac"],
        ["1. opening.mp3", "2. SLOW WATER.mp3", "3. closing.mp3"],
        ["Band - Album - 01 - Opening.flac", "Band - Album - 02 - Slow Water.flac", "Band - Album - 03 - Closing.flac"],
        ["Opening.flac", "Slow Water.flac", "Closing.flac"],
        ["01.flac", "02.flac", "03.flac"],
        ["Track 01.flac", "Track 02.flac", "Track 03.flac"],
        ["Band - 01.flac", "Band - 02.flac", "Band - 03.flac"],
        ["01 Opning.flac", "02 Slow Watter.flac", "03 Closing (2009 Remaster).flac"],
        ["01_opening.flac", "02_slow_water.flac", "03_closing.flac"],
        ["01 Opening (feat. Ann).flac", "02 Slow Water.flac", "03 Closing ft. Bob.flac"],
        # A title that is right counts for more than a number that isn't.
        ["02 Opening.flac", "01 Slow Water.flac", "03 Closing.flac"],
    ],
)
def test_however_they_are_named(files: list[str]) -> None:
    found = given(files, album(SHORT))
    assert (found.tracks, found.complete) == (in_order(3), True)


@pytest.mark.parametrize(
    ("files", "tracks"),
    [
        (["Intro.flac", "Song.flac", "Intro (Reprise).flac"], album(["Intro", "Song", "Intro (Reprise)"])),
        (["01 1979.flac", "02 7.flac"], album(["1979", "7"])),
        (["01 Part II.flac", "02 Part I.flac"], album(["Part 2", "Part One"])),
        (["01 Señorita.flac", "02 Don't.flac"], album(["Senorita", "Don\u2019t"])),
        (["CD1\\01 Intro.flac", "CD1\\02 A.flac", "CD2\\01 Intro.flac"], album(["Intro", "A"], ["Intro"])),
        (["1-01 Intro.flac", "1-02 A.flac", "2-01 Intro.flac"], album(["Intro", "A"], ["Intro"])),
        (["101 Intro.flac", "102 A.flac", "201 Intro.flac"], album(["Intro", "A"], ["Intro"])),
        (["CD1\\01.flac", "CD1\\02.flac", "CD2\\01.flac"], album(["Intro", "A"], ["Intro"])),
        (["01 Intro.flac", "02 A.flac", "03 B.flac"], album(["Intro", "A"], ["B"])),
        (["A1.flac", "A2.flac", "B1.flac"], album(SHORT, sides=["A1", "A2", "B1"])),
        (["01.flac", "02.flac", "03.flac"], album(SHORT, sides=["A1", "A2", "B1"])),
        (["01 !!!.flac", "02 ...flac"], album(["!!!", "..."])),
        (["01 花.flac", "02 海.flac"], album(["花", "海"])),
    ],
)
def test_hard_ones(files: list[str], tracks: list[Track]) -> None:
    found = given(files, tracks)
    assert (found.tracks, found.complete) == (in_order(len(files)), True)


def test_the_order_of_files_makes_no_difference() -> None:
    tracks = album([f"Song {letter}" for letter in "abcdefghij"])
    files = [f"{place:02d} {track.title}.flac" for place, track in enumerate(tracks, 1)]
    shuffled = random.Random(7).sample(files, len(files))
    found = given(shuffled, tracks)
    assert found.complete
    assert {shuffled[file]: numbers for file, numbers in found.tracks.items()} == {
        file: (track.id,) for file, track in zip(files, tracks, strict=True)
    }


def test_what_fits_nowhere_is_left_over() -> None:
    found = given(["01 Opening.flac", "02 Something Else.flac", "03 Closing.flac"], album(SHORT))
    assert not found.complete
    assert (found.files_left, [track.title for track in found.tracks_left]) == ((1,), ["Slow Water"])


def test_two_files_never_are_one_track() -> None:
    found = given(["01 Opening.flac", "01 Opening (1).flac"], album(SHORT[:2]))
    assert (found.files_left, len(found.tracks_left)) == ((1,), 1)


def test_what_is_known_stays() -> None:
    names = [read_name("x\\one.flac"), read_name("x\\02 Closing.flac")]
    found = assign(names, album(["Opening", "Slow Water", "Closing"]), known={0: (100, 101)})
    assert (found.tracks, found.complete) == ({0: (100, 101), 1: (102,)}, True)
