"""Put lists and single things on stdout: a table for eyes, plain lines for pipes, JSON for programs."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from reprise.cli.words import cell

if TYPE_CHECKING:
    import msgspec

    from shared.eventlog.history import Page

_LONGEST_CELL = 48  # on a terminal; `show` and pipes have the whole


def as_json(value: object) -> None:
    """The value as the HTTP API writes it; indented where somebody looks on."""
    import msgspec

    encoded = msgspec.json.encode(value)
    click.echo(msgspec.json.format(encoded, indent=2) if sys.stdout.isatty() else encoded)


def page(found: Page[Any], columns: Sequence[str], *, json: bool) -> None:
    """One page of a list. That there is more is said on stderr, so that pipes hold rows alone."""
    if json:
        as_json(found)
        return
    rows(found.items, columns)
    if found.next is not None:
        click.echo(f"There is more: add --cursor {found.next}", err=True)


def rows(items: Sequence[msgspec.Struct], columns: Sequence[str]) -> None:
    """Rows with a heading: aligned on a terminal; elsewhere one line each, separated by tabs, nothing cut off."""
    if sys.stdout.isatty():
        _table(items, columns)
        return
    click.echo("\t".join(columns))
    for item in items:
        click.echo("\t".join(cell(getattr(item, name)) for name in columns))


def thing(item: msgspec.Struct, *, leave_out: Sequence[str] = ()) -> None:
    """One thing, a line for each field that has a value."""
    import msgspec

    fields: Mapping[str, object] = msgspec.structs.asdict(item)
    shown = {name: value for name, value in fields.items() if name not in leave_out and value not in (None, [])}
    width = max(map(len, shown))
    for name, value in shown.items():
        click.echo(f"{name:<{width}}  {cell(value)}")


def _table(items: Sequence[msgspec.Struct], columns: Sequence[str]) -> None:
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
        table.add_column(name, no_wrap=True, max_width=None if name.endswith("id") else _LONGEST_CELL)
    for item in items:
        # Text, because a str would be read for rich's own markup.
        table.add_row(*(Text(cell(getattr(item, name))) for name in columns))
    # Wider than the terminal rather than squeezed: it wraps, and an id can still be copied.
    boundless = Console(width=100_000)
    needed = Measurement.get(boundless, boundless.options, table).maximum
    Console(width=max(Console().width, needed)).print(table)
