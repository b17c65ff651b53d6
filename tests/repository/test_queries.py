"""The statements in sql/queries keep the rules that no linter knows."""

from __future__ import annotations

import re

import pytest

from shared.postgres.queries import load
from tests.repository.tree import ROOT

STATEMENTS = {
    f"{path.stem}.{name}": re.sub(r"--.*", "", text)
    for path in sorted((ROOT / "sql" / "queries").glob("*.sql"))
    for name, text in load(path.stem).items()
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_some_rows_of_many_are_locked_once(name: str) -> None:
    """A subquery in a join may be carried out once for each row of the other side, and takes other rows each time."""
    text = STATEMENTS[name]
    takes_some = re.search(r"\([^()]*(?:\([^()]*\)[^()]*)*\bLIMIT\b[^()]*\bFOR UPDATE\b", text)
    assert not takes_some or "AS MATERIALIZED" in text
