"""Variables, settings, addresses and reasons that the docs name are those of the code."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from ingest.api.jobs import JobAsked
from ingest.api.reading import body_of
from ingest.api.routes import PREFIX
from ingest.api.table import DOORS, ROUTES
from shared.config import Config
from shared.settings.registry import REGISTRY
from tests.docs.pages import ROOT, Page, page, pages
from tests.harness.processes import environ_of
from worker.drain import MAX_ATTEMPTS
from worker.sweep import PARKED_AT_MOST

_VARIABLE = re.compile(r"\b(?:REPRISE|LIDARR|SLSKD)_[A-Z_]+\b|\b(?:DATABASE|REDIS)_URL\b")
_REQUEST = re.compile(r"\b(GET|POST|PUT|DELETE)`? `?(/[\w/{}.-]*)")
_REASON = re.compile(r"^[a-z]+(?:_[a-z0-9]+)+")


def _by_variable() -> dict[str, str]:
    """Config's fields by the variable that each is read from."""
    names = [field.name for field in fields(Config)]
    return {
        variable: name
        for name in names
        for variable in (name.upper(), f"REPRISE_{name.upper()}")
        if variable in _VARIABLES
    }


_VARIABLES = set(re.findall(_VARIABLE, (ROOT / "shared" / "config.py").read_text("utf-8")))


def test_the_table_of_variables_is_the_config() -> None:
    documented = page("docs/operations.md").table("Variable")
    assert set(documented) == _VARIABLES
    for variable, name in _by_variable().items():
        default = getattr(Config(), name)
        assert documented[variable][0] == ("" if default is None else f"`{default}`"), variable


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_variables_that_are_mentioned_are_read(page: Page) -> None:
    settings = {setting.variable for setting in REGISTRY.values()}
    for variable in _VARIABLE.findall(page.text):
        assert variable.removesuffix("_FILE") in _VARIABLES | settings | {"REPRISE_SETTING_"}, variable


def test_the_table_of_settings_is_the_registry() -> None:
    text = page("docs/settings.md").text
    assert f"<!-- settings -->\n{_settings()}<!-- /settings -->" in text, f"put this between:\n\n{_settings()}"


def _settings() -> str:
    head = "| Setting | Default | It may be | What |\n|---|---|---|---|\n"
    rows = (
        f"| `{name}` | `{setting.as_text(setting.default)}`{f' {setting.unit}' if setting.unit else ''} "
        f"| {setting.range} | {setting.help} |\n"
        for name, setting in REGISTRY.items()
    )
    return head + "".join(rows)


@pytest.mark.parametrize(
    "page", [one for one in pages() if one.name != "docs/simulators.md"], ids=lambda page: page.name
)
def test_requests_that_are_mentioned_are_answered(page: Page) -> None:
    for method, path in _REQUEST.findall(page.prose):
        assert any(method == known and re.fullmatch(shape, path) for known, shape in _requests()), f"{method} {path}"


def _requests() -> list[tuple[str, str]]:
    named = [(door.method, door.path) for door in DOORS] + [(route.method, PREFIX + route.path) for route in ROUTES]
    return [(method, re.sub(r"\{\w+\}", r"[^/]+", path)) for method, path in named]


def test_the_request_in_the_readme_is_one_that_the_api_takes() -> None:
    (body,) = re.findall(r"-d '(\{.*\})'", "\n".join(page("README.md").blocks("sh")))
    assert body_of(body.encode(), JobAsked).album_title == "Dummy"


def test_slskds_snippet_has_the_shape_of_its_configuration() -> None:
    (snippet,) = page("README.md").blocks("yaml")
    webhook = yaml.load(snippet, Loader=yaml.BaseLoader)["integrations"]["webhooks"]["reprise"]
    assert webhook["on"] == ["Any"]
    assert set(webhook["call"]) == {"url", "headers"}
    assert int(webhook["retry"]["attempts"]) >= 10


def test_reasons_and_words_of_the_code_that_are_mentioned_exist() -> None:
    rooms = ("ingest", "worker", "shared", "reprise", "sql")
    code = "\n".join(
        path.read_text("utf-8") for room in rooms for path in (ROOT / room).rglob("*") if path.suffix in (".py", ".sql")
    )
    for name in ("README.md", "docs/how-it-works.md", "docs/operations.md", "docs/glossary.md", "docs/sql.md"):
        for span in page(name).spans:
            if (word := _REASON.match(span)) and not word[0].startswith("acquisition_is_"):
                assert re.search(rf"\b{word[0]}\b", code), f"{name}: {span}"


def test_numbers_are_those_of_the_code() -> None:
    for name in ("docs/how-it-works.md", "docs/operations.md"):
        assert set(
            re.findall(r"(\d+) attempts[,. ]", re.sub(r"^\|.*attempts \|.*$", "", page(name).text, flags=re.M))
        ) == {str(MAX_ATTEMPTS)}, name
    assert f"after {PARKED_AT_MOST.days} days" in page("docs/how-it-works.md").text


def test_the_test_harness_knows_every_variable() -> None:
    filled = Config(**{f.name: getattr(Config(), f.name) or "x" for f in fields(Config)})  # type: ignore[arg-type]
    assert set(environ_of(filled)) == _VARIABLES


def test_files_that_are_mentioned_exist() -> None:
    rooms = ("ingest/", "worker/", "shared/", "reprise/", "sql/", "tests/", "docs/", "ops/", "bench/")
    for one in pages():
        for span in one.spans:
            if span.startswith(rooms):
                assert Path(ROOT, span).exists(), f"{one.name}: {span}"
