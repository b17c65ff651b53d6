"""Runs commands in this process, as a shell would: words in, exit code, stdout and stderr out."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
import structlog

from reprise.cli.front import front
from reprise.cli.outcome import run
from shared.config import Config
from tests.harness.processes import clean_environment, environ_of


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of a command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.out)

    @property
    def rows(self) -> list[dict[str, str]]:
        """The lines of a list, by the names in its heading."""
        heading, *lines = [line.split("\t") for line in self.out.splitlines()]
        return [dict(zip(heading, line, strict=True)) for line in lines]


Reprise = Callable[..., Ended]


@pytest.fixture
def environment(config: Config, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment of the commands: this test's config, and nothing else of Reprise's."""
    wanted = clean_environment() | environ_of(config)
    for name in set(os.environ) - set(wanted):
        monkeypatch.delenv(name)
    for name, value in wanted.items():
        monkeypatch.setenv(name, value)
    return wanted


@pytest.fixture
def reprise(environment: dict[str, str], capsys: pytest.CaptureFixture[str]) -> Iterator[Reprise]:
    """`reprise("jobs", "--json")`: runs it, and takes what it wrote."""
    root, hook, structured = logging.getLogger(), sys.excepthook, structlog.get_config()
    handlers, level = root.handlers[:], root.level

    def command(*words: object) -> Ended:
        capsys.readouterr()
        code = run(front, [str(word) for word in words])
        written = capsys.readouterr()
        return Ended(code, written.out, written.err)

    yield command
    root.handlers[:], sys.excepthook = handlers, hook
    root.setLevel(level)
    structlog.configure(**structured)
    logging.captureWarnings(capture=False)
