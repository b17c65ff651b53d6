"""Pseudonyms have the shape of what they stand for, and are the same for the same."""

from __future__ import annotations

import re
import unicodedata
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reprise.recording.pseudonyms import Pseudonyms

WORDS = st.text(st.characters(categories=["Lu", "Ll", "Lo", "Nd"]), min_size=1, max_size=12)


@settings(max_examples=50, deadline=None)
@given(st.lists(WORDS, min_size=1, max_size=20))
def test_a_word_has_one_pseudonym_of_its_shape(words: list[str]) -> None:
    pseudonyms = Pseudonyms()
    first = [pseudonyms.word(word) for word in words]
    assert [pseudonyms.word(word) for word in words] == first
    for word, other in zip(words, first, strict=True):
        known, drawn = unicodedata.normalize("NFC", word), unicodedata.normalize("NFC", other)
        if word.isascii():
            assert [one.isdigit() for one in known] == [one.isdigit() for one in drawn]
            assert [one.isupper() for one in known] == [one.isupper() for one in drawn]


def test_case_accents_and_apostrophes_stay_what_tells_words_apart() -> None:
    pseudonyms = Pseudonyms()
    plain = pseudonyms.word("bjork")
    assert pseudonyms.word("BJORK") == plain.upper()
    folded = unicodedata.normalize("NFD", pseudonyms.word("Björk"))
    assert folded.replace("\u0308", "") == plain.capitalize()
    assert pseudonyms.word("don't").replace("'", "") == pseudonyms.word("dont")


def test_different_words_are_told_apart() -> None:
    pseudonyms = Pseudonyms()
    words = [f"{first}{second}" for first in "abcdefgh" for second in "nopqrstuvwxyz"]
    assert len({pseudonyms.word(word) for word in words}) == len(words)


def test_no_pseudonym_is_a_word_that_means_something_or_was_there() -> None:
    reserved = {first + second for first in "bcdfghjklmnpqrstvwxyz" for second in "aeiou"} - {"ba"}
    pseudonyms = Pseudonyms(reserved=reserved)
    drawn = pseudonyms.word("xx")
    assert drawn not in reserved
    assert drawn != "xx"


@pytest.mark.parametrize(
    ("word", "script"), [("Кино", "CYRILLIC"), ("宇多田", "CJK"), ("ヒカル", "KATAKANA"), ("서울", "HANGUL")]
)
def test_other_scripts_stay_what_they_are(word: str, script: str) -> None:
    other = Pseudonyms().word(word)
    assert len(other) == len(word)
    assert all(unicodedata.name(letter).startswith(script) for letter in other)


def test_numbers_keep_their_length_and_years_move_together() -> None:
    pseudonyms = Pseudonyms()
    assert len(pseudonyms.number("182")) == 3
    assert pseudonyms.number("182") == pseudonyms.number("182")
    first, second = int(pseudonyms.number("1994")), int(pseudonyms.number("2001"))
    assert first < 1994
    assert second - first == 7


def test_ids_keep_version_and_case() -> None:
    pseudonyms = Pseudonyms()
    guid = uuid4()
    other = UUID(pseudonyms.guid(str(guid)))
    assert other != guid
    assert (other.version, other.variant) == (guid.version, guid.variant)
    assert pseudonyms.guid(str(guid).upper()) == str(other).upper()
    assert pseudonyms.guid(str(UUID(int=0))) == str(UUID(int=0))
    info_hash = "0BEEC7B5EA3F0FDBC95D0DD47F3C5BC275DA8A33"
    assert re.fullmatch(r"[0-9A-F]{40}", pseudonyms.hexadecimal(info_hash))
    assert pseudonyms.hexadecimal(info_hash.lower()) == pseudonyms.hexadecimal(info_hash).lower()


def test_addresses_become_nobodys() -> None:
    pseudonyms = Pseudonyms()
    assert pseudonyms.address("192.168.1.20").startswith("198.18.")
    assert pseudonyms.address("fe80::1").startswith("2001:db8::")
    assert [pseudonyms.address(one) for one in ("127.0.0.1", "::1", "0.0.0.0")] == ["127.0.0.1", "::1", "0.0.0.0"]
    with pytest.raises(ValueError, match="256"):
        pseudonyms.address("256.1.1.1")
