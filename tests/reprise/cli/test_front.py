"""The front: what there is, told quickly."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys

import pytest

from reprise.cli.front import COMMANDS
from tests.reprise.cli.conftest import Reprise

HEAVY = (
    "asyncio",
    "asyncpg",
    "aiohttp",
    "importlib.metadata",
    "msgspec",
    "prometheus_client",
    "redis",
    "rich",
    "structlog",
)


def test_help_names_every_command_and_the_exit_codes(reprise: Reprise) -> None:
    ended = reprise("--help")
    assert ended.code == 0
    for name in COMMANDS:
        assert f"\n  {name} " in ended.out
    assert "78 bad configuration" in ended.out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(reprise: Reprise, name: str) -> None:
    ended = reprise(name, "--help")
    assert ended.code == 0
    assert f"reprise {name}" in ended.out


def test_help_loads_nothing_that_only_work_needs() -> None:
    code = (
        "import sys; from reprise.cli.front import front; from reprise.cli.outcome import run\n"
        f"run(front, ['--help']); print(sorted(set({HEAVY}) & set(sys.modules)), file=sys.stderr)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stderr == "[]\n"


def test_version(reprise: Reprise) -> None:
    assert reprise("--version").out == f"reprise {importlib.metadata.version('reprise')}\n"


@pytest.mark.parametrize(
    "words",
    [["nonsense"], ["events", "--nonsense"], ["jobs", "show", "no-uuid"], ["retry"], ["events", "--since", "x"]],
)
def test_wrong_usage_is_2_and_says_where_help_is(reprise: Reprise, words: list[str]) -> None:
    ended = reprise(*words)
    assert (ended.code, ended.out) == (2, "")
    assert "--help" in ended.err
