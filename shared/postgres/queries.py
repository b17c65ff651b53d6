"""Named SQL: every statement lives in sql/queries, bears a name and says why it is so."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

# Beside the packages, in a checkout, a container and an installed wheel alike.
SQL_DIR = Path(__file__).resolve().parents[2] / "sql"
_NAME = re.compile(r"^-- name: (?P<name>[a-z_0-9]+)\s*$", re.MULTILINE)


@cache
def load(room: str) -> Mapping[str, str]:
    """The statements of sql/queries/<room>.sql by name. A doubled name is a ValueError, an unknown one a KeyError."""
    text = (SQL_DIR / "queries" / f"{room}.sql").read_text(encoding="utf-8")
    marks = list(_NAME.finditer(text))
    statements: dict[str, str] = {}
    for mark, following in zip(marks, [*marks[1:], None], strict=True):
        name = mark["name"]
        if name in statements:
            raise ValueError(f"sql/queries/{room}.sql names {name} twice")
        end = following.start() if following else len(text)
        # The name stays in the statement as a comment: pg_stat_activity then says which query runs.
        statements[name] = f"/* {room}.{name} */ " + text[mark.end() : end].strip().rstrip(";")
    return MappingProxyType(statements)
