"""docs/simulators.md names every knob, outcome and delivery mode, and none that doesn't exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reprise.simulator import LidarrSimulator, SlskdSimulator
from reprise.simulator.delivery import MODES
from reprise.simulator.lidarr.plans import Outcome as LidarrOutcome
from reprise.simulator.slskd.network import Outcome as SlskdOutcome

PAGE = (Path(__file__).parents[3] / "docs" / "simulators.md").read_text()


def section(title: str) -> str:
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def first_column(text: str) -> set[str]:
    cells = re.findall(r"^\| (`[^|]*) \|", text, flags=re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`([a-z_]+)`", cell)}


@pytest.mark.parametrize(("title", "sim"), [("Lidarr", LidarrSimulator()), ("slskd", SlskdSimulator())])
def test_every_knob_is_documented(title: str, sim: LidarrSimulator | SlskdSimulator) -> None:
    documented = first_column(section("Knobs that both have")) | first_column(section(title))
    assert documented - set(LidarrOutcome) == set(sim.knobs.names)


def test_every_outcome_and_mode_is_documented() -> None:
    assert set(LidarrOutcome) <= first_column(section("Lidarr"))
    assert all(f"`{outcome}`" in section("slskd") for outcome in SlskdOutcome)
    assert all(f"`{mode}`" in section("Knobs that both have") for mode in MODES)
