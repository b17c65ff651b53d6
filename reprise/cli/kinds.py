"""What options may be given as: points in time, and texts that the database can hold."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

_AGO = re.compile(r"^(\d{1,6})([smhdw])$")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class Moment(click.ParamType[datetime]):
    """ISO 8601 (UTC where it doesn't say otherwise), or so long ago: 30m, 2h, 7d."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The moment, aware. Fails as wrong usage."""
        if isinstance(value, datetime):
            return value
        if ago := _AGO.match(value):
            return datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        try:
            moment = datetime.fromisoformat(value)
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is no time: write 2026-01-31, 2026-01-31T18:00Z, or 30m, 2h, 7d for so long ago")


class Words(click.ParamType[str]):
    """A text of at most `most` characters that isn't empty."""

    name = "text"

    def __init__(self, most: int = 1000) -> None:
        self._most = most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The text without spaces around it. Fails as wrong usage."""
        text = str(value).strip()
        # An argument that isn't UTF-8 holds surrogates (PEP 383), and Postgres takes no NUL.
        if not text or len(text) > self._most or "\0" in text or not _is_utf8(text):
            self.fail(f"give 1 to {self._most} characters of valid text")
        return text


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


USER = Words(most=200)


def paged(command: F) -> F:
    """The options that every list has."""
    for option in (
        click.option("--json", "json", is_flag=True, help='As JSON: {"items": […], "next": cursor or null}.'),
        click.option("--cursor", help="Go on where the page before ended."),
        click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True, help="How many at most."),
    ):
        command = option(command)
    return command
