"""One text at a time: what is known stays, names and whatever nobody knows get pseudonyms, secrets are masked."""

from __future__ import annotations

import re
import unicodedata

import pytest

from reprise.recording.redaction import Redaction


@pytest.fixture
def redaction() -> Redaction:
    return Redaction()


def test_a_release_keeps_its_structure(redaction: Redaction) -> None:
    written = redaction.name("Portishead - Dummy (1994) [FLAC 24-96] CD1")
    assert re.fullmatch(r"[A-Z][a-z]{9} - [A-Z][a-z]{4} \(19\d\d\) \[FLAC 24-96\] CD1", written)
    assert not {"Portishead", "Dummy", "1994"} & set(re.findall(r"\w+", written))


def test_the_same_words_match_wherever_they_stand(redaction: Redaction) -> None:
    artist, title = redaction.name("Portishead"), redaction.name("Dummy")
    assert redaction.name("@@x\\Music\\PORTISHEAD\\dummy\\01 - Dummy.flac").endswith(
        f"\\{artist.upper()}\\{title.lower()}\\01 - {title}.flac"
    )
    assert redaction.name("/music/Portishead/Dummy").startswith(redaction.name("/music") + "/")
    assert redaction.name("Portishead%20Dummy") == f"{artist}%20{title}"
    assert redaction.person("portishead") == artist.lower()


@pytest.mark.parametrize(
    "text",
    [
        *("01 - X.flac", "07. X.mp3", "1-11 X.flac", "Y - Z - 11 - X.flac", "A1 X.flac"),
        *("CD2", "Disc 12", "Vol. 12 X", "16-44", "FLAC 24bit", "MP3-320"),
    ],
)
def test_what_numbers_tracks_and_discs_or_tells_quality_stays(redaction: Redaction, text: str) -> None:
    known = re.compile(r"\d+|A1|FLAC|MP3|CD|Disc|flac|mp3")
    assert known.findall(redaction.name(text)) == known.findall(text)


@pytest.mark.parametrize("name", ["Live", "The The", "25", "311", "1989", "Deluxe", "2112", "Greatest Hits", "Vinyl"])
def test_a_name_of_ordinary_words_or_a_number_is_a_name(redaction: Redaction, name: str) -> None:
    other = redaction.name(name)
    assert not set(other.split()) & set(name.split())
    # From then on it is one wherever it stands.
    assert name not in redaction.name(f"Somebody - {name} - 03 - Something.flac")


def test_folders_that_everybody_has_stay_where_they_are_folders(redaction: Redaction) -> None:
    assert redaction.name("/mnt/music/Portishead").startswith("/mnt/music/")
    assert redaction.name("Music") != "Music"
    assert redaction.name("/mnt/music/Portishead").startswith("/mnt/music/")
    assert redaction.person("music") != "music"
    assert not redaction.name("/mnt/music/Portishead").startswith("/mnt/music/")


def test_editions_stay_beside_a_name(redaction: Redaction) -> None:
    assert redaction.name("Dummy (Deluxe Edition, Remastered)").endswith(" (Deluxe Edition, Remastered)")


def test_accents_folding_and_other_scripts(redaction: Redaction) -> None:
    for name in ("Sigur Rós", "Кино", "宇多田ヒカル", "Motörhead", "Ænima", "ﬁnale", "Straße"):
        written = redaction.name(name)
        assert _letters(written) == _letters(name)
        assert not set(re.findall(r"\w{2,}", name)) & set(re.findall(r"\w{2,}", written))
    assert redaction.name("x ♥ 😀")[1:] == " ◇ ◇"


def _letters(text: str) -> int:
    return sum(map(str.isalnum, unicodedata.normalize("NFD", text)))


