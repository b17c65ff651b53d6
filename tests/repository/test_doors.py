"""The doors of the project: the Makefile, .ci/run and the maker of secrets do what the papers say."""

from __future__ import annotations

import os
import re
import stat
import subprocess
from pathlib import Path

import pytest

from shared.config import load_config
from tests.repository.tree import ROOT

DOORS = ("run", "test", "lint", "bench", "env", "lock", "help")


def _run(*command: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    # A make above this test must not tell the makes below how to behave.
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(command, cwd=cwd, env=environ, capture_output=True, text=True, check=False, timeout=60)


def test_make_alone_lists_every_door() -> None:
    answer = _run("make")
    assert answer.returncode == 0, answer.stderr
    listed = re.findall(r"^  make (\S+)", answer.stdout, re.MULTILINE)
    assert set(DOORS) <= set(listed)


@pytest.mark.parametrize("door", DOORS)
def test_make_knows_every_door(door: str) -> None:
    answer = _run("make", "--dry-run", door)
    assert answer.returncode == 0, answer.stderr


def test_make_run_hands_over_its_arguments_and_its_process() -> None:
    assert "exec .venv/bin/reprise up --demo" in _run("make", "--dry-run", "run", "ARGS=--demo").stdout


def test_ci_is_a_script_that_bash_can_read() -> None:
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & stat.S_IXUSR
    assert _run("bash", "-n", str(script)).returncode == 0


def _written(path: Path) -> dict[str, str]:
    lines = (line.partition("=") for line in path.read_text("utf-8").splitlines() if line and line[0] != "#")
    return {name: value for name, _, value in lines}


def test_make_env_writes_fresh_secrets_for_the_owner_alone(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for path in (first, second):
        answer = _run(str(ROOT / "ops" / "write-env"), str(path), cwd=tmp_path)
        assert answer.returncode == 0, answer.stderr
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    secrets = [
        value for path in (first, second) for name, value in _written(path).items() if name != "REPRISE_HOST_GATEWAY"
    ]
    assert len(secrets) == len(set(secrets)) == 8
    assert all(re.fullmatch(r"[0-9a-f]{48}", value) for value in secrets)


def test_make_env_gives_everything_that_compose_insists_on(tmp_path: Path) -> None:
    _run(str(ROOT / "ops" / "write-env"), str(tmp_path / ".env"), cwd=tmp_path)
    given = _written(tmp_path / ".env")
    insisted = set(re.findall(r"\$\{(\w+):\?", (ROOT / "compose.yaml").read_text("utf-8")))
    assert insisted
    assert insisted <= given.keys()
    assert load_config(given).admin_token is not None


def test_make_env_never_changes_an_existing_file(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("POSTGRES_PASSWORD=mine\nREPRISE_ADMIN_TOKEN=\n", "utf-8")
    answer = _run(str(ROOT / "ops" / "write-env"), str(path), cwd=tmp_path)
    assert answer.returncode == 1
    lacking = answer.stderr.partition(":")[2].split()
    assert lacking == ["REPRISE_ADMIN_TOKEN", "REPRISE_WEBHOOK_SECRET", "REPRISE_SECRET_KEY"]
    assert path.read_text("utf-8") == "POSTGRES_PASSWORD=mine\nREPRISE_ADMIN_TOKEN=\n"


def test_a_machine_without_a_fitting_python_is_told_what_to_install(tmp_path: Path) -> None:
    environ = {"PATH": os.environ["PATH"], "PYTHON": "/bin/false", "VENV": str(tmp_path / "venv")}
    answer = subprocess.run(
        [str(ROOT / "ops" / "venv"), "requirements.lock"],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert answer.returncode == 1
    assert "Python 3.11, 3.12 or 3.13" in answer.stderr
    assert not (tmp_path / "venv").exists()
