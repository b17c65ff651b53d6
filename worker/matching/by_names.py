"""Is it the album? Judged without a list of tracks: by names and the number of files, and so more strictly."""

from __future__ import annotations

from worker.matching.artists import Artist
from worker.matching.claims import Album
from worker.matching.evidence import Evidence, another_year, numbering
from worker.matching.fitting import Heard
from worker.matching.folders import Folder
from worker.matching.subject import Subject
from worker.matching.verdict import Found, NotIt, Sureness
from worker.matching.vocabulary import SHORT_KINDS

# With fewer files it's a single, or what was found of an album.
_LEAST_FILES = 3


def judge_by_count(evidence: Evidence, folder: Folder, subject: Subject) -> Found | NotIt:
    """Whether it is the album by its names and has as many tracks as one of its releases."""
    heard = evidence.heard
    if len(heard) not in subject.counts:
        heard = tuple(one for one in heard if not _is_bonus(one))
    if len(heard) not in subject.counts:
        counts = ", ".join(str(count) for count in sorted(subject.counts))
        return NotIt("incomplete", f"{len(evidence.heard)} files, its releases have {counts}", 0.4)
    if refusal := _refused(evidence, folder, heard, subject, kinds=SHORT_KINDS):
        return refusal
    fault = numbering(heard)
    reasons = (_BY_NAME, f"{len(heard)} files, as many as a release has", *([fault] if fault else []))
    sureness = Sureness.LIKELY if evidence.artist is Artist.NAMED and not fault else Sureness.PLAUSIBLE
    return _found(evidence, heard, sureness, subject.counts[len(heard)], reasons)


def judge_by_names(evidence: Evidence, folder: Folder, subject: Subject) -> Found | NotIt:
    """Whether it is the album by its names alone; nothing may be strange about them, and no number missing."""
    heard = evidence.heard
    if refusal := _refused(evidence, folder, heard, subject, kinds=frozenset()):
        return refusal
    if evidence.artist is not Artist.NAMED:
        return NotIt("another artist", "the artist isn't named for certain", 0.4)
    if len(heard) < _LEAST_FILES:
        return NotIt("incomplete", f"only {len(heard)} files", 0.4)
    if fault := numbering(heard):
        return NotIt("incomplete", fault, 0.5)
    is_numbered = heard[0].named.stem.number is not None
    sureness = Sureness.LIKELY if is_numbered and evidence.album is Album.NAMED else Sureness.PLAUSIBLE
    return _found(
        evidence, heard, sureness, None, (_BY_NAME, f"{len(heard)} files, how many there should be isn't known")
    )


_BY_NAME = "artist and album by name"


def _refused(
    evidence: Evidence, folder: Folder, heard: tuple[Heard, ...], subject: Subject, *, kinds: frozenset[str]
) -> NotIt | None:
    """What no number of files can excuse. kinds: of publication, that don't make it another one."""
    claim = evidence.claim
    if claim.recordings:
        return NotIt("another recording", f"by its name {' and '.join(sorted(claim.recordings))}", 0.5)
    others = [one for one in heard if one.named.titles[0].recordings - subject.recordings]
    if 2 * len(others) > len(heard):
        return NotIt("another recording", f"{len(others)} of {len(heard)} tracks by their titles", 0.5)
    if evidence.artist is Artist.SILENT:
        return NotIt(
            "another artist", f"by its name {evidence.other_artist}" if evidence.other_artist else "no artist", 0.3
        )
    if evidence.album < Album.NEARLY:
        return NotIt("another album", "its folder goes by another name", 0.3)
    if claim.kinds - kinds:
        return NotIt("another album", f"by its name {' '.join(sorted(claim.kinds))}", 0.5)
    if another_year(evidence, subject):
        return NotIt("another album", f"of {min(claim.years)}", 0.5)
    if folder.disc not in {None, 1}:
        return NotIt("incomplete", "one of several discs", 0.5)
    if not subject.wanted.releases and folder.disc is not None:
        return NotIt("incomplete", "one of several discs", 0.5)
    return None


def _is_bonus(one: Heard) -> bool:
    return "bonus" in one.sound.stem.lower()


def _found(
    evidence: Evidence, heard: tuple[Heard, ...], sureness: Sureness, release_id: int | None, reasons: tuple[str, ...]
) -> Found:
    flaws = (evidence.album is not Album.NAMED) + (evidence.artist is not Artist.NAMED) + (len(reasons) > 2)
    flaws += 3 * (len(heard) < len(evidence.heard))
    return Found(sureness, flaws, heard, (None,) * len(heard), release_id, reasons)
