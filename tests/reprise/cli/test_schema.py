"""`reprise migrate verify`, `baseline` and `rollback`: what a person is told, asked and answered with."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click
import pytest

from shared.postgres.migrate import migrations
from shared.postgres.pool import connect
from tests.reprise.cli.conftest import Reprise

NEWEST = len(migrations())


def by_hand(dsn: str, *statements: str) -> None:
    async def work() -> None:
        connection = await connect(dsn)
        for statement in statements:
            await connection.execute(statement)
        await connection.close()

    asyncio.run(work())


def test_a_schema_as_it_should_be(reprise: Reprise) -> None:
    answer = reprise("migrate", "verify")
    assert (answer.code, answer.out) == (0, f"The schema is {NEWEST:04d} and tracked.\n")
    assert reprise("migrate", "verify", "--json").json == {
        "equal": True,
        "version": NEWEST,
        "tracked": True,
        "differences": [],
        "foreign": [],
    }
    assert reprise("migrate", "baseline").code == 0
    assert reprise("migrate", "baseline", "--repair").code == 0


def test_drift_is_told_with_what_mends_it(reprise: Reprise, database: str) -> None:
    by_hand(database, "ALTER TABLE operations ALTER COLUMN done SET DEFAULT 1")
    answer = reprise("migrate", "verify")
    assert answer.code == 1
    assert answer.out.splitlines() == [
        f"The schema is tracked as {NEWEST:04d}, but differs in 1 place:",
        "[MIGRATE] column operations.done is `bigint DEFAULT 1 NOT NULL`, should be `bigint DEFAULT 0 NOT NULL`",
        "    ALTER TABLE operations ALTER COLUMN done SET DEFAULT 0;",
    ]
    (difference,) = reprise("migrate", "verify", "--json").json["differences"]
    assert difference["object"] == "column operations.done"
    assert difference["statements"] == ["ALTER TABLE operations ALTER COLUMN done SET DEFAULT 0"]
    started = reprise("migrate")
    assert started.code == 1
    assert started.out.splitlines() == answer.out.splitlines()[1:]
    assert started.err.startswith(f"reprise: the schema is tracked as {NEWEST:04d}, but was changed: column operations")
    assert started.err.endswith("See `reprise migrate verify`\n")
    status = reprise("migrate", "status")
    assert status.code == 1
    assert status.out.endswith("but the schema isn't theirs, in 1 place: see `reprise migrate verify`.\n")
    assert reprise("migrate", "status", "--json").json["up_to_date"] is False


def test_what_is_not_tracked_is_recorded_when_recognised(reprise: Reprise, database: str) -> None:
    by_hand(database, "DROP TABLE schema_migrations")
    verified = reprise("migrate", "verify")
    assert (verified.code, verified.out) == (1, f"The schema is {NEWEST:04d}, but not tracked.\n")
    answer = reprise("migrate", "baseline")
    assert answer.code == 0, answer.err
    assert f"not tracked, recognised as {NEWEST:04d}" in answer.out
    assert answer.out.endswith(f"The schema is {NEWEST:04d} and tracked.\n")
    states = {row["state"] for row in reprise("migrate", "status", "--json").json["migrations"]}
    assert states == {"baselined"}


def test_repair_shows_asks_and_adds(reprise: Reprise, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    by_hand(database, "DROP TABLE schema_migrations", "ALTER TABLE peers DROP COLUMN history_id")
    shown = reprise("migrate", "baseline")
    assert shown.code == 1
    heading, difference, statement, advice = shown.out.splitlines()
    assert heading.endswith(f"From the nearest, {NEWEST:04d}, it differs in 1 place:")
    assert difference == "[MIGRATE] column peers.history_id is missing: bigint"
    assert statement == "    ALTER TABLE peers ADD COLUMN history_id bigint;"
    assert advice == "Nothing was changed. `reprise migrate baseline --repair` adds what is missing."
    refused = reprise("migrate")
    assert refused.code == 1
    assert refused.out.splitlines() == [difference, statement]
    assert refused.err.endswith("Nothing was changed. See `reprise migrate baseline`\n")

    asked: list[str] = []

    def decline(text: str, **_: object) -> bool:
        asked.append(text)
        raise click.Abort

    monkeypatch.setattr(click, "confirm", decline)
    assert reprise("migrate", "baseline", "--repair").code == 130
    assert asked == ["Add them?"]
    assert reprise("migrate", "verify").code == 1

    done = reprise("migrate", "baseline", "--repair", "--yes")
    assert done.code == 0
    assert "[BACKUP] the schema is about to be repaired: a backup first" in done.out
    assert done.out.splitlines()[-1] == f"The schema is {NEWEST:04d} and tracked."
    assert asked == ["Add them?"]
    assert reprise("migrate", "verify").code == 0


def test_what_repair_leaves_is_said(reprise: Reprise, database: str) -> None:
    by_hand(database, "ALTER TABLE peers ADD COLUMN more text", "DROP INDEX commands_leased")
    answer = reprise("migrate", "baseline", "--repair", "--yes")
    assert answer.code == 1
    assert "1 of 2 would be added now." in answer.out
    assert answer.out.splitlines()[-3:] == [
        "[MIGRATE] column peers.more shouldn't be there: text",
        "    ALTER TABLE peers DROP COLUMN more;",
        "Nothing is missing that could be added: run the statements yourself, if they are right.",
    ]
    again = reprise("migrate", "baseline", "--repair", "--yes")
    assert again.code == 1
    assert "Nothing was changed." in again.out
    assert "changed by other hands, and no hindrance: column peers.more" in reprise("migrate").out


def test_a_database_of_another_program(reprise: Reprise, empty_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", empty_database)
    by_hand(empty_database, 'CREATE TABLE "Artist" ()')
    answer = reprise("migrate")
    assert answer.code == 1
    assert """holds what isn't Reprise's (table "Artist"), and nothing that is. Nothing was changed.""" in answer.err
    assert "It holds what isn't Reprise's: table \"Artist\"." in reprise("migrate", "verify").out


def test_the_way_back_is_told_and_taken_only_with_yes(reprise: Reprise, environment: dict[str, str]) -> None:
    last = migrations()[-1]
    plan = reprise("migrate", "rollback", "--to", NEWEST - 1)
    assert plan.code == 1
    assert plan.out.splitlines()[0] == f"To be undone: {last.version:04d} {last.name}"
    assert plan.out.splitlines()[-1] == "Nothing was changed. Add --yes to do it."
    assert reprise("migrate", "status").code == 0
    assert backups(environment) == []
    done = reprise("migrate", "rollback", "--to", NEWEST - 1, "--yes")
    assert done.code == 0
    assert len(backups(environment)) == 1
    assert done.out.splitlines()[-1] == f"[MIGRATE] back at {NEWEST - 1:04d}"
    assert reprise("migrate", "status").code == 1
    again = reprise("migrate", "rollback", "--to", NEWEST - 1)
    assert (again.code, again.out) == (0, f"The database stands at {NEWEST - 1:04d} already.\n")
    assert reprise("migrate", "rollback", "--to", NEWEST).code == 2
    assert reprise("migrate", "rollback").code == 2


def test_before_a_change_there_is_a_backup_unless_a_person_says_no(
    reprise: Reprise, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert reprise("migrate", "rollback", "--to", NEWEST - 2, "--yes", "--no-backup").code == 0
    assert backups(environment) == []
    monkeypatch.setenv("REPRISE_BACKUP_DIR", "/dev/null/below")
    refused = reprise("migrate")
    assert refused.code == 1
    assert refused.err.endswith("Nothing was changed; put that right, or add --no-backup to go without\n")
    assert reprise("migrate", "status").code == 1
    monkeypatch.delenv("REPRISE_BACKUP_DIR")
    told = reprise("migrate")
    assert told.code == 0
    assert told.out.splitlines()[0] == "[BACKUP] 2 migrations are pending: a backup first"
    assert len(backups(environment)) == 1
    assert reprise("migrate").out == f"[MIGRATE] up to date at {NEWEST} migrations\n"
    assert len(backups(environment)) == 1
    assert reprise("migrate", "--no-backup", "verify").code == 2


def backups(environment: dict[str, str]) -> list[Path]:
    return list(Path(environment["REPRISE_DATA_DIR"]).glob("backups/*.tar"))


def test_losses_are_counted(reprise: Reprise) -> None:
    plan = reprise("migrate", "rollback", "--to", 0)
    assert "  table settings_version: 1 row" in plan.out.splitlines()
    assert "  table events: 0 rows" in plan.out.splitlines()
    assert "  view event_history" in plan.out.splitlines()
