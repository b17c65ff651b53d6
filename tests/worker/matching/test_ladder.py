"""What is searched for, rung by rung."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.matching import Wanted, queries
from worker.matching.ladder import MAX_CHARS


@pytest.mark.parametrize(
    ("artist", "album", "expected"),
    [
        (
            "Nirvana",
            "Nevermind",
            ("Nirvana Nevermind", "Nevermind", "Nirvana"),
        ),
        (
            "Sigur Rós",
            "Ágætis byrjun",
            ("Sigur Rós Ágætis byrjun", "Sigur Ros Agaetis byrjun", "Ágætis byrjun", "Agaetis byrjun", "Sigur Rós"),
        ),
        # An album called II is found by everything.
        ("Led Zeppelin", "II", ("Led Zeppelin II", "Led Zeppelin")),
        ("Queen", "Greatest Hits", ("Queen Greatest Hits", "Queen")),
        # Its name alone finds too much, and so does the album's.
        ("U2", "War", ("U2 War",)),
        # Self-titled: once is enough.
        ("Weezer", "Weezer", ("Weezer",)),
        (
            "AC/DC",
            "Back in Black (Deluxe Edition)",
            (
                "AC/DC Back in Black (Deluxe Edition)",
                "AC DC Back in Black",
                "Back in Black (Deluxe Edition)",
                "Back in Black",
                "AC/DC",
            ),
        ),
        ("Кино", "Группа крови", ("Кино Группа крови", "Kino Gruppa krovi", "Группа крови", "Gruppa krovi", "Кино")),
        # Nobody writes out Various Artists.
        ("Various Artists", "Lost in Translation", ("Lost in Translation", "VA Lost in Translation")),
        # A word with a hyphen before it would be excluded.
        ("Ladytron", "-604- *", ("Ladytron 604-", "Ladytron 604", "Ladytron")),
    ],
)
def test_the_ladder(artist: str, album: str, expected: tuple[str, ...]) -> None:
    assert queries(Wanted(artist, album)) == expected


def test_an_artist_known_by_other_names_is_searched_by_them_too() -> None:
    found = queries(
        Wanted("椎名林檎", "無罪モラトリアム", aliases=("Shiina Ringo", "椎名林檎", "Sheena Ringo", "Ringo"))
    )
    assert found == (
        "椎名林檎 無罪モラトリアム",
        "Shiina Ringo 無罪モラトリアム",
        "Sheena Ringo 無罪モラトリアム",
        "無罪モラトリアム",
        "椎名林檎",
    )


@given(st.text(max_size=150), st.text(max_size=150), st.lists(st.text(max_size=40), max_size=4))
def test_any_name_makes_texts_that_can_be_searched(artist: str, album: str, aliases: list[str]) -> None:
    found = queries(Wanted(artist, album, aliases=tuple(aliases)))
    assert all(text.strip() and len(text) <= MAX_CHARS for text in found)
    assert len({text.casefold() for text in found}) == len(found)
