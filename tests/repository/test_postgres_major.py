"""Compose's postgres refuses the data of another major, and one command upgrades it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.repository.test_containers import SERVICES
from tests.repository.tree import ROOT

_GUARD, _UPGRADE = ROOT / "ops" / "postgres-guard", ROOT / "ops" / "upgrade-postgres"


def _stub(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def _run(script: Path, bin_dir: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", script, *arguments],
        env={"PATH": f"{bin_dir}:{os.defpath}", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def _guard(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    bin_dir = tmp_path / "bin"
    _stub(bin_dir, "docker-entrypoint.sh", 'echo "started $*"')
    _stub(bin_dir, "postgres", 'echo "postgres (PostgreSQL) 18.6 (Alpine)"')
    return _run(_GUARD, bin_dir, *arguments, POSTGRES_ROOT=str(tmp_path / "volume"))


def _data(tmp_path: Path, place: str, major: str) -> None:
    folder = tmp_path / "volume" / place
    folder.mkdir(parents=True)
    (folder / "PG_VERSION").write_text(f"{major}\n")


@pytest.mark.parametrize(("place", "major"), [("17/docker", "17"), ("data", "16"), ("", "15"), ("19/docker", "19")])
def test_data_of_another_major_is_refused_with_the_command(tmp_path: Path, place: str, major: str) -> None:
    _data(tmp_path, place, major)
    ended = _guard(tmp_path, "postgres")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert f"PostgreSQL {major}, but this is PostgreSQL 18" in ended.stderr
    assert "ops/upgrade-postgres" in ended.stderr
    assert _guard(tmp_path, "--older").stdout == f"{major}\n"


def test_an_empty_volume_its_own_major_and_what_is_set_aside_start(tmp_path: Path) -> None:
    assert _guard(tmp_path, "postgres").stdout == "started postgres\n"
    _data(tmp_path, "17/docker.old", "17")
    assert _guard(tmp_path, "postgres").stdout == "started postgres\n"
    _data(tmp_path, "18/docker", "18")
    _data(tmp_path, "17/docker", "17")
    assert _guard(tmp_path, "postgres").stdout == "started postgres\n"
    assert _guard(tmp_path, "--older").stdout == "\n"


def test_compose_starts_postgres_through_the_guard() -> None:
    postgres = SERVICES["postgres"]
    assert postgres["entrypoint"] == ["sh", "/usr/local/bin/reprise-postgres-guard"]
    assert postgres["command"] == ["postgres"]
    assert "./ops/postgres-guard:/usr/local/bin/reprise-postgres-guard:ro" in postgres["volumes"]


def test_the_upgrade_backs_up_sets_aside_and_restores_in_this_order(tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    answers = 'case "$*" in *--older*) echo 17;; *"reprise backup"*) echo /backups/one.tar;; esac'
    _stub(tmp_path / "bin", "docker", f'echo "$*" >>{calls}\n{answers}')
    ended = _run(_UPGRADE, tmp_path / "bin")
    assert ended.returncode == 0, ended.stderr
    steps = ["--older", "stop", "up -d --wait postgres", "reprise backup --verify", "stop postgres"]
    steps += ["mv postgres /var/lib/postgresql/17/docker /var/lib/postgresql/17/docker.old", "up -d --wait postgres"]
    steps += ["reprise restore /backups/one.tar --yes", "up -d"]
    made = calls.read_text().splitlines()
    assert len(made) == len(steps)
    for call, step in zip(made, steps, strict=True):
        assert call.endswith(step)


def test_a_failed_backup_ends_it_before_anything_is_moved(tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    answers = 'case "$*" in *--older*) echo 17;; *"reprise backup"*) exit 1;; esac'
    _stub(tmp_path / "bin", "docker", f'echo "$*" >>{calls}\n{answers}')
    assert _run(_UPGRADE, tmp_path / "bin").returncode != 0
    assert "mv" not in calls.read_text()


def test_without_older_data_nothing_is_stopped(tmp_path: Path) -> None:
    _stub(tmp_path / "bin", "docker", "true")
    ended = _run(_UPGRADE, tmp_path / "bin")
    assert (ended.returncode, "nothing to do" in ended.stdout) == (0, True)
