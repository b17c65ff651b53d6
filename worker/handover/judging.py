"""Whether files may be imported as an album: what Lidarr says of each, and which tracks of which release they are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from worker.clients.lidarr_answers import Album, Track
from worker.clients.lidarr_candidates import ImportCandidate, ImportFile
from worker.handover.arrived import Arrived
from worker.handover.paths import name_of, same_place
from worker.handover.tracks import Assignment, assign, read_name

# Lidarr calls every rejection permanent; these are of its disk or its set-up.
_NOT_THE_FILES = re.compile(r"free space|root folder|being unpacked|is locked|access to the path", re.IGNORECASE)
# Lidarr couldn't even read the file. Otherwise, where it names no album, it only didn't recognise one.
_BROKEN = re.compile(r"unable to parse file|error processing file", re.IGNORECASE)
_MOST_RELEASES = 8
_MOST_NAMES = 3


@dataclass(frozen=True, slots=True)
class Blocked:
    """Nothing is wrong with the files, yet Lidarr can't import them now."""

    reason: str


@dataclass(frozen=True, slots=True)
class Refused:
    """They aren't the album, or not all of it."""

    reason: str


Pair: TypeAlias = tuple[Arrived, ImportCandidate]


def pair(arrived: Iterable[Arrived], candidates: Iterable[ImportCandidate]) -> tuple[list[Pair], list[Arrived]]:
    """Our files, each with what Lidarr makes of it, and those of ours that it doesn't show. Others are left out."""
    seen = {same_place(candidate.path): candidate for candidate in candidates}
    pairs, missing = [], []
    for file in arrived:
        candidate = seen.get(same_place(file.path))
        if candidate is None:
            missing.append(file)
        else:
            pairs.append((file, candidate))
    return pairs, missing


def objection(pairs: Sequence[Pair], album: Album) -> Blocked | Refused | None:
    """What Lidarr has against the files, in its own words; None where it has nothing against them.

    That it recognises no album is no objection (soulseek's files are often badly tagged), but that it does recognise
    another one is.
    """
    blocked, refused = _Words(), _Words()
    for file, candidate in pairs:
        named = candidate.album
        for rejection in candidate.rejections:
            if rejection.type.lower() == "temporary" or _NOT_THE_FILES.search(rejection.reason):
                blocked.add(rejection.reason, file)
            elif (named is not None and named.id == album.id) or _BROKEN.search(rejection.reason):
                refused.add(rejection.reason, file)
        if named is not None and named.id != album.id and not candidate.rejections:
            refused.add(f"Lidarr takes it for {named.title or 'another album'}", file)
    if refused:
        return Refused(refused.text)
    return Blocked(f"lidarr_cannot_import: {blocked.text}") if blocked else None


def releases_to_try(pairs: Sequence[Pair], album: Album) -> list[int]:
    """The releases of the album that the files may be, by Lidarr's ids: first what it takes them for itself.

    Only the monitored one where Lidarr's owner has settled on that.
    """
    recognised = [candidate.album_release_id for _, candidate in pairs if _recognised(candidate, album)]
    allowed = [release for release in album.releases if album.any_release_ok or release.monitored]
    allowed.sort(key=lambda release: (not release.monitored, release.id))
    as_many = [release.id for release in allowed if release.track_count in (0, len(pairs))]
    return list(dict.fromkeys([*recognised, *as_many]))[:_MOST_RELEASES]


def choose_tracks(
    pairs: Sequence[Pair], album: Album, tracks_of: Mapping[int, Sequence[Track]]
) -> tuple[ImportFile, ...] | Refused:
    """Each file as its tracks of one release, whole: every track has a file, and every file is one. Else why not.

    Lidarr's own word counts where it names the album; names of files tell the rest. Of several releases, the one whose
    titles fit best.
    """
    if not tracks_of:
        counts = ", ".join(sorted({str(release.track_count) for release in album.releases}))
        return Refused(f"no release of the album has {len(pairs)} tracks (there are some with {counts or 'none'})")
    artist = album.artist.artist_name if album.artist else ""
    names = [read_name(file.remote) for file, _ in pairs]
    tried = [
        (release, assign(names, tracks, known=_known(pairs, album, release), beside=(artist, album.title)))
        for release, tracks in tracks_of.items()
    ]
    release, best = max(tried, key=lambda one: (one[1].complete, one[1].score))
    if not best.complete:
        return Refused(_left_over(best, pairs))
    return tuple(
        candidate.chosen(
            artist_id=album.artist_id, album_id=album.id, album_release_id=release, track_ids=best.tracks[place]
        )
        for place, (_, candidate) in enumerate(pairs)
    )


def _recognised(candidate: ImportCandidate, album: Album) -> bool:
    named = candidate.album
    return named is not None and named.id == album.id and bool(candidate.tracks) and candidate.album_release_id > 0


def _known(pairs: Sequence[Pair], album: Album, release: int) -> dict[int, tuple[int, ...]]:
    """What Lidarr itself takes files for, by their place; a track that it gives to two of them is neither's."""
    said = {
        place: tuple(track.id for track in candidate.tracks)
        for place, (_, candidate) in enumerate(pairs)
        if _recognised(candidate, album) and candidate.album_release_id == release
    }
    given = [number for numbers in said.values() for number in numbers]
    return {place: numbers for place, numbers in said.items() if all(given.count(number) == 1 for number in numbers)}


def _left_over(best: Assignment, pairs: Sequence[Pair]) -> str:
    parts = []
    if best.files_left:
        parts.append(f"no track of the album is {_listed([name_of(pairs[file][0].path) for file in best.files_left])}")
    if best.tracks_left:
        parts.append(f"no file is {_listed([track.title for track in best.tracks_left])}")
    return ", ".join(parts)


class _Words:
    """What is said of files, each thing once with the names of the files that it's said of."""

    def __init__(self) -> None:
        self._files: dict[str, list[str]] = {}

    def add(self, reason: str, file: Arrived) -> None:
        self._files.setdefault(reason, []).append(name_of(file.path))

    def __bool__(self) -> bool:
        return bool(self._files)

    @property
    def text(self) -> str:
        return "; ".join(f"{reason} ({_listed(names)})" for reason, names in self._files.items())


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_MOST_NAMES])
    return f"{shown} and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else shown
