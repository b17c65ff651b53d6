"""Wishes, quality profiles, and what files offer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import InvalidInput
from shared.settings.registry import REGISTRY
from worker.clients.slskd_answers import File
from worker.matching.formats import DEFAULT_FORMATS, formats_from_profile, known_format
from worker.matching.offers import meets, read_offer

KNOWN = (
    "flac flac24 FLAC alac wav ape wv aiff mp3 mp3-320 mp3-96 mp3-v0 MP3-V2 aac aac-256 m4a m4a-256 ogg ogg-500 opus "
    "opus-160 wma"
)
UNKNOWN = "f flac16 flac-320 alac24 ogg-v0 mp3-v1 mp3-0 mp3-1000 mp3320 -320 txt ٣"


@pytest.mark.parametrize("text", KNOWN.split())
def test_what_can_be_wished_for(text: str) -> None:
    assert known_format(text)


@pytest.mark.parametrize("text", [*UNKNOWN.split(), ""])
def test_what_cannot_be_wished_for(text: str) -> None:
    assert not known_format(text)


@pytest.mark.parametrize("text", [*KNOWN.split(), *UNKNOWN.split(), *DEFAULT_FORMATS, "flac\n", ""])
def test_what_can_be_wished_for_can_be_set(text: str) -> None:
    try:
        REGISTRY["formats"].read([text.lower()])
    except InvalidInput:
        assert not known_format(text) or text != text.strip()
    else:
        assert known_format(text)


@given(st.text())
def test_any_text_is_known_or_not(text: str) -> None:
    assert known_format(text) in {True, False}


def test_the_default_is_lossless_first_then_mp3_320() -> None:
    assert all(map(known_format, DEFAULT_FORMATS))
    assert DEFAULT_FORMATS[0] == "flac"
    assert DEFAULT_FORMATS[6] == "mp3-320"


# Lidarr's profiles as it ships them, worst first, groups laid flat.
_LOSSLESS = ("ALAC", "FLAC", "APE", "WavPack", "FLAC 24bit")
_HIGH = ("MP3-VBR-V0", "AAC-VBR", "MP3-320", "OGG Vorbis Q9", "AAC-320", "OGG Vorbis Q10")


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        (
            [("Unknown", False), *((name, False) for name in _HIGH), *((name, True) for name in _LOSSLESS)],
            ("flac24", "flac", "alac", "wv", "ape"),
        ),
        (
            [("Unknown", True), *((name, True) for name in _HIGH), ("WAV", False)],
            ("ogg-500", "aac-320", "ogg-320", "mp3-320", "aac", "mp3-v0"),
        ),
        ([("MP3-192", True), ("FLAC", True), ("MP3-320", True)], ("mp3-320", "flac", "mp3-192")),
        # Somebody with Apple's players put ALAC above FLAC.
        ([("MP3-VBR-V2", True), ("WMA", True), ("FLAC", True), ("ALAC", True)], ("alac", "flac", "wma", "mp3-v2")),
        ([("Unknown", True)], DEFAULT_FORMATS),
        ([], DEFAULT_FORMATS),
    ],
)
def test_a_quality_profile_comes_to_wishes(profile: list[tuple[str, bool]], expected: tuple[str, ...]) -> None:
    assert formats_from_profile(profile) == expected
    assert all(map(known_format, expected))


def _file(**attributes: object) -> File:
    return File(**({"filename": "x", "size": 0} | attributes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("family", "file", "named", "met", "missed"),
    [
        ("flac", _file(bit_depth=16), (), "flac", "flac24"),
        ("flac", _file(bit_depth=24), (), "flac24", "mp3"),
        ("flac", _file(sample_rate=96_000), (), "flac24", "alac"),
        ("flac", _file(), ("album", "24", "96"), "flac24", "mp3"),
        ("flac", _file(), ("album", "24", "hours"), "flac", "flac24"),
        ("mp3", _file(bit_rate=320), (), "mp3-320", "mp3-v0"),
        ("mp3", _file(bit_rate=245, is_variable_bit_rate=True), (), "mp3-v0", "mp3-320"),
        # Clients that don't tell whether it's variable still tell a rate that no constant one has.
        ("mp3", _file(bit_rate=233), (), "mp3-v0", "mp3-256"),
        ("mp3", _file(bit_rate=192), (), "mp3-192", "mp3-v2"),
        ("mp3", _file(bit_rate=128), (), "mp3", "mp3-192"),
        # 9.6 MB for four minutes.
        ("mp3", _file(size=9_650_000), (), "mp3-320", "mp3-v0"),
        ("mp3", _file(size=3_900_000, length=240), (), "mp3-128", "mp3-192"),
        ("mp3", _file(bit_rate=None), ("album", "v0"), "mp3-v0", "mp3-320"),
        ("aac", _file(bit_rate=256), (), "aac-256", "alac"),
        ("aac", _file(bit_rate=256), (), "m4a", "mp3"),
        ("aac", _file(bit_rate=850), (), "alac", "aac"),
        ("ogg", _file(bit_rate=290, is_variable_bit_rate=True), (), "ogg-320", "ogg-500"),
    ],
)
def test_what_a_file_offers(family: str, file: File, named: tuple[str, ...], met: str, missed: str) -> None:
    offer = read_offer([(file, 240.0)], family, named)
    assert meets(offer, met) is not None, offer.wording
    assert meets(offer, missed) is None, offer.wording


def test_the_worst_file_counts() -> None:
    good, poor = _file(bit_rate=320), _file(bit_rate=128)
    offer = read_offer([(good, None), (good, None), (poor, None)], "mp3", ())
    assert meets(offer, "mp3-320") is None
    assert meets(offer, "mp3") is not None


def test_an_unknown_rate_meets_only_who_takes_any() -> None:
    offer = read_offer([(_file(), None)], "mp3", ("artist", "album"))
    assert offer.wording == "mp3, bit rate unknown"
    assert meets(offer, "mp3-128") is None
    assert meets(offer, "mp3") == 0.5


def test_sixteen_bits_are_enough_where_nobody_wishes_for_more() -> None:
    thin, thick = (read_offer([(_file(bit_depth=bits), None)], "flac", ()) for bits in (16, 24))
    assert (meets(thin, "flac") or 0) > (meets(thick, "flac") or 0) > 0
