"""The errors of the project: three that say what becomes of work, and those that answer a person.

Every class has a `code` for machines and a docstring that is its text in the docs. Anything that isn't one of
these counts as `TryLater`, logged with its traceback.
"""

# ruff: noqa: N818 - these are outcomes rather than faults, and read as such where they are raised

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar


class RepriseError(Exception):
    """Something went wrong, and Reprise knows what."""

    code: ClassVar[str] = "error"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class TryLater(RepriseError):
    """It failed this time; it's tried again, and an attempt is spent.

    Without `after` the usual back-off decides when.
    """

    code = "try_later"

    def __init__(self, message: str, after: timedelta | None = None) -> None:
        super().__init__(message)
        self.after = after


class GiveUp(RepriseError):
    """Trying again can't help: the work is dead-lettered now, with this reason, and waits for a person."""

    code = "give_up"


class StepAside(RepriseError):
    """Not this work's fault (say, a peer is away): it's tried again later, and no attempt is spent."""

    code = "step_aside"

    def __init__(self, message: str, after: timedelta = timedelta(seconds=30)) -> None:
        super().__init__(message)
        self.after = after


class InvalidInput(RepriseError):
    """A field of the request can't be accepted; the message says what it should be."""

    code = "invalid_input"

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.problem = message


class NotFound(RepriseError):
    """There is no such thing, or it has been removed."""

    code = "not_found"


class Conflict(RepriseError):
    """The request doesn't fit the state of the thing; the message names that state."""

    code = "conflict"


class StaleVersion(Conflict):
    """Somebody else changed it first: read it again, and repeat the change on what you find.

    `expected` and `actual` are versions; None where they aren't known.
    """

    code = "stale_version"

    def __init__(self, message: str, expected: int | None = None, actual: int | None = None) -> None:
        super().__init__(message)
        self.expected = expected
        self.actual = actual


class Unavailable(RepriseError):
    """Something that this needs (usually Postgres) doesn't answer; the same request may work soon."""

    code = "unavailable"

    def __init__(self, message: str, after: timedelta | None = None) -> None:
        super().__init__(message)
        self.after = after


@dataclass(frozen=True, slots=True)
class ConfigFault:
    """One thing that is wrong with the environment: which variable, what's wrong, and how to put it right."""

    variable: str
    problem: str
    cure: str

    def __str__(self) -> str:
        return f"{self.variable}: {self.problem}. {self.cure}."


class ConfigError(RepriseError):
    """The environment can't be used as it is. Every fault is listed, with its cure; the exit code is 78."""

    code = "bad_configuration"
    exit_code: ClassVar[int] = 78  # EX_CONFIG of sysexits.h

    def __init__(self, faults: Iterable[ConfigFault]) -> None:
        self.faults = tuple(faults)
        count = len(self.faults)
        heading = f"{count} fault{'' if count == 1 else 's'} in the configuration:"
        super().__init__("\n".join([heading, *(f"  - {fault}" for fault in self.faults)]))
