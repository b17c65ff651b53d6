"""The numbered files of sql/migrations, as they are in this release."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from shared.postgres.queries import SQL_DIR

_FILE = re.compile(r"^(?P<version>\d{4})_(?P<name>[a-z0-9_]+)\.sql$")
_OUTSIDE = re.compile(r"^-- migrate: no transaction\s*$", re.MULTILINE)
_COMMENT = re.compile(r"--[^\n]*")
# What can be begun again at any point, because the second time finds what the first one made.
_REPEATABLE = re.compile(
    r"^(?:CREATE (?:UNIQUE )?INDEX CONCURRENTLY IF NOT EXISTS|DROP INDEX CONCURRENTLY IF EXISTS) (?P<index>\w+)\b"
)


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered step of the schema. `golden` is the schema after it, where that was generated from these files."""

    version: int
    name: str
    sql: str
    down: str | None = None
    golden: Mapping[str, str] | None = field(default=None, compare=False)

    @property
    def checksum(self) -> str:
        """SHA-256 of the file, so that an edited, already applied migration is noticed."""
        return hashlib.sha256(self.sql.encode()).hexdigest()

    @property
    def in_transaction(self) -> bool:
        """False for a file that is marked `-- migrate: no transaction`."""
        return _OUTSIDE.search(self.sql) is None

    @property
    def statements(self) -> tuple[str, ...]:
        """The statements of a file without transaction, in order. Comments are gone."""
        return tuple(one.strip() for one in _COMMENT.sub("", self.sql).split(";") if one.strip())


def migrations(directory: Path = SQL_DIR / "migrations", golden: Path | None = None) -> tuple[Migration, ...]:
    """Every migration of this release, ascending. Numbers must have no gap and no double.

    `golden` holds the fingerprints; it stands beside `directory` unless told otherwise.
    """
    golden = directory.parent / "fingerprints" if golden is None else golden
    found: list[Migration] = []
    for path in sorted(directory.glob("*.sql")):
        if path.name.endswith(".down.sql"):
            continue
        match = _FILE.match(path.name)
        if match is None:
            raise ValueError(f"sql/migrations/{path.name}: the name must read NNNN_words.sql")
        down = path.with_suffix(".down.sql")
        step = Migration(
            int(match["version"]),
            match["name"],
            path.read_text(encoding="utf-8"),
            down.read_text(encoding="utf-8") if down.exists() else None,
        )
        _check(step, path.name)
        found.append(step)
    if [step.version for step in found] != list(range(1, len(found) + 1)):
        raise ValueError("sql/migrations: the numbers must run 0001, 0002, … without gap or double")
    return tuple(_with_golden(found, golden))


def chain(steps: list[Migration]) -> str:
    """One checksum for all these steps together."""
    return hashlib.sha256("\n".join(step.checksum for step in steps).encode()).hexdigest()


def index_of(statement: str) -> str | None:
    """The index that a statement without transaction makes; None for one that drops it."""
    match = _REPEATABLE.match(" ".join(statement.split()))
    return match["index"] if match and statement.startswith("CREATE") else None


def _with_golden(steps: list[Migration], directory: Path) -> list[Migration]:
    """The steps with their fingerprints. One that was generated from other files than these is left out."""
    found = []
    for place, step in enumerate(steps):
        path = directory / f"{step.version:04d}.json"
        kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        objects = kept["objects"] if kept.get("of") == chain(steps[: place + 1]) else None
        found.append(Migration(step.version, step.name, step.sql, step.down, objects))
    return found


def _check(step: Migration, file: str) -> None:
    if step.in_transaction:
        return
    for statement in step.statements:
        if not _REPEATABLE.match(" ".join(statement.split())):
            raise ValueError(
                f"sql/migrations/{file}: without a transaction every statement must bear being run again: "
                "CREATE INDEX CONCURRENTLY IF NOT EXISTS or DROP INDEX CONCURRENTLY IF EXISTS"
            )
