"""How commands fail: one line with a cure, the right exit code, no traceback, no password."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from reprise.standalone.attach import publish
from reprise.standalone.layout import Layout
from shared.config import Config, Secret
from tests.harness.processes import free_port
from tests.reprise.cli.conftest import Reprise


def test_every_fault_of_the_configuration_at_once_is_78(reprise: Reprise, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "mysql://reprise:hush@db/reprise")
    monkeypatch.setenv("REPRISE_PORT", "seventy")
    ended = reprise("jobs")
    assert (ended.code, ended.out) == (78, "")
    assert "DATABASE_URL" in ended.err
    assert "REPRISE_PORT" in ended.err
    assert "hush" not in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("words", [["jobs"], ["events"], ["batches"], ["migrate"], ["migrate", "status"], ["sql"]])
def test_without_any_database_it_says_how_to_get_one(
    reprise: Reprise, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    monkeypatch.delenv("DATABASE_URL")
    ended = reprise(*words)
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("reprise: no database")
    assert "make run" in ended.err
    assert ended.err.count("\n") == 1


def test_a_database_that_does_not_answer_is_named_without_its_password(
    reprise: Reprise, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    monkeypatch.setenv("DATABASE_URL", f"postgresql://reprise:hush@127.0.0.1:{port}/reprise")
    ended = reprise("jobs")
    assert ended.code == 1
    assert f"127.0.0.1:{port}" in ended.err
    assert "reprise up" in ended.err
    assert "hush" not in ended.err
    assert ended.err.count("\n") == 1


def test_a_database_that_is_not_there_is_named(reprise: Reprise, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", os.environ["DATABASE_URL"].replace("/test_", "/missing_"))
    ended = reprise("jobs")
    assert ended.code == 1
    assert "does not exist" in ended.err
    assert ended.err.count("\n") == 1


def test_a_missing_schema_is_told_with_its_cure(
    reprise: Reprise, empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", empty_database)
    ended = reprise("jobs")
    assert ended.code == 1
    assert "`reprise migrate`" in ended.err
    assert ended.err.count("\n") == 1


def test_debug_shows_where_it_happened(reprise: Reprise, empty_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", empty_database)
    monkeypatch.setenv("REPRISE_LOG_LEVEL", "debug")
    assert "Traceback" in reprise("jobs").err


def test_what_the_api_would_refuse_as_input_is_wrong_usage(reprise: Reprise) -> None:
    ended = reprise("jobs", "--limit", 0)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("reprise: limit: ")


def test_a_running_up_is_found_by_its_data_directory(
    reprise: Reprise, config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout = Layout(tmp_path / "standalone", None, tmp_path)
    layout.run.mkdir(parents=True)
    peers = {"lidarr_url": "http://127.0.0.1:1", "lidarr_api_key": Secret("key")}
    publish(layout, Config(database_url=config.database_url, **peers), "http://localhost:7373")
    monkeypatch.delenv("DATABASE_URL")
    monkeypatch.setenv("REPRISE_DATA_DIR", str(layout.data_dir))
    asked = reprise("jobs", "add", "48140466-cff6-3222-bd55-63c27e43190d", "--artist", "a", "--title", "b")
    assert asked.code == 0, asked.err
    # It decides as the fleet would, which has a Lidarr: the job doesn't wait for a source.
    assert "no_source_configured" not in asked.out


async def test_a_reader_that_has_had_enough_is_no_failure(environment: dict[str, str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "reprise", "jobs"), env=environment, stdout=writer, stderr=subprocess.PIPE
    )
    os.close(writer)
    _, err = await command.communicate()
    assert (command.returncode, err) == (0, b"")
