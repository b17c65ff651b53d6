"""What Lidarr calls a file of slskd's, on machines of either kind."""

from __future__ import annotations

import string
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.settings.paths import PathMapping
from worker.handover.paths import (
    as_lidarr_sees,
    below,
    folder_of,
    folders_to_look_in,
    mark_of,
    name_of,
    own_folder_of,
    same_place,
)

NAS, SHARE = "\\\\nas\\music", "\\\\nas\\music\\slskd"
STEPS = st.lists(st.text(string.ascii_letters + " .-[]'é", min_size=1, max_size=8), min_size=1, max_size=4)


def mapped(path: str, *pairs: tuple[str, str]) -> str:
    return as_lidarr_sees(path, [PathMapping(slskd=ours, lidarr=theirs) for ours, theirs in pairs])


@pytest.mark.parametrize(
    ("path", "pairs", "seen"),
    [
        ("/downloads/a/1.flac", [], "/downloads/a/1.flac"),
        ("/downloads/a/1.flac", [("/downloads", "/data/soulseek")], "/data/soulseek/a/1.flac"),
        ("/downloads/a/1.flac", [("/downloads/", "/data/soulseek/")], "/data/soulseek/a/1.flac"),
        ("/downloads/a/1.flac", [("/", "/slskd")], "/slskd/downloads/a/1.flac"),
        ("/app/downloads/a/1.flac", [("/app/downloads", "/")], "/a/1.flac"),
        ("/downloads", [("/downloads", "/data")], "/data"),
        # A name that only begins alike is another folder.
        ("/downloads2/a/1.flac", [("/downloads", "/data")], "/downloads2/a/1.flac"),
        ("/Downloads/a/1.flac", [("/downloads", "/data")], "/Downloads/a/1.flac"),
        # The most precise one, in whatever order they are given.
        ("/d/more/a/1.flac", [("/d", "/one"), ("/d/more", "/two"), ("/", "/three")], "/two/a/1.flac"),
        ("/d/more/a/1.flac", [("/d/more", "/two"), ("/d", "/one")], "/two/a/1.flac"),
        # Windows on either side, with its case and its slashes.
        ("C:\\slskd\\Downloads\\a\\1.flac", [("c:\\slskd\\downloads", "/data")], "/data/a/1.flac"),
        ("C:/slskd/downloads/a/1.flac", [("C:\\slskd\\downloads", "/data")], "/data/a/1.flac"),
        ("C:\\slskd\\a\\1.flac", [("C:\\", "D:\\in\\")], "D:\\in\\slskd\\a\\1.flac"),
        ("/downloads/a/1.flac", [("/downloads", "Z:\\in")], "Z:\\in\\a\\1.flac"),
        ("/downloads/a/1.flac", [("/downloads", "Z:/in")], "Z:/in/a/1.flac"),
        (f"{SHARE}\\a\\1.flac", [(NAS, "/mnt/nas"), (SHARE, "/slskd")], "/slskd/a/1.flac"),
        ("/downloads/a/1.flac", [("/downloads", SHARE)], f"{SHARE}\\a\\1.flac"),
        # On Unix a backslash is a letter like any other.
        ("/downloads/AC\\DC/1.flac", [("/downloads", "/data")], "/data/AC\\DC/1.flac"),
        ("/downloads/Sigur Ro\u0301s/1.flac", [("/downloads/Sigur R\u00f3s", "/data")], "/data/1.flac"),
    ],
)
def test_a_path_is_what_the_closest_mapping_makes_of_it(path: str, pairs: list[tuple[str, str]], seen: str) -> None:
    assert mapped(path, *pairs) == seen


@given(STEPS, STEPS)
def test_mapping_there_and_back_changes_nothing(root: list[str], rest: list[str]) -> None:
    ours, theirs = "/" + "/".join(root), "Z:\\in"
    path = f"{ours}/{'/'.join(rest)}"
    there = mapped(path, (ours, theirs))
    assert there == "\\".join([theirs, *rest])
    assert same_place(mapped(there, (theirs, ours))) == same_place(path)


def test_steps_are_counted_from_a_folder_that_the_path_is_in() -> None:
    assert below("/downloads/a/1.flac", "/downloads") == ("a", "1.flac")
    assert below("/downloads", "/downloads/") == ()
    assert below("/downloads", "/downloads/a") is None
    assert below("/c/a", "C:\\a") is None
    assert below("\\\\c:\\a", "C:\\") is None


def test_names_and_folders() -> None:
    assert (name_of("/d/a/1.flac"), folder_of("/d/a/1.flac"), folder_of("/1.flac")) == ("1.flac", "/d/a", "/")
    assert (name_of("C:\\d\\1.flac"), folder_of("C:\\d\\1.flac")) == ("1.flac", "C:\\d")


def test_the_same_place_is_known_by_any_spelling() -> None:
    assert same_place("C:\\D\\É.flac") == same_place("c:/d/e\u0301.flac")
    assert same_place("/D/a") != same_place("/d/a")


MARK = mark_of(UUID("0197b2c4-5d1c-7e8e-9d7b-2c1f6b0a7a51"), 2)


@pytest.mark.parametrize("root", ["/d", "C:\\d"])
def test_all_discs_are_in_the_attempts_own_folder(root: str) -> None:
    slash = root[-2]
    own = f"{root}{slash}A - B {MARK}"
    paths = [f"{own}{slash}{name}" for name in (f"CD1{slash}1.flac", f"CD2{slash}1.flac")]
    assert MARK == "[0197b2c4-2]"
    assert {own_folder_of(path, MARK) for path in paths} == {own}
    assert folders_to_look_in(paths, MARK) == [own]
    assert own_folder_of(f"{root}{slash}A - B [0197b2c4-22]{slash}1.flac", MARK) is None


def test_without_an_own_folder_each_is_looked_into_by_itself() -> None:
    paths = ["/d/CD1/1.flac", "/d/CD1/2.flac", "/d/CD2/1.flac"]
    assert folders_to_look_in(paths, MARK) == ["/d/CD1", "/d/CD2"]
    assert folders_to_look_in([*paths, f"/d/X {MARK}/1.flac"], MARK) == ["/d/CD1", "/d/CD2", f"/d/X {MARK}"]
