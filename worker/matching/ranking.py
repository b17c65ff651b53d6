"""Rank what peers answered to a search against the album that is wanted."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from worker.clients.slskd_answers import File, Response
from worker.matching.formats import DEFAULT_FORMATS
from worker.matching.names import place, without_stops, words
from worker.matching.offers import FAMILY_OF_EXTENSION, meets, read_offer
from worker.matching.wanted import Candidate, Ranking, Refused, Wanted, WantedFile

MAX_REFUSED = 50


def rank(
    responses: Sequence[Response],
    wanted: Wanted,
    *,
    formats: Sequence[str],
    peers_out: AbstractSet[str] = frozenset(),
    blocked: AbstractSet[tuple[str, str]] = frozenset(),
    max_bytes: int | None = None,
) -> Ranking:
    """Candidates for `wanted`, best first, and what was refused.

    formats: wishes, best first (formats.py); DEFAULT_FORMATS when empty. peers_out: users not to be asked.
    blocked: (user, folder) that proved bad. The order of responses and of their files makes no difference.
    """
    wishes = tuple(formats) or DEFAULT_FORMATS
    found: list[Candidate] = []
    refused: list[Refused] = []
    for response in responses:
        folders: defaultdict[tuple[str, str], list[File]] = defaultdict(list)
        for file in sorted(response.files, key=lambda file: file.filename):
            folder, _, name = file.filename.rpartition("\\")
            family = FAMILY_OF_EXTENSION.get(name.rpartition(".")[2].lower())
            if family and not file.is_locked:
                folders[folder, family].append(file)
        for (folder, family), files in folders.items():
            verdict: Candidate | str = "peer is out"
            if (response.username, folder) in blocked:
                verdict = "blocked"
            elif response.username not in peers_out:
                verdict = _judge(response, (folder, family), files, wanted, wishes)
            if isinstance(verdict, Candidate) and max_bytes is not None and verdict.size_bytes > max_bytes:
                verdict = "too large"
            if isinstance(verdict, Candidate):
                found.append(verdict)
            else:
                refused.append(Refused(response.username, folder, verdict, verdict))
    found.sort(key=lambda one: (-one.score, one.username, one.folder, one.format))
    refused.sort(key=lambda one: (one.kind, one.username, one.folder))
    counts = Counter(one.kind for one in refused)
    return Ranking(tuple(found), tuple(refused[:MAX_REFUSED]), tuple(sorted(counts.items())))


def _judge(
    response: Response, folder: tuple[str, str], files: Sequence[File], wanted: Wanted, wishes: Sequence[str]
) -> Candidate | str:
    path, family = folder
    named = without_stops(words(path))
    if place(without_stops(words(wanted.album_title)), named) is None:
        return "another album"
    if not any(place(without_stops(words(name)), named) is not None for name in (wanted.artist_name, *wanted.aliases)):
        return "another artist"
    releases = [release for release in wanted.releases if release.track_count == len(files)]
    if wanted.releases and not releases:
        return "another number of tracks"
    offer = read_offer([(file, None) for file in files], family, words(path))
    for position, wish in enumerate(wishes):
        if (quality := meets(offer, wish)) is not None:
            quality *= 1 - position / len(wishes)
            break
    else:
        return "format not wished"
    peer = 0.5 * response.has_free_upload_slot + 0.5 / (1 + response.queue_length)
    return Candidate(
        username=response.username,
        folder=path,
        files=tuple(WantedFile(file.filename, file.size) for file in files),
        release_id=releases[0].id if releases else None,
        format=wish,
        size_bytes=sum(file.size for file in files),
        score=0.5 + 0.3 * quality + 0.2 * peer,
        explanation=("artist and album in the folder's name", f"{len(files)} files", offer.wording),
    )
