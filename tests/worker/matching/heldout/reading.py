"""The held-out cases as they are written: what is looked for, what peers answer, and what a person would choose.

A case is a table of a TOML file beside this one. `releases` are track lists, a track a line with its length behind
it, discs divided by `--`; or only a count, `85 tracks on 4 discs`. A peer's `tree` has its folders at the margin and
their files indented:

    * {n:02} - {title}.flac      one file for each track of the first release
    *r2/1:3-9 {n:02} {title}.mp3 the same for tracks 3 to 9 of disc 1 of release 2
    *green {n:02} {title}.flac   the same for a track list of the case's `lists`
    #1-12 Track {n:02}.flac      one file for each number
    01 Anything else.flac        itself

Behind a `|` stand facts of a file, or of all files in a folder: `320`, `V0`, `24/96` (bits and kHz), `4:05` (its
length), `12MB`, `+20` (seconds longer than the track), `r1` (files in the order of that release, with its
lengths), `bare` (a client that tells no attributes), `locked`.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from worker.clients.slskd_answers import File, Response
from worker.matching import Release, Track, Wanted

AUDIO = ("flac", "mp3", "m4a", "ape")
LOSSLESS = ("flac", "ape")


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """`choose` is every (username, folder) that a person would be content with; empty when it is none of these.

    Where they are said, `count` and `extension` are those of the files that a person would take.
    """

    name: str
    why: str
    wanted: Wanted
    responses: tuple[Response, ...]
    formats: tuple[str, ...]
    choose: tuple[tuple[str, str], ...]
    count: int | None
    extension: str | None


def cases(folder: Path) -> list[Case]:
    """The cases of every file in the folder, in the order of names."""
    files = sorted(folder.glob("*.toml"))
    return [_case(table) for file in files for table in tomllib.loads(file.read_text("utf-8"))["case"]]


def _case(table: dict[str, Any]) -> Case:
    lists = {f"r{at}": text for at, text in enumerate(table.get("releases", ()), 1)} | table.get("lists", {})
    tracks = {name: tuple(_tracks(text)) for name, text in lists.items()}
    wanted = Wanted(
        artist_name=table["artist"],
        album_title=table["album"],
        releases=tuple(_release(at, text) for at, text in enumerate(table.get("releases", ()), 1)),
        aliases=tuple(table.get("aliases", ())),
        year=table.get("year"),
    )
    return Case(
        name=table["name"],
        why=table["why"],
        wanted=wanted,
        responses=tuple(_response(peer, tracks) for peer in table["peer"]),
        formats=tuple(table["formats"]),
        choose=tuple((user, folder) for user, folder in table["choose"]),
        count=table.get("count"),
        extension=table.get("extension"),
    )


def _release(number: int, text: str) -> Release:
    if counted := re.fullmatch(r"(\d+) tracks(?: on (\d+) discs)?", text):
        return Release(number, track_count=int(counted[1]), disc_count=int(counted[2] or 1))
    tracks = tuple(_tracks(text))
    return Release(number, track_count=len(tracks), disc_count=tracks[-1].disc, tracks=tracks)


def _tracks(text: str) -> Iterator[Track]:
    disc = 1
    for line in text.strip().splitlines():
        if line == "--":
            disc += 1
        elif timed := re.fullmatch(r"(.+) (\d+):(\d\d)", line):
            yield Track(timed[1], disc, 60.0 * int(timed[2]) + int(timed[3]))
        else:
            yield Track(line, disc)


def _response(peer: dict[str, Any], tracks: dict[str, tuple[Track, ...]]) -> Response:
    files = list(_files(peer["tree"], tracks))
    return Response(
        username=peer["user"],
        has_free_upload_slot=peer.get("slot", True),
        upload_speed=peer.get("speed", 1_000_000),
        queue_length=peer.get("queue", 0),
        files=tuple(file for file in files if not file.is_locked),
        locked_files=tuple(file for file in files if file.is_locked),
    )


def _files(tree: str, tracks: dict[str, tuple[Track, ...]]) -> Iterator[File]:
    folder, in_folder, at = "", [""], 0
    for line in tree.strip("\n").splitlines():
        text, _, behind = line.partition(" | ")
        facts = behind.split()
        if not line.startswith(" "):
            folder, in_folder, at = text, facts, 0
            continue
        for name, length in _named(text.strip(), tracks):
            order = next((tracks[fact] for fact in in_folder if fact in tracks), ())
            is_audio = name.rpartition(".")[2] in AUDIO
            in_order = order[at].length_s if is_audio and length is None and at < len(order) else None
            at += is_audio
            yield _file(f"{folder}\\{name}", length or in_order, (*in_folder, *facts))


def _named(text: str, tracks: dict[str, tuple[Track, ...]]) -> Iterator[tuple[str, float | None]]:
    """The names that a line stands for, each with its track's length."""
    if numbered := re.match(r"#(\d+)-(\d+) ", text):
        for n in range(int(numbered[1]), int(numbered[2]) + 1):
            yield text[numbered.end() :].format(n=n), None
    elif listed := re.match(r"\*(\w*)(?:/(\d))?(?::(\d+)-(\d+))? ", text):
        chosen = [one for one in tracks[listed[1] or "r1"] if one.disc == int(listed[2] or one.disc)]
        discs = [one.disc for one in chosen]
        span = slice(int(listed[3] or 1) - 1, int(listed[4] or len(chosen)))
        for at, track in list(enumerate(chosen))[span]:
            title = _typed(track.title)
            n = at + 1 - discs.index(track.disc)
            yield text[listed.end() :].format(n=n, d=track.disc, title=title, scene=_scene(title)), track.length_s
    else:
        yield text, None


