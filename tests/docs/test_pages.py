"""The pages hold together: links lead somewhere, pictures are readable, and what is made from code is up to date."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import msgspec
import pytest

from shared.acquisition.model import Acquisition, Attempt, Job
from tests.docs.pages import ROOT, Page, page, pages
from tests.docs.rules import written

_LINK = re.compile(r"\]\((?P<target>[^)\s]+)\)")


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_links_lead_somewhere(page: Page) -> None:
    for found in _LINK.finditer(page.text):
        target, _, anchor = found["target"].partition("#")
        if not target.startswith(("http:", "https:")):
            assert (page.path.parent / target).exists(), found["target"]
            assert not anchor, "write links to pages, not into them: headings change"


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, ahead = set(), [page("README.md")]
    while ahead:
        one = ahead.pop()
        reached.add(one.path)
        targets = (one.path.parent / found["target"] for found in _LINK.finditer(one.text))
        for target in (path.resolve() for path in targets):
            readme = target / "README.md" if target.is_dir() else target
            if readme.suffix == ".md" and readme not in reached:
                ahead.append(Page(readme))
    assert {one.path for one in pages()} == reached


def test_the_picture_is_svg_with_a_title_and_nothing_from_elsewhere() -> None:
    text = (ROOT / "docs" / "flow.svg").read_text("utf-8")
    root = ElementTree.fromstring(text)
    assert root.find("{http://www.w3.org/2000/svg}title") is not None
    assert "<script" not in text
    assert re.findall(r"(?:href|url)\s*[=(]\s*[\"']?(?!#)\w+", text) == []


def test_the_state_machine_is_drawn_as_the_code_has_it() -> None:
    text = page("docs/how-it-works.md").text
    assert written(text) == text, "a rule has changed: run `make rules`"


def test_every_decision_record_is_in_the_index() -> None:
    index = page("docs/adr/README.md").text
    records = sorted(path.name for path in (ROOT / "docs" / "adr").glob("[0-9]*.md"))
    assert re.findall(r"\((\d{4}-[\w-]+\.md)\)", index) == records
    assert [int(name[:4]) for name in records] == list(range(1, len(records) + 1))


@pytest.mark.parametrize(
    ("what", "kind"),
    [("an acquisition", Acquisition), ("an attempt", Attempt), ("a job", Job)],
    ids=str,
)
def test_what_a_rebuild_compares_is_listed(what: str, kind: type[msgspec.Struct]) -> None:
    listed = page("docs/how-it-works.md").text.split("<!-- compared -->")[1].split("<!-- /compared -->")[0]
    line = next(part for part in listed.split("\n- ") if part.startswith(f"of {what}:"))
    compared = [field.name for field in msgspec.structs.fields(kind) if field.name not in {"attempts", "jobs"}]
    assert re.findall(r"`(\w+)`", line) == compared