def test_dates_and_times_stay_and_days_of_release_move(redaction: Redaction) -> None:
    for text in ("2025-01-02T03:04:05.1234567Z", "2025-01-02 03:04:05", "00:03:30.1234567", "0001-01-01T00:00:00Z"):
        assert redaction.name(text) == text
    released = redaction.name("2021-02-18T00:00:00Z")
    assert re.fullmatch(r"(199|20[01])\d-02-18T00:00:00Z", released)
    assert redaction.name("2021-02-18") == released[:10]
    assert redaction.name("X (2021)").endswith(f"({released[:4]})")


def test_the_29th_of_february_moves_to_a_day_that_exists() -> None:
    for _ in range(20):
        day = Redaction().name("2024-02-29")
        assert day.endswith("-02-29") == (int(day[:4]) % 4 == 0)


def test_hosts_and_addresses(redaction: Redaction) -> None:
    url = redaction.name("http://nas.example.org:8686/lidarr")
    host = re.fullmatch(r"http://(\w{3}\.\w{7}\.\w{3}):8686/lidarr", url)
    assert host
    assert redaction.message("Unable to connect to nas.example.org") == f"Unable to connect to {host[1]}"
    assert redaction.name("10.0.0.7") != "10.0.0.7"
    assert redaction.name("http://10.0.0.7/") == f"http://{redaction.name('10.0.0.7')}/"
    assert redaction.name("http://localhost:5030/") == "http://localhost:5030/"
    assert len(redaction.tally.hosts) == 2


def test_a_password_in_a_url_is_masked_there_and_everywhere(redaction: Redaction) -> None:
    assert redaction.name("https://joe:correct-horse@x.example/").startswith("https://***@")
    assert redaction.message("login as correct-horse failed") == "login as *** failed"


def test_messages_keep_the_words_of_the_trade(redaction: Redaction) -> None:
    for said in (
        "Album search completed. 12 reports downloaded",
        "This album has already been added",
        "The peer did not acknowledge the download in time",
        "Transfer rejected: File not shared.",
        "Couldn't import: no files found are eligible for import",
    ):
        assert redaction.message(said) == said


def test_names_in_messages_are_names(redaction: Redaction) -> None:
    assert redaction.message("User found appears to be offline") == "User found appears to be offline"
    user = redaction.person("found")
    assert redaction.message("User found appears to be offline") == f"User {user} appears to be offline"
    said = redaction.message("Couldn't import /music/Not Found/01 Wanted.flac: Access denied")
    assert "Not Found" not in said
    assert "Wanted.flac" not in said
    assert said.endswith(".flac: Access denied")
    assert "Wanted" not in redaction.message("Can't parse 'Wanted'")
    assert "Free Album" not in redaction.message("Free Album - Wanted: not found")


def test_secrets_are_masked_wherever_they_stand(redaction: Redaction) -> None:
    assert redaction.mask("s3cret/key+") == "***"
    assert redaction.name("a=s3cret/key+&b") == "a=***&" + redaction.name("b")
    assert redaction.name("a=s3cret%2Fkey%2B") == "a=***"
    assert redaction.mask("********") == "********"
    # Nobody chose well who chose a usual word; but then every text would have holes.
    redaction.mask("lidarr")
    assert redaction.name("lidarr") == "lidarr"


def test_kept_names_are_those_of_the_music_alone() -> None:
    redaction = Redaction(keep_names=True)
    assert redaction.name("Portishead", public=True) == "Portishead"
    assert redaction.name("Dummy (1994)", public=True) == "Dummy (1994)"
    path = redaction.name("/home/joe/music/Portishead/Dummy/01 Mysterons.flac", public=True)
    assert path.endswith("/Portishead/Dummy/01 Mysterons.flac")
    assert "joe" not in path.split("/")
    assert redaction.person("joe77") != "joe77"
    assert "Somebody" not in redaction.name("Portishead by Somebody")
    assert redaction.name("Portishead by Somebody").startswith("Portishead by ")
    mbid = "48140466-cff6-3222-bd55-63c27e43190d"
    assert redaction.name(mbid) == mbid
