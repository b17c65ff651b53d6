"""The import contracts bite: each forbidden import, put into a small tree of the same rooms, breaks its contract."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.repository.tree import ROOT

MODULES = (
    "reprise.cli",
    "ingest.receiver",
    "ingest.api.events",
    "ingest.dashboard.pages",
    "worker.drain",
    "worker.matching.ranking",
    "worker.handover.paths",
    "shared.sources.lidarr",
    "shared.acquisition.lifecycle",
    "shared.acquisition.signals",
    "shared.acquisition.fold",
    "shared.eventlog.store",
    "shared.settings.registry",
    "shared.taskqueue.queue",
    "shared.locks",
    "shared.postgres.pool",
    "shared.telemetry.metrics",
    "shared.config",
    "shared.errors",
)
RIGHT = (
    ("reprise.cli", "ingest.receiver"),
    ("worker.drain", "shared.acquisition.fold"),
    ("worker.drain", "shared.taskqueue.queue"),
    ("ingest.receiver", "shared.sources.lidarr"),
    ("shared.sources.lidarr", "shared.acquisition.signals"),
    ("shared.acquisition.fold", "shared.eventlog.store"),
    ("shared.eventlog.store", "shared.postgres.pool"),
    ("shared.postgres.pool", "asyncpg"),
    ("shared.taskqueue.queue", "arq"),
    ("shared.config", "shared.errors"),
)
WRONG = (
    ("ingest.receiver", "worker.drain", "downhill"),
    ("worker.drain", "ingest.receiver", "downhill"),
    ("worker.drain", "reprise.cli", "downhill"),
    ("shared.acquisition.fold", "shared.sources.lidarr", "downhill"),
    ("shared.eventlog.store", "shared.settings.registry", "downhill"),
    ("shared.postgres.pool", "shared.locks", "downhill"),
    ("shared.errors", "shared.config", "downhill"),
    ("shared.acquisition.lifecycle", "asyncpg", "does no I/O"),
    ("shared.acquisition.signals", "redis", "does no I/O"),
    ("shared.sources.lidarr", "aiohttp", "does no I/O"),
    # Not even by way of another module.
    ("shared.sources.lidarr", "shared.eventlog.store", "does no I/O"),
    ("worker.matching.ranking", "asyncpg", "does no I/O"),
    ("worker.handover.paths", "aiohttp", "does no I/O"),
    ("worker.drain", "arq", "arq"),
    ("reprise.cli", "arq", "arq"),
    ("shared.locks", "arq", "arq"),
    ("ingest.receiver", "shared.acquisition.fold", "receiver"),
    ("ingest.receiver", "ingest.api.events", "receiver"),
    ("ingest.receiver", "ingest.dashboard.pages", "receiver"),
)


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A tree with the same rooms, nearly empty, under the repository's own contracts."""
    for module in MODULES:
        path = tmp_path.joinpath(*module.split(".")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        for folder in path.relative_to(tmp_path).parents[:-1]:
            (tmp_path / folder / "__init__.py").touch()
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for importer, imported in RIGHT:
        _add_import(tmp_path, importer, imported)
    return tmp_path


def _add_import(house: Path, importer: str, imported: str) -> None:
    with house.joinpath(*importer.split(".")).with_suffix(".py").open("a", encoding="utf-8") as file:
        file.write(f"import {imported}\n")


def _check(house: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    return subprocess.run(command, cwd=house, capture_output=True, text=True, check=False, timeout=60)


def test_every_room_of_shared_has_its_place_among_the_layers() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    layers = " ".join(contracts[0]["layers"])
    rooms = {entry.stem for entry in (ROOT / "shared").iterdir() if (entry / "__init__.py").exists()}
    rooms |= {entry.stem for entry in (ROOT / "shared").glob("*.py")} - {"__init__"}
    assert {room for room in rooms if f"(shared.{room})" not in layers} == set()


def test_the_designed_imports_are_allowed(house: Path) -> None:
    answer = _check(house)
    assert answer.returncode == 0, answer.stdout


@pytest.mark.parametrize(("importer", "imported", "contract"), WRONG)
def test_a_forbidden_import_breaks_its_contract(house: Path, importer: str, imported: str, contract: str) -> None:
    _add_import(house, importer, imported)
    answer = _check(house)
    assert answer.returncode == 1
    broken = [line for line in answer.stdout.splitlines() if " BROKEN" in line]
    assert any(contract in line for line in broken), answer.stdout
