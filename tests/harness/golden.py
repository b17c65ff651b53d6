"""`make schema`: write down the schema after each migration, and keep the code before the newest one.

With --check it says whether what is written is true.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from pathlib import Path

import structlog

from shared.postgres.fingerprint import Catalogue, fingerprint
from shared.postgres.migrate import migrate
from shared.postgres.pool import connect
from shared.postgres.queries import SQL_DIR
from shared.postgres.statements import create
from shared.postgres.steps import Migration, chain, migrations
from tests.harness import older
from tests.harness.servers import PostgresServer, run_postgres, temporary_layout

_HEAD = "-- The whole schema after the newest migration, for reading: made by `make schema` from migrations/.\n"


async def goldens(server: PostgresServer, steps: tuple[Migration, ...]) -> dict[int, Catalogue]:
    """The fingerprint after each step, on a database of its own."""
    found = {}
    # Without the fingerprints that are there: they may be wrong.
    bare = [Migration(step.version, step.name, step.sql, step.down) for step in steps]
    async with server.new_database(migrated=False) as dsn:
        connection = await connect(dsn)
        try:
            for count, step in enumerate(bare, start=1):
                await migrate(dsn, steps=bare[:count])
                found[step.version] = await fingerprint(connection)
        finally:
            await connection.close()
    return found


def files(steps: tuple[Migration, ...], found: dict[int, Catalogue]) -> dict[Path, str]:
    """What is to stand in which file."""
    wanted = {}
    for count, step in enumerate(steps, start=1):
        kept = {"of": chain(list(steps[:count])), "objects": found[step.version]}
        wanted[SQL_DIR / "fingerprints" / f"{step.version:04d}.json"] = json.dumps(kept, indent=1) + "\n"
    newest = found[len(steps)]
    wanted[SQL_DIR / "schema.sql"] = _HEAD + "".join(f"\n{statement};\n" for statement in script(newest))
    return wanted


def script(catalogue: Catalogue) -> list[str]:
    """The statements that make the whole schema."""
    return [create(key, text, catalogue) for key, text in catalogue.items() if not key.startswith("column ")]


def main(*arguments: str) -> int:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    steps = migrations()
    with temporary_layout() as layout, run_postgres(layout) as server:
        wanted = files(steps, asyncio.run(goldens(server, steps)))
    folder = SQL_DIR / "fingerprints"
    stray = [path for path in folder.glob("*") if path not in wanted]
    wrong = [path for path, text in wanted.items() if not path.exists() or path.read_text("utf-8") != text]
    if "--check" in arguments:
        for path in (*wrong, *stray):
            print(f"sql/{path.relative_to(SQL_DIR)} isn't what the migrations make: run `make schema`", file=sys.stderr)
        if fault := older.fault(steps):
            print(f"{fault}: run `make schema`", file=sys.stderr)
        return 1 if wrong or stray or fault else 0
    folder.mkdir(exist_ok=True)
    for path in stray:
        path.unlink()
    for path in wrong:
        path.write_text(wanted[path], "utf-8")
        print(f"wrote sql/{path.relative_to(SQL_DIR)}")
    if older.fault(steps):
        print(f"wrote {older.keep(steps).relative_to(older.ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
