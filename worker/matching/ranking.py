"""Rank what peers answered to a search against the album that is wanted."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet

import msgspec

from worker.clients.slskd_answers import File, Response
from worker.matching.claims import Claim, read_claim
from worker.matching.evidence import gather_evidence
from worker.matching.fitting import Heard
from worker.matching.folders import Folder, Sound, folder_name, gather, locked_audio
from worker.matching.formats import DEFAULT_FORMATS
from worker.matching.judging import judge
from worker.matching.names import key
from worker.matching.scoring import score
from worker.matching.stems import Named, read_named
from worker.matching.subject import Subject
from worker.matching.verdict import NotIt
from worker.matching.wanted import Candidate, Ranking, Refused, Wanted

MAX_REFUSED = 50
# Before what is known of a folder's other files, unless they came near.
_LOCKED_NEARNESS = 0.45


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
    blocked: (user, folder) that proved bad. The order of responses and of their files makes no difference, and no
    response changes the score of another.
    """
    limits = _Limits(tuple(formats) or DEFAULT_FORMATS, peers_out, blocked, max_bytes)
    judgement = _Judgement(Subject(wanted), limits)
    found: dict[tuple[str, str], Candidate] = {}
    refused: dict[tuple[str, str], tuple[float, Refused]] = {}

    def refuse(at: tuple[str, str], why: NotIt) -> None:
        one = why.nearness, Refused(*at, why.reason, why.kind)
        refused[at] = max(refused.get(at, one), one, key=_nearness)

    for response in responses:
        for path, count in locked_audio(response).items():
            refuse((response.username, path), NotIt("locked", f"locked files: {count}", _LOCKED_NEARNESS))
        for folder in gather(_distinct(response.files)):
            at = response.username, folder.path
            for verdict in judgement.of(folder, response):
                if isinstance(verdict, Candidate):
                    found[at] = min(found.get(at, verdict), verdict, key=_order)
                else:
                    refuse(at, verdict)
    nearest_first = sorted(
        (-nearness, one.username, one.folder, one) for at, (nearness, one) in refused.items() if at not in found
    )
    counts = Counter(one.kind for *_, one in nearest_first)
    return Ranking(
        tuple(sorted(found.values(), key=_order)),
        tuple(one for *_, one in nearest_first[:MAX_REFUSED]),
        tuple(sorted(counts.items())),
    )


def _distinct(files: Iterable[File]) -> list[File]:
    """Each file once, by its full name: some peers' clients list it twice."""
    by_name: dict[str, File] = {}
    for file in files:
        known = by_name.get(file.filename)
        if known is None or repr(file) > repr(known):
            by_name[file.filename] = file
    return list(by_name.values())


def _nearness(refusal: tuple[float, Refused]) -> tuple[float, str, str]:
    return refusal[0], refusal[1].kind, refusal[1].reason


def _order(candidate: Candidate) -> tuple[float, str, str, tuple[str, ...]]:
    return -candidate.score, candidate.username, candidate.folder, tuple(file.filename for file in candidate.files)


def _as_album(folder: Folder, subject: Subject) -> Folder:
    """What lies right below the artist under the album's very name is the album, though it be called "LP1" or "2"."""
    name = folder_name(folder.path)
    is_disc_by_name = folder.disc is not None and folder.names and key(folder.names[-1]) in subject.artist_keys
    if not is_disc_by_name or key(name) not in subject.title_keys:
        return folder
    return msgspec.structs.replace(folder, names=(*folder.names, name), part_of=None, disc=None)


class _Limits(msgspec.Struct, frozen=True):
    wishes: tuple[str, ...]
    peers_out: AbstractSet[str]
    blocked: AbstractSet[tuple[str, str]]
    max_bytes: int | None


class _Judgement:
    """Judges folders; what many peers call the same is read once."""

    def __init__(self, subject: Subject, limits: _Limits) -> None:
        self._subject, self._limits = subject, limits
        self._claims: dict[tuple[str, ...], Claim] = {}
        self._named: dict[str, Named] = {}

    def of(self, folder: Folder, response: Response) -> Iterator[Candidate | NotIt]:
        """A verdict on the files of each format in a folder, or one on the folder."""
        folder = _as_album(folder, self._subject)
        paths = {folder.path, *folder.paths} | ({folder.part_of} if folder.part_of else set())
        if any((response.username, path) in self._limits.blocked for path in paths):
            yield NotIt("blocked", "it proved bad before", 1.0)
            return
        formats: defaultdict[str, list[Sound]] = defaultdict(list)
        for sound in folder.sounds:
            formats[sound.family].append(sound)
        for sounds in formats.values():
            yield self._verdict(folder, sounds, response)

    def _verdict(self, folder: Folder, sounds: Sequence[Sound], response: Response) -> Candidate | NotIt:
        if len(sounds) < self._subject.smallest:
            return NotIt("incomplete", f"{len(sounds)} files for {self._subject.smallest} tracks", len(sounds) / 1000)
        claim = self._claims.get(folder.names)
        if claim is None:
            claim = self._claims[folder.names] = read_claim(folder.names, self._subject)
        heard = [Heard(sound, self._read(sound.stem)) for sound in sounds]
        verdict = judge(gather_evidence(heard, claim, self._subject), folder, self._subject)
        if isinstance(verdict, NotIt):
            return verdict
        candidate = score(verdict, folder, response, self._limits.wishes)
        if isinstance(candidate, Candidate) and response.username in self._limits.peers_out:
            return NotIt("peer is out", "it fits, but this user is left alone after failing often (peer_ban)", 1.0)
        most = math.inf if self._limits.max_bytes is None else self._limits.max_bytes
        if isinstance(candidate, Candidate) and candidate.size_bytes > most:
            return NotIt("too large", f"{candidate.size_bytes} bytes, at most {most}", 0.9)
        return candidate

    def _read(self, stem: str) -> Named:
        known = self._named.get(stem)
        if known is None:
            known = self._named[stem] = read_named(stem, self._subject)
        return known
