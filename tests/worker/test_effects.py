"""The table by which a command finds its effect."""

from __future__ import annotations

from shared.acquisition.commands import KINDS, Command
from worker.effects import EFFECTS


def test_every_kind_of_command_has_an_effect() -> None:
    assert set(EFFECTS) == set(Command.__args__)  # type: ignore[attr-defined]
    assert {kind.__name__ for kind in EFFECTS} == set(KINDS)
