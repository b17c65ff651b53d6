"""What people have set: typed functions over sql/queries/settings.sql."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from shared.errors import NotFound
from shared.postgres.pool import Connection
from shared.postgres.queries import load
from shared.settings.registry import REGISTRY
from shared.settings.setting import Setting

_Q = load("settings")


@dataclass(frozen=True, slots=True)
class Stored:
    """The values as they are stored, unchecked (another release may have written them), and their version."""

    version: int
    values: dict[str, Any] = field(default_factory=dict)


def known(name: str) -> Setting:
    """The setting of that name. Raises NotFound."""
    setting = REGISTRY.get(name)
    if setting is None:
        raise NotFound(f"There is no such setting. Known are {', '.join(sorted(REGISTRY))}.")
    return setting


async def version(connection: Connection) -> int:
    """The number of the newest change."""
    return int(await connection.fetchval(_Q["version"]))


async def read(connection: Connection) -> Stored:
    """Everything that is set, under its version."""
    rows = await connection.fetch(_Q["values"])
    return Stored(rows[0]["version"], {row["name"]: row["value"] for row in rows if row["name"] is not None})


async def put(connection: Connection, name: str, value: Any, *, by: str) -> int:
    """Set a value, or with None go back to the default; answers the new version. The caller's transaction commits it.

    Raises NotFound for an unknown name and InvalidInput for a value that doesn't fit.
    """
    setting = known(name)
    fitting = None if value is None else setting.read(value)
    counted = int(await connection.fetchval(_Q["count_up"]))
    if fitting is None:
        await connection.execute(_Q["forget"], name)
    else:
        await connection.execute(_Q["put"], name, fitting, by)
    return counted
