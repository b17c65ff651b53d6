"""`reprise sql`: psql, which can't change anything by a slip of the hand."""

from __future__ import annotations

import subprocess
import sys

import pytest

from reprise.cli.sql import target


def _sql(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "reprise", "sql", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_it_reads_and_does_not_write(environment: dict[str, str]) -> None:
    read = _sql(environment, "-At", "-c", "SELECT count(*) FROM event_history")
    assert (read.returncode, read.stdout, read.stderr) == (0, "0\n", "")
    written = _sql(environment, "-c", "DELETE FROM locks")
    assert written.returncode == 1
    assert "read-only transaction" in written.stderr


def test_without_a_psql_on_the_path_the_embedded_one_serves(environment: dict[str, str]) -> None:
    read = _sql(environment | {"PATH": "/nowhere"}, "-At", "-c", "SELECT 1")
    assert (read.returncode, read.stdout) == (0, "1\n")


def test_psqls_own_failure_is_the_commands(environment: dict[str, str]) -> None:
    assert _sql(environment, "--nonsense").returncode not in {0, 2**8}


@pytest.mark.parametrize(
    ("url", "bare", "password"),
    [
        ("postgresql://u:p%40ss@h:5432/db", "postgresql://u@h:5432/db", "p@ss"),
        ("postgres://u@h/db?password=x&sslmode=require", "postgresql://u@h/db?sslmode=require", "x"),
        ("postgresql://u:p@/db?host=/run/pg&port=5432", "postgresql://u@/db?host=%2Frun%2Fpg&port=5432", "p"),
        ("postgresql://h/db", "postgresql://h/db", None),
    ],
)
def test_no_password_is_on_the_command_line(url: str, bare: str, password: str | None) -> None:
    found = target(url)
    assert found.url == bare
    assert found.environment.get("PGPASSWORD") == password


def test_options_of_the_url_are_kept_and_cannot_undo_read_only() -> None:
    found = target("postgresql://h/db?options=-csearch_path%3Dmusic%20-cdefault_transaction_read_only%3Doff")
    assert found.url == "postgresql://h/db"
    assert found.environment["PGOPTIONS"].startswith("-csearch_path=music ")
    assert found.environment["PGOPTIONS"].endswith("-c default_transaction_read_only=on")
