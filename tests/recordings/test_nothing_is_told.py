"""Whole sessions, recorded through the command: no secret and no name of theirs stands in the file, in any form."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from reprise.recording.file import read
from shared.config import Config
from tests.recordings import sessions
from tests.reprise.recording.forms import content, told

HERE = Path(__file__).parent
NAMES = re.findall(r"[^\W\d]{4,}", " ".join([sessions.ARTIST, sessions.TITLE, *sessions.TRACKS, sessions.FOLDER]))
# Ordinary words, which are kept.
ORDINARY = {"FLAC", "Music"}
PEOPLE_AND_PLACES = [
    sessions.USER,
    *sessions.USER.split("_"),
    sessions.HOST,
    "klrk",
    "example",
    *sessions.ROOT.split("/")[1:],
]
KEYS = [sessions.LIDARR_KEY, sessions.SLSKD_KEY]


def secrets_of(config: Config) -> list[str]:
    return [*config.secret_values(), *KEYS]


def names() -> list[str]:
    return [name for name in NAMES if name not in ORDINARY]


def test_the_proof_finds_what_is_told() -> None:
    for form in (
        "REYKJAVÍK",
        "reykjav\\u00edk",
        "Reykjav%C3%ADk",
        "RXZlbmluZ3M=",
        "eEV2ZW5pbmdz",
        '"\\\\u0052eykjav\\\\u00edk"',
    ):
        assert told(["Reykjavík", "Evenings"], f'{{"x": "{form}"}}'), form


@pytest.mark.parametrize("name", ["lidarr.jsonl", "lidarr.jsonl.gz"])
async def test_lidarr(config: Config, pool: Any, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    await sessions.record_lidarr(config, pool, path)
    written = content(path)
    assert told([*secrets_of(config), *names(), *PEOPLE_AND_PLACES], written) == []
    # And yet it's of use.
    assert read(path).header.peer_version == "2.14.5.4836"
    assert all(word in written for word in ("AlbumSearch", "reports downloaded", "downloadFailed", "SABnzbd", ".flac"))


async def test_slskd(config: Config, tmp_path: Path) -> None:
    path = tmp_path / "slskd.jsonl"
    await sessions.record_slskd(config, path)
    written = content(path)
    assert told([*secrets_of(config), *names(), *PEOPLE_AND_PLACES], written) == []
    assert all(word in written for word in ("Completed, Succeeded", "DownloadFileComplete", ".flac"))


async def test_kept_names_are_those_of_the_music_alone(config: Config, tmp_path: Path) -> None:
    path = tmp_path / "slskd.jsonl"
    await sessions.record_slskd(config, path, "--keep-names")
    written = content(path)
    assert read(path).header.names == "kept"
    assert set(told(names(), written)) >= {"Evenings", "Harbour", "Lamps", "Tandoş"}
    assert told([*secrets_of(config), *PEOPLE_AND_PLACES, "mhqxa"], written) == []


@pytest.mark.parametrize("path", sorted(HERE.glob("*.jsonl")), ids=lambda path: path.stem)
def test_the_kept_recordings_tell_nothing(path: Path) -> None:
    assert told([*KEYS, *names(), *PEOPLE_AND_PLACES, "of-the-recordings"], content(path)) == []
