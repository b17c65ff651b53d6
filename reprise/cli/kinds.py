"""What the options of lists are given as. What the API checks itself isn't checked twice."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

_AGO = re.compile(r"^(\d{1,5})([smhdw])$")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class Moment(click.ParamType[str]):
    """ISO 8601 (UTC where it doesn't say otherwise), or so long ago: 30m, 2h, 7d."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The moment as the API takes it. Fails as wrong usage."""
        try:
            if ago := _AGO.match(value):
                moment = datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
            else:
                moment = datetime.fromisoformat(value)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is no time: write 2026-01-31, 2026-01-31T18:00Z, or 30m, 2h, 7d for so long ago")
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat()


def paged(command: F) -> F:
    """The options that every list has."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help='As JSON: {"items": […], "next": cursor or null}.'),
        click.option("--cursor", help="Go on where the page before ended."),
        click.option("--limit", type=int, default=50, show_default=True, help="How many at most."),
    ):
        command = option(command)
    return command


as_json = click.option("--json", "as_json", is_flag=True, help="As JSON.")
reason = click.option("--reason", help="Why, for the history.")
