"""The page about errors says of each class what its docstring says."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

from ingest.api import authentication, reading
from shared import errors
from shared.errors import RepriseError
from worker.clients import answers

ROOT = Path(__file__).parents[3]
OF_WORK, OVER_HTTP = (ROOT / "docs" / "errors.md").read_text().split("\n| HTTP code |")


def test_the_docs_have_every_error_with_its_meaning_and_no_other() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \|[^|]*\| (.+) \|$", OF_WORK, re.MULTILINE))
    classes = [
        cls
        for module in (errors, answers, authentication, reading)
        for cls in vars(module).values()
        if inspect.isclass(cls) and issubclass(cls, RepriseError) and cls.__module__ == module.__name__
    ]
    assert rows == {cls.code: " ".join((inspect.getdoc(cls) or "").split()) for cls in classes}


def test_the_docs_have_the_codes_of_answers_over_http() -> None:
    told = set(re.findall(r"^\| `(\w+)` \| \d+ \|", OVER_HTTP, re.MULTILINE))
    code = "\n".join(path.read_text("utf-8") for path in sorted((ROOT / "ingest").glob("*.py")))
    answered = set(re.findall(r'code="(\w+)"|Refusal\(\s*\d+,\s*"(\w+)"', code))
    assert {one or other for one, other in answered} <= told | {"unavailable"}
