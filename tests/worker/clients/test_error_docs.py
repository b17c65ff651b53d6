"""The page about errors says of each class what its docstring says."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

from ingest.api import authentication, reading
from shared import errors
from shared.errors import RepriseError
from worker.clients import answers

DOCS = Path(__file__).parents[3] / "docs" / "errors.md"


def test_the_docs_have_every_error_with_its_meaning_and_no_other() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \|[^|]*\| (.+) \|$", DOCS.read_text(), re.MULTILINE))
    classes = [
        cls
        for module in (errors, answers, authentication, reading)
        for cls in vars(module).values()
        if inspect.isclass(cls) and issubclass(cls, RepriseError) and cls.__module__ == module.__name__
    ]
    assert rows == {cls.code: " ".join((inspect.getdoc(cls) or "").split()) for cls in classes}
