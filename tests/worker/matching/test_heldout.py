"""Albums that the matching wasn't written by: at least 95 of 100 are chosen as a person would choose."""

from __future__ import annotations

from pathlib import Path

from tests.worker.matching.heldout.reading import Case, cases
from worker.matching import rank

CASES = cases(Path(__file__).parent / "heldout")
AS_A_PERSON = 0.95


def _miss(case: Case) -> str | None:
    """What was chosen otherwise than by a person, with the reasons given; None if it is the same."""
    found = rank(case.responses, case.wanted, formats=case.formats)
    best = found.best
    if best is None:
        if not case.choose:
            return None
        refused = [f"{one.username}, {one.folder}: {one.reason}" for one in found.refused]
        return "\n    ".join([f"{case.name}: nothing, but wanted {case.choose} ({case.why})", *refused])
    right = (best.username, best.folder) in case.choose
    right &= case.count in {None, len(best.files)}
    right &= all(file.filename.endswith(case.extension or "") for file in best.files)
    if right:
        return None
    chosen = f"{best.username}, {best.folder} ({len(best.files)} files, {best.format}, {best.score:.2f})"
    wished = case.choose or "none of these"
    return "\n    ".join([f"{case.name}: {chosen}, but wanted {wished} ({case.why})", *best.explanation])


def test_at_least_95_of_100_are_chosen_as_a_person_would() -> None:
    misses = [miss for case in CASES if (miss := _miss(case)) is not None]
    share = 1 - len(misses) / len(CASES)
    print(f"{len(CASES) - len(misses)} of {len(CASES)} ({share:.1%}) chosen as a person would", *misses, sep="\n")
    assert share >= AS_A_PERSON


def test_the_cases_are_many_and_of_every_kind() -> None:
    assert len(CASES) >= 60
    assert len({case.name for case in CASES}) == len(CASES)
    none_of_these = sum(not case.choose for case in CASES)
    assert none_of_these >= len(CASES) / 4


def test_what_a_person_would_choose_is_offered() -> None:
    for case in CASES:
        offered = {(one.username, file.filename) for one in case.responses for file in one.files}
        for user, folder in case.choose:
            assert any(name.startswith(f"{folder}\\") for owner, name in offered if owner == user), case.name
