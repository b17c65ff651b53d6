"""`reprise backup` and `reprise restore` as they are typed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.harness.servers import PostgresServer
from tests.reprise.cli.conftest import Reprise


def test_there_and_back(
    reprise: Reprise, tmp_path: Path, postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = reprise("backup", "--json", "--to", tmp_path / "there")
    assert made.code == 0, made.err
    assert made.json["reason"] == "asked"
    assert made.json["proof"] == "read back"
    assert "[BACKUP]" in made.err
    path = made.json["path"]
    assert Path(path).parent == tmp_path / "there"

    refused = reprise("restore", path, "--yes")
    assert refused.code == 1
    assert "isn't empty: it holds" in refused.err
    assert "createdb" in refused.err

    with asyncio.Runner() as runner:
        empty = postgres_server.new_database(migrated=False)
        monkeypatch.setenv("DATABASE_URL", runner.run(empty.__aenter__()))
        try:
            restored = reprise("restore", path, "--yes")
            assert restored.code == 0, restored.err
            assert "The log explains every row" in restored.out
        finally:
            runner.run(empty.__aexit__(None, None, None))


def test_what_it_is_not(reprise: Reprise, tmp_path: Path) -> None:
    ended = reprise("restore", tmp_path / "none.tar", "--yes")
    assert (ended.code, "there is no file" in ended.err) == (1, True)
    assert reprise("backup", "--nightly", "--json").code == 2


@pytest.mark.parametrize(("hour", "code"), [("24", 78), ("three", 78), ("off", 0), ("0", 0)])
def test_the_hour_is_one_or_off(reprise: Reprise, monkeypatch: pytest.MonkeyPatch, hour: str, code: int) -> None:
    monkeypatch.setenv("REPRISE_BACKUP_HOUR", hour)
    ended = reprise("migrate", "status")
    assert ended.code == code
    assert ("REPRISE_BACKUP_HOUR" in ended.err) == (code == 78)