def _typed(title: str) -> str:
    """A title as people type it, in a name that Windows takes."""
    plain = re.sub("[\u2018\u2019\u201c\u201d]", "'", re.sub("[\u2010\u2013]", "-", title)).replace("\u2026", "...")
    return re.sub(r'[\\/:*?"<>|]', "_", plain)


def _scene(title: str) -> str:
    """A title in the letters that releases of the scene use."""
    ascii_only = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    return re.sub(r"\s+", "_", re.sub(r"[^\w\s()-]", "", ascii_only.lower()))


def _file(filename: str, track_s: float | None, facts: tuple[str, ...]) -> File:
    kind = filename.rpartition(".")[2]
    told = " ".join(facts)
    locked = "locked" in facts
    if size := re.search(r"(\d+)MB", told):
        return File(filename=filename, size=int(size[1]) * 1_000_000, is_locked=locked)
    if kind not in AUDIO:
        return File(filename=filename, size=20_000 + len(filename) * 321, is_locked=locked)
    times = re.findall(r"\b(\d+):(\d\d)\b", told)
    shift = sum(int(number) for number in re.findall(r"(?<!\S)[+-]\d+(?!\S)", told))
    usual = 150 + len(filename) * 37 % 180
    length = 60 * int(times[-1][0]) + int(times[-1][1]) if times else round(track_s or usual) + shift
    depth, khz = (re.findall(r"\b(\d\d)/(\d+)\b", told) or [("16", "44")])[-1]
    hertz = {"44": 44_100, "48": 48_000, "96": 96_000, "192": 192_000}[khz]
    rates = re.findall(r"(?<!\S)(V0|\d{2,3})(?!\S)", told)
    rate = (228 + len(filename) * 7 % 35 if rates[-1] == "V0" else int(rates[-1])) if rates else None
    kbps = int(depth) * hertz * 2 * 0.62 / 1000 if kind in LOSSLESS else rate or 224
    size_bytes = round(length * kbps * 125) + 40_000
    if "bare" in facts:
        return File(filename=filename, size=size_bytes, is_locked=locked)
    if kind in LOSSLESS:
        return File(
            filename=filename,
            size=size_bytes,
            bit_depth=int(depth),
            sample_rate=hertz,
            length=length,
            is_locked=locked,
        )
    varies = bool(rates) and rates[-1] == "V0"
    return File(
        filename=filename,
        size=size_bytes,
        bit_rate=rate,
        is_variable_bit_rate=varies if rates else None,
        length=length,
        is_locked=locked,
    )
