"""How many rows there are: what a backup holds, what a restore brought back, and whether the two are the same."""

from __future__ import annotations

from typing import Any

from shared.postgres.queries import load

_Q = load("backup")


async def count_rows(connection: Any) -> dict[str, int]:
    """The rows of every table in our schema, as the connection sees them now."""
    names = [row["relname"] for row in await connection.fetch(_Q["tables"])]
    statements = {name: await connection.fetchval(_Q["count_of"], name) for name in names}
    return {name: await connection.fetchval(statement, timeout=None) for name, statement in statements.items()}
