"""Which of the folders that peers offer is the album? Pure: answers to a search in, a ranking with its reasons out."""

from __future__ import annotations

from worker.matching.formats import DEFAULT_FORMATS, formats_from_profile, known_format
from worker.matching.ladder import queries
from worker.matching.ranking import rank
from worker.matching.wanted import Candidate, Ranking, Refused, Release, Track, Wanted, WantedFile

__all__ = [
    "DEFAULT_FORMATS",
    "Candidate",
    "Ranking",
    "Refused",
    "Release",
    "Track",
    "Wanted",
    "WantedFile",
    "formats_from_profile",
    "known_format",
    "queries",
    "rank",
]
