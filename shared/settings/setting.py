"""What can be said of a setting without knowing its value, and how a value is read from JSON or from text."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec

from shared.errors import InvalidInput
from shared.settings.paths import PathMapping

_PLACE = re.compile(r"^(?P<problem>.*?)(?: - at `\$(?P<path>[^`]*)`)?$", re.DOTALL)
# msgspec would quote what was sent.
_PLAINLY = {
    "Invalid enum value": "That isn't among the choices",
    "Object contains unknown field": "It has a field that isn't known",
    "Expected `int`": "Expected a whole number",
}


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """One runtime setting.

    unit, min and max are those of a number, choices those of a word. least_on is the least value but 0, where 0 means
    off. Of a list, split takes text apart into what is then read like JSON, listed says what may be in it, and entry
    what text in it must be.
    """

    name: str
    type: Any
    default: Any
    help: str
    unit: str | None = None
    min: int | None = None
    max: int | None = None
    choices: tuple[str, ...] | None = None
    least_on: int | None = None
    split: Callable[[str], Any] | None = None
    listed: str = ""
    entry: str = ""

    @property
    def variable(self) -> str:
        """The environment variable that stands in while nobody has set it."""
        return f"REPRISE_SETTING_{self.name.upper()}"

    @property
    def range(self) -> str:
        """What it may be, in words, with the unit."""
        if self.choices is not None:
            return f"one of {', '.join(self.choices)}"
        if self.listed:
            return f"a list of {self.listed}"
        if self.least_on is not None:
            return f"0 (off), or from {self.least_on} to {self.max} {self.unit}"
        return f"from {self.min} to {self.max} {self.unit}"

    def read(self, value: object, *, from_text: bool = False) -> Any:
        """The value as the setting's type; from_text takes what an environment variable or a command line holds.

        Raises InvalidInput, with the place inside a list where that is wrong.
        """
        try:
            if from_text and self.split is not None:
                value = self.split(str(value))
            found = msgspec.convert(value, self.type, strict=not from_text or self.split is not None)
        except (msgspec.ValidationError, msgspec.DecodeError, RecursionError) as error:
            raise self._misfit(str(error)) from error
        if isinstance(found, tuple):
            self._refuse_twice(found)
        if self.least_on is not None and 0 < found < self.least_on:
            raise self._misfit(f"Expected 0, or at least {self.least_on}")
        return found

    def _refuse_twice(self, mappings: tuple[Any, ...]) -> None:
        """One folder can't be seen under two names."""
        seen: set[str] = set()
        for number, one in enumerate(mappings):
            if isinstance(one, PathMapping):
                if one.slskd in seen:
                    raise self._misfit(f"Expected every folder once - at `$[{number}].from`")
                seen.add(one.slskd)

    def as_text(self, value: object) -> str:
        """A value as a person writes it; read(…, from_text=True) takes it back."""
        return str(value) if self.split is None else msgspec.json.encode(value).decode()

    def _misfit(self, says: str) -> InvalidInput:
        found = _PLACE.match(says)
        problem, path = (found["problem"], found["path"] or "") if found else (says, "")
        plainly = next((words for start, words in _PLAINLY.items() if problem.startswith(start)), problem)
        if "matching regex" in problem:  # which helps nobody
            plainly = f"Expected {self.entry}"
        cure = f"{self.help}; {self.range}. The default is {self.as_text(self.default)}"
        return InvalidInput(f"value{path}", f"{plainly}. {cure}")


def split_names(text: str) -> Any:
    """`flac, mp3-320` in letters of any size, or the same list as JSON. Raises msgspec.DecodeError."""
    if text.lstrip().startswith("["):
        return msgspec.json.decode(text)
    return [name.strip().lower() for name in text.split(",") if name.strip()]


def split_mappings(text: str) -> Any:
    """`/downloads=/data/downloads; …`, or JSON where a path has one of these signs. Raises msgspec.DecodeError."""
    if text.lstrip().startswith("["):
        return msgspec.json.decode(text)
    pairs = (pair.partition("=") for pair in text.split(";") if pair.strip())
    return [{"from": ours.strip(), "to": theirs.strip()} for ours, _, theirs in pairs]
