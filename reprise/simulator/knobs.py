"""Knobs turn a simulated peer's behaviour; an unknown or malformed one is refused by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")
Json = dict[str, Any]


class KnobError(ValueError):
    """A knob that doesn't exist, or a value that doesn't fit it; nothing was changed."""


class Knobs:
    """A named set of knobs; each takes a JSON value and may give an answer back."""

    def __init__(self) -> None:
        self._turns: dict[str, Callable[[Any], object]] = {}
        self._types: dict[str, Any] = {}

    def add(self, name: str, kind: type[T] | Any, turn: Callable[[T], object]) -> None:
        """Declare knob `name`, whose value must convert to `kind` before `turn` sees it."""
        self._turns[name] = turn
        self._types[name] = kind

    @property
    def names(self) -> list[str]:
        return sorted(self._turns)

    def turn(self, settings: Mapping[str, Any]) -> Json:
        """Turn every knob in the order given, or none if one is wrong; returns what they answered."""
        unknown = [name for name in settings if name not in self._turns]
        if unknown:
            raise KnobError(f"unknown knob: {', '.join(unknown)}; known: {', '.join(self.names)}")
        values: Json = {}
        for name, value in settings.items():
            try:
                values[name] = msgspec.convert(value, self._types[name])
            except msgspec.ValidationError as error:
                raise KnobError(f"knob {name}: {error}") from error
        answers = {name: self._turns[name](value) for name, value in values.items()}
        return {name: answer for name, answer in answers.items() if answer is not None}
