"""Put lists and single things on stdout: a table for eyes, plain lines for pipes, JSON for programs."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from reprise.cli.words import cell

if TYPE_CHECKING:
    from reprise.cli.api import Answer

_LONGEST_CELL = 48  # on a terminal; `show` and pipes have the whole
_NARROWEST_PROSE = 32
_SECONDS = len("2026-01-31T18:00:00")


def json(answer: Answer) -> None:
    """The answer as the HTTP API gives it, on one line; indented where somebody looks on."""
    import msgspec

    click.echo(msgspec.json.format(answer.content, indent=2 if sys.stdout.isatty() else -1))


def page(answer: Answer, columns: Sequence[str], *, as_json: bool) -> None:
    """One page of a list. That there is more is said on stderr, so that pipes hold rows alone."""
    if as_json:
        json(answer)
        return
    found = answer.read()
    rows(found["items"], columns)
    if found["next"] is not None:
        click.echo(f"There is more: add --cursor {found['next']}", err=True)


def rows(items: Sequence[Mapping[str, Any]], columns: Sequence[str], *, prose: Sequence[str] = ()) -> None:
    """Rows with a heading: aligned on a terminal; elsewhere one line each, separated by tabs, nothing cut off.

    On a terminal the columns of prose are wrapped at words and never cut off.
    """
    if sys.stdout.isatty():
        _table(items, columns, prose)
        return
    click.echo("\t".join(columns))
    for item in items:
        click.echo("\t".join(cell(item[name]) for name in columns))


def thing(item: Mapping[str, Any], *, leave_out: Sequence[str] = ()) -> None:
    """One thing, a line for each field that has a value."""
    shown = {name: value for name, value in item.items() if name not in leave_out and value not in (None, [])}
    width = max(map(len, shown))
    for name, value in shown.items():
        click.echo(f"{name:<{width}}  {cell(value)}")


def _table(items: Sequence[Mapping[str, Any]], columns: Sequence[str], prose: Sequence[str]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.measure import Measurement
    from rich.table import Table
    from rich.text import Text

    if not items:
        click.echo("Nothing found.")
        return
    table = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for name in columns:
        longest = _NARROWEST_PROSE if name in prose else None if name.endswith("id") else _LONGEST_CELL
        table.add_column(name, no_wrap=name not in prose, max_width=longest)
    for item in items:
        # Text, because a str would be read for rich's own markup.
        table.add_row(*(Text(_short(name, cell(item[name]))) for name in columns))
    # Wider than the terminal rather than squeezed: it wraps, and an id can still be copied.
    boundless = Console(width=100_000)
    needed = Measurement.get(boundless, boundless.options, table).maximum
    for name, column in zip(columns, table.columns, strict=True):
        column.max_width = None if name in prose else column.max_width
    Console(width=max(Console().width, needed)).print(table)


def _short(name: str, text: str) -> str:
    """Times to the second; all times are UTC."""
    return f"{text[:_SECONDS]}Z" if name.endswith("_at") and text else text
