"""What a person would choose, case by case."""

from __future__ import annotations

import pytest

from tests.worker.matching.casebook import Case, cases
from worker.matching import rank

CASES = cases()


def test_there_are_enough_cases_and_each_has_a_name() -> None:
    assert len(CASES) >= 40
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_is_chosen_as_a_person_would(case: Case) -> None:
    options = {name: value for name, value in case.options.items() if name == "max_bytes"}
    found = rank(
        case.responses,
        case.wanted,
        formats=case.formats,
        peers_out=frozenset(case.options.get("peers_out", ())),
        blocked=frozenset((user, folder) for user, folder in case.options.get("blocked", ())),
        **options,
    )
    told = (
        [(one.username, one.folder, one.reason) for one in found.refused],
        [one.explanation for one in found.candidates],
    )
    if not case.expect:
        assert found.best is None, told
        return
    assert found.best is not None, told
    chosen = {
        "peer": found.best.username,
        "folder": found.best.folder,
        "files": len(found.best.files),
        "format": found.best.format,
        "release": found.best.release_id,
        "candidates": len(found.candidates),
    }
    assert {name: chosen[name] for name in case.expect} == case.expect, told
