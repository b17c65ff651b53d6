"""What must work while nothing runs: looking at the schema, mending it and going back, on a database at rest."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from reprise.standalone.layout import Layout
from shared.postgres.migrate import migrations
from tests.harness.leftovers import mentioning
from tests.harness.processes import Processes, clean_environment

NEWEST = len(migrations())


def reprise(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "reprise", *words],
        env=clean_environment() | {"REPRISE_DATA_DIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_embedded_database_is_started_for_as_long_as_it_takes(founded: Layout) -> None:
    folder = founded.data_dir
    assert reprise(folder, "migrate", "status").returncode == 1
    up = reprise(folder, "migrate")
    assert up.returncode == 0, up.stderr
    assert up.stdout.splitlines()[-1] == f"[MIGRATE] up to date at {NEWEST} migrations"
    back = reprise(folder, "migrate", "rollback", "--to", str(NEWEST - 1), "--yes")
    assert back.returncode == 0, back.stderr
    assert back.stdout.splitlines()[-1] == f"[MIGRATE] back at {NEWEST - 1:04d}"
    assert len(list((folder / "backups").glob("*-migration.tar"))) == 1
    told = reprise(folder, "migrate", "verify", "--json")
    assert json.loads(told.stdout)["version"] == NEWEST - 1
    assert reprise(folder, "migrate", "baseline").returncode == 0
    assert mentioning(str(folder)) == {}


@pytest.mark.parametrize("command", ["migrate", "migrate status", "migrate verify", "migrate rollback --to 0 --yes"])
def test_where_there_is_none_none_is_made(tmp_path: Path, command: str) -> None:
    answer = reprise(tmp_path / "nothing", *command.split())
    assert answer.returncode == 1
    assert "no database: DATABASE_URL isn't set" in answer.stderr
    assert not (tmp_path / "nothing").exists()


async def test_nothing_is_undone_below_processes_at_work(processes: Processes) -> None:
    worker = await processes.worker()
    refused = await processes.start("migrate", "rollback", "--to", str(NEWEST - 1), "--yes")
    assert await refused.child.wait() == 1
    assert "Processes of Reprise are connected" in refused.output()
    assert refused.output().endswith("Nothing was changed.\n")
    assert await worker.stop() == 0
    done = await processes.start("migrate", "rollback", "--to", str(NEWEST - 1), "--yes")
    assert await done.child.wait() == 0, done.output()
