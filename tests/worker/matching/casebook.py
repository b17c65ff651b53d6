"""Reads the cases: albums, what peers share, and what a person would choose.

A release is written "Title 3:21; Title 4:56", its discs divided by " || ".

A folder's files are listed by name; `{title}`, `{n}`, `{disc}` in a name stand for every track of the wanted album's
first release, or of the one that `of` names. After a bar come attributes: `320`, `v245` (variable), `16bit`,
`24bit`, `3:55`, `locked`, `nolength`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import yaml

from worker.clients.slskd_answers import File, Response
from worker.matching import Release, Track, Wanted

CASES = Path(__file__).with_name("cases")
_TRACK = re.compile(r"(?P<title>.*?)(?:\s+(?P<minutes>\d+):(?P<seconds>\d\d))?")
_KBPS = {"flac": 900, "wav": 1411, "ape": 850, "m4a": 256, "ogg": 256, "opus": 160, "wma": 192}


class Case(msgspec.Struct, frozen=True):
    name: str
    why: str
    wanted: Wanted
    responses: tuple[Response, ...]
    formats: tuple[str, ...]
    expect: dict[str, Any]
    options: dict[str, Any]


def cases() -> list[Case]:
    albums = yaml.safe_load((CASES / "albums.yaml").read_text("utf-8"))
    found = []
    for path in sorted(CASES.glob("*.yaml")):
        if path.name != "albums.yaml":
            found += [_case(raw, albums) for raw in yaml.safe_load(path.read_text("utf-8"))]
    return found


def _case(raw: dict[str, Any], albums: dict[str, Any]) -> Case:
    named = raw["wanted"]
    album = albums[named] if isinstance(named, str) else {**albums.get(named.get("like"), {}), **named}
    expect = raw["expect"]
    return Case(
        name=raw["name"],
        why=raw["why"],
        wanted=_wanted(album),
        responses=tuple(_response(name, peer, album, albums) for name, peer in raw["peers"].items()),
        formats=tuple(raw.get("formats", ("flac", "mp3-320", "mp3-v0", "mp3"))),
        expect={"peer": expect} if isinstance(expect, str) else expect or {},
        options=raw.get("options", {}),
    )


def _wanted(album: dict[str, Any]) -> Wanted:
    releases = [
        Release(number, track_count=len(tracks), disc_count=max(track.disc for track in tracks), tracks=tuple(tracks))
        for number, listed in enumerate(album.get("releases", ()), start=1)
        if (tracks := list(_tracks(listed)))
    ]
    releases += [Release(100 + count, track_count=count) for count in album.get("counts", ())]
    return Wanted(
        str(album["artist"]), str(album["album"]), tuple(releases), tuple(album.get("aliases", ())), album.get("year")
    )


def _tracks(listed: str) -> Iterator[Track]:
    for disc, titles in enumerate(listed.split(" || "), start=1):
        for text in titles.split("; "):
            match = _TRACK.fullmatch(text)
            assert match is not None
            length = int(match["minutes"]) * 60 + int(match["seconds"]) if match["minutes"] else None
            yield Track(match["title"], disc, length)


def _response(name: str, peer: dict[str, Any], album: dict[str, Any], albums: dict[str, Any]) -> Response:
    files: list[File] = []
    for folder, listed in peer["folders"].items():
        of = albums[listed["of"]] if isinstance(listed, dict) and "of" in listed else album
        release = (listed.get("release", 1) if isinstance(listed, dict) else 1) - 1
        tracks = list(_tracks(of["releases"][release])) if of.get("releases") else []
        for line in listed["files"] if isinstance(listed, dict) else listed:
            files += _files(folder, str(line), tracks, listed.get("disc") if isinstance(listed, dict) else None)
    locked = tuple(file for file in files if file.is_locked) if peer.get("lists_locked_apart") else ()
    return Response(
        username=name,
        has_free_upload_slot=peer.get("slot", True),
        upload_speed=int(peer.get("speed", 1.0) * 1_000_000),
        queue_length=peer.get("queue", 0),
        files=tuple(file for file in files if file not in locked),
        locked_files=locked,
    )


def _files(folder: str, line: str, tracks: list[Track], only_disc: int | None) -> Iterator[File]:
    name, _, text = line.partition(" | ")
    attributes = text.split()
    if not re.search(r"\{(title|n\b|n:|all)", name):
        yield _file(folder, name, attributes, None)
        return
    numbers: dict[int, int] = {}
    for position, track in enumerate(tracks, start=1):
        numbers[track.disc] = numbers.get(track.disc, 0) + 1
        if only_disc in {None, track.disc}:
            safe = re.sub(r'[\\/:*?"<>|]', "_", track.title)
            filled = name.format(title=safe, n=numbers[track.disc], all=position, disc=track.disc)
            yield _file(folder, filled, attributes, track.length_s)


def _file(folder: str, name: str, attributes: list[str], length_s: float | None) -> File:
    extension = name.rpartition(".")[2].lower()
    found: dict[str, Any] = {}
    kbps = _KBPS.get(extension, 320)
    length = int(length_s or 240)
    for attribute in attributes:
        if attribute == "locked":
            found["is_locked"] = True
        elif attribute.endswith("bit"):
            found["bit_depth"] = int(attribute[:-3])
            kbps = 3000 if attribute == "24bit" else 900
        elif match := re.fullmatch(r"(\d+):(\d\d)", attribute):
            length = int(match[1]) * 60 + int(match[2])
            length_s = length
        elif attribute == "nolength":
            length_s = None
        else:
            kbps = int(attribute.removeprefix("v"))
            found |= {"bit_rate": kbps} | ({"is_variable_bit_rate": True} if attribute.startswith("v") else {})
    if length_s and extension != "nfo":
        found["length"] = int(length_s)
    return File(filename=f"{folder}\\{name}", size=kbps * 125 * length, **found)
