"""The outcomes that errors carry."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared import errors
from shared.errors import ConfigError, ConfigFault, InvalidInput, RepriseError, StepAside, TryLater


def classes() -> list[type[RepriseError]]:
    found = [RepriseError]
    for cls in found:
        found.extend(cls.__subclasses__())
    return [cls for cls in found if cls.__module__ == errors.__name__]


def test_every_class_has_its_own_code_and_a_text_for_the_docs() -> None:
    codes = [cls.code for cls in classes()]
    assert len(codes) == len(set(codes)) >= 10
    assert all(cls.__doc__ for cls in classes())


def test_delays_travel_with_the_error() -> None:
    assert TryLater("busy").after is None
    assert TryLater("busy", timedelta(seconds=5)).after == timedelta(seconds=5)
    assert StepAside("away").after > timedelta(0)
    assert str(StepAside("away", after=timedelta(minutes=5))) == "away"


def test_invalid_input_names_its_field() -> None:
    error = InvalidInput("album_mbid", "must be a UUID")
    assert (error.field, str(error)) == ("album_mbid", "album_mbid: must be a UUID")


def test_config_error_lists_its_faults() -> None:
    error = ConfigError([ConfigFault("A", "is bad", "Make it good"), ConfigFault("B", "is worse", "Drop it")])
    assert str(error).splitlines() == [
        "2 faults in the configuration:",
        "  - A: is bad. Make it good.",
        "  - B: is worse. Drop it.",
    ]


@pytest.mark.parametrize("cls", classes())
def test_codes_are_words(cls: type[RepriseError]) -> None:
    assert cls.code.replace("_", "").isalpha()
