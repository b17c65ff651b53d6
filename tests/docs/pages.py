"""The pages that people read, and what can be found in them: code spans, code blocks, tables, links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

_FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"(?:(?<=\n\n)|\A)(?P<text>(?:    .*\n|\n(?=    ))+)")
_SPAN = re.compile(r"`([^`\n]+)`")


@dataclass(frozen=True, slots=True)
class Page:
    """One Markdown file."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    @property
    def text(self) -> str:
        return self.path.read_text("utf-8")

    @property
    def prose(self) -> str:
        """The text without its code blocks."""
        return _INDENTED.sub("", _FENCE.sub("", self.text))

    @property
    def spans(self) -> list[str]:
        """What stands in backquotes."""
        return _SPAN.findall(self.prose)

    def blocks(self, language: str) -> list[str]:
        """The fenced blocks of a language."""
        return [found["text"] for found in _FENCE.finditer(self.text) if found["language"] == language]

    @property
    def shell(self) -> list[str]:
        """Lines for a shell, continued ones joined: indented blocks, and those fenced as sh or console."""
        without = _FENCE.sub("", self.text)
        indented = [re.sub(r"^    ", "", found["text"], flags=re.MULTILINE) for found in _INDENTED.finditer(without)]
        blocks = [*indented, *self.blocks("sh"), *self.blocks("console")]
        joined = "\n".join(blocks).replace("\\\n", " ")
        return [line.strip().removeprefix("$ ") for line in joined.splitlines() if line.strip()]

    def table(self, heading: str) -> dict[str, tuple[str, ...]]:
        """The rows of the table whose first column is headed so, by their first cell without backquotes."""
        lines = iter(self.text.splitlines())
        for line in lines:
            if _cells(line)[:1] == (heading,):
                next(lines)
                return {cells[0].strip("`"): cells[1:] for cells in _rows(lines)}
        raise LookupError(f"{self.name} has no table headed {heading}")


def _rows(lines: Iterator[str]) -> Iterator[tuple[str, ...]]:
    for line in lines:
        if not line.startswith("|"):
            return
        yield _cells(line)


def _cells(line: str) -> tuple[str, ...]:
    return tuple(cell.strip() for cell in line.strip().strip("|").split("|")) if line.startswith("|") else ()


@cache
def pages() -> tuple[Page, ...]:
    """README, CHANGELOG and everything in docs."""
    return tuple(Page(path) for path in (ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(ROOT.glob("docs/**/*.md"))))


def page(name: str) -> Page:
    return Page(ROOT / name)
