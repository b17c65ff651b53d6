"""The page about migrations is true: each of its commands is run, and the words it quotes are the code's."""

from __future__ import annotations

import re
import shlex

from shared.postgres.ledger import status
from shared.postgres.migrate import migrate, migrations
from shared.postgres.pool import connect
from tests.docs.pages import ROOT, page
from tests.harness.processes import Processes

PAGE = page("docs/migrations.md")
# In the order of the page, on one database: up to date, damaged, mended, gone back, with what each ends with.
ENDS = {
    "reprise migrate": 0,
    "reprise migrate status": 0,
    "reprise migrate baseline": 1,
    "reprise migrate baseline --repair --yes": 0,
    "reprise migrate verify": 0,
    "reprise migrate rollback --to 3": 1,
    "reprise migrate rollback --to 3 --yes": 0,
}


async def test_every_command_does_what_the_page_says(database: str, processes: Processes) -> None:
    commands = [line for line in PAGE.shell if line.startswith("reprise ")]
    assert commands == list(ENDS)
    said: dict[str, str] = {}
    for command in commands:
        if command == "reprise migrate baseline":
            await _damage(database)
        running = await processes.start(*shlex.split(command)[1:])
        code = await running.child.wait()
        said[command] = running.output()
        assert code == ENDS[command], f"{command}: {said[command]}"
    shown = [
        line for line in PAGE.shell if line.startswith(("The schema isn't", "[MIGRATE] column", "ALTER", "Nothing"))
    ]
    # The page shows the output with the version it was written at.
    answer = re.sub(r"nearest, \d{4}", "nearest, 0004", said["reprise migrate baseline"])
    assert [line.strip() for line in answer.splitlines()] == shown
    connection = await connect(database)
    assert (await status(connection)).newest == 3
    await connection.close()
    assert (await migrate(database)).up_to_date


async def _damage(dsn: str) -> None:
    connection = await connect(dsn)
    await connection.execute("DROP TABLE schema_migrations")
    await connection.execute("ALTER TABLE peers DROP COLUMN history_id")
    await connection.close()


def test_messages_and_states_are_the_codes() -> None:
    code = "\n".join(
        path.read_text("utf-8")
        for room in ("shared/postgres", "reprise/cli", "reprise/backup")
        for path in (ROOT / room).glob("*.py")
    )
    for message in PAGE.table("Message"):
        for part in message.replace("`", "").split("…"):
            assert part.strip(", ") in code, message
    for state in PAGE.table("State"):
        assert f'"{state}"' in code, state


def test_the_versions_in_the_page_are_there() -> None:
    named = {step.name for step in migrations()}
    for _, name in re.findall(r"\[MIGRATE\] (\d{4}) (\w+) applied", PAGE.text):
        assert name in named
