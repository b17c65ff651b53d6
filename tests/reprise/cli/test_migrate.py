"""`reprise migrate`: the schema is brought up, and one can ask where it stands."""

from __future__ import annotations

import pytest

from shared.postgres.migrate import migrations
from tests.reprise.cli.conftest import Reprise


@pytest.fixture
def _on_empty_database(empty_database: str, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", empty_database)


@pytest.mark.usefixtures("_on_empty_database")
def test_from_nothing_to_up_to_date(reprise: Reprise) -> None:
    count = len(migrations())
    before = reprise("migrate", "status")
    assert before.code == 1
    assert f"0 migrations tracked, {count} pending. Run `reprise migrate`." in before.out

    ended = reprise("migrate")
    assert ended.code == 0, ended.err
    lines = ended.out.splitlines()
    assert sum(" applied in " in line for line in lines) == count
    assert all(line.startswith("[MIGRATE] ") for line in lines)

    after = reprise("migrate", "status")
    assert after.code == 0
    assert f"{count} migrations tracked: the schema is up to date." in after.out
    assert reprise("migrate").out == f"[MIGRATE] up to date at {count} migrations\n"


@pytest.mark.usefixtures("_on_empty_database")
def test_status_as_json(reprise: Reprise) -> None:
    before = reprise("migrate", "status", "--json")
    assert before.code == 1
    assert before.json["up_to_date"] is False
    assert {step["state"] for step in before.json["migrations"]} == {"pending"}
    reprise("migrate")
    after = reprise("migrate", "status", "--json")
    assert after.code == 0
    assert [step["version"] for step in after.json["migrations"]] == [step.version for step in migrations()]
    assert {step["state"] for step in after.json["migrations"]} == {"tracked"}
