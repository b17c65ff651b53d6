"""Every command that the docs tell people to type is one that exists, with those options."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import click
import pytest

from reprise.cli.front import front
from tests.docs.pages import ROOT, Page, page, pages

_REPRISE = re.compile(r"(?:^|\s)(?:\.venv/bin/)?reprise\s+(?P<words>.+)$")
_MAKE = re.compile(r"(?:^|\s)make\s+(?P<target>[a-z]+)\b(?P<rest>.*)$")
# docker compose exec names services and users that are called so, too.
_OTHERS = re.compile(r"pg_dump|psql -U|dropdb|createdb")


def _commands(group: click.Group, above: str = "") -> Iterator[str]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield f"{above}{name}"
        if isinstance(command, click.Group):
            yield from _commands(command, f"{above}{name} ")


def _typed(page: Page) -> list[str]:
    found = (_REPRISE.search(line) for line in page.shell if not _OTHERS.search(line))
    return [one["words"] for one in found if one]


def _parse(words: list[str]) -> None:
    """As the command line reads them. Raises click's UsageError."""
    command: click.Command = front
    context, name = click.Context(front), "reprise"
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found, known, words = command.resolve_command(context, words)
        assert known is not None
        command, context, name = known, click.Context(known, parent=context), found or name
    command.make_context(name, words, parent=context)


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_typed_commands_are_understood(page: Page) -> None:
    for typed in _typed(page):
        words = shlex.split(re.sub(r"\s>\s.*$", "", typed), comments=True)
        try:
            _parse([word for word in words if word != "…"])
        except click.UsageError as error:
            pytest.fail(f"{page.name}: reprise {typed}: {error.format_message()}")


def test_something_is_typed() -> None:
    typed = [words for one in pages() for words in _typed(one)]
    assert len(typed) > 15


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_commands_that_are_mentioned_exist(page: Page) -> None:
    known = set(_commands(front))
    for span in page.spans:
        words = re.findall(r"^(?:\.venv/bin/)?reprise ([a-z][a-z-]*)(?: ([a-z]+))?", span)
        for noun, verb in words:
            assert noun in known, span
            assert not verb or noun in ("sql", "simulate", "record") or f"{noun} {verb}" in known, span


def test_every_command_is_explained_in_operations() -> None:
    spans = page("docs/operations.md").spans
    for name in _commands(front):
        assert f"reprise {name}" in spans, name


def test_every_filter_is_named_in_operations() -> None:
    text = page("docs/operations.md").text
    for name in ("events", "jobs"):
        command = front.get_command(click.Context(front), name)
        assert command is not None
        named = {option for parameter in command.params for option in parameter.opts}
        for option in named - {"--limit", "--cursor", "--json"}:
            assert f" {option}" in text or f"`{option}" in text, (name, option)


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_make_has_every_target_that_is_mentioned(page: Page) -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for line in [*page.shell, *page.spans]:
        if (found := _MAKE.search(line)) and "apt " not in line:
            assert re.search(rf"^{found['target']}:", makefile, re.MULTILINE), line
            for option in re.findall(r"ARGS=(--\w+)", found["rest"]) if found["target"] == "run" else ():
                _parse(["up", option])
