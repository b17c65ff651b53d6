"""Advisory locks share one space of numbers in the database: two that are equal would be one lock."""

from __future__ import annotations

import re
from collections import Counter

from tests.repository.tree import PACKAGES, python_files

_KEY = re.compile(r"^_?[A-Z_]*LOCK[A-Z_]* = (0x[0-9a-f]{16})$", re.MULTILINE)


def test_every_advisory_lock_has_a_number_of_its_own() -> None:
    found = Counter(key for path in python_files(*PACKAGES) for key in _KEY.findall(path.read_text("utf-8")))
    assert len(found) >= 4
    assert {key: times for key, times in found.items() if times > 1} == {}
