"""Is it the album? By its tracks where they are known, else by their number, else by names alone."""

from __future__ import annotations

from worker.matching.by_names import judge_by_count, judge_by_names
from worker.matching.by_tracks import judge_by_tracks
from worker.matching.claims import Album
from worker.matching.evidence import Evidence
from worker.matching.folders import Folder
from worker.matching.subject import Subject
from worker.matching.verdict import Found, NotIt


def judge(evidence: Evidence, folder: Folder, subject: Subject) -> Found | NotIt:
    """Whether these files are the wanted album."""
    if evidence.album is Album.ANOTHER_VOLUME:
        # Volumes and sequels are alike in all else, so nothing can excuse the number.
        return NotIt("another album", "by its name another part, or a sequel", 0.5)
    if folder.is_guess:
        # Only the tracks can tell that two folders are one album, and then there is nothing else in them.
        verdict = judge_by_tracks(evidence, subject) if subject.sheets else None
        if isinstance(verdict, Found) and len(verdict.heard) == len(folder.sounds):
            return verdict
        return NotIt("another album", "several folders that aren't its discs")
    if not subject.wanted.releases:
        return judge_by_names(evidence, folder, subject)
    by_tracks = judge_by_tracks(evidence, subject) if subject.sheets else None
    if isinstance(by_tracks, Found) or not subject.counts:
        return by_tracks or NotIt("incomplete", "its releases have no tracks")
    by_count = judge_by_count(evidence, folder, subject)
    return by_count if by_tracks is None or isinstance(by_count, Found) else by_tracks
