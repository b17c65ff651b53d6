"""What must hold before a schema is judged: the server can do it, and the schema that is looked at is the one meant."""

from __future__ import annotations

from typing import Any

from shared.errors import Unavailable
from shared.postgres.queries import load

OLDEST_MAJOR = 15


class Unfit(Unavailable):
    """The server or the database can't hold Reprise's data; the message says what it should be."""

    code = "postgres_unfit"


class Elsewhere(Unavailable):
    """Reprise's tables are in another schema than the one that new ones would go to: nothing was changed.

    Otherwise an empty set of tables would be made in front of the full one.
    """

    code = "schema_elsewhere"


class NotOurLedger(Unavailable):
    """The table schema_migrations is another program's: nothing was changed.

    Name a schema of Reprise's own, by adding `?options=-csearch_path%3Dreprise` to DATABASE_URL.
    """

    code = "ledger_foreign"


async def check_premises(connection: Any) -> None:
    """Raises Unfit, Elsewhere or NotOurLedger; changes nothing."""
    found = await connection.fetchrow(load("migrate")["premises"])
    if found["major"] < OLDEST_MAJOR:
        raise Unfit(f"the server is PostgreSQL {found['major']}; Reprise needs {OLDEST_MAJOR} or newer")
    # SQL_ASCII takes whatever we send. A database that is in use already goes on, whatever it is.
    if found["encoding"] not in ("UTF8", "SQL_ASCII") and found["ours_in"] is None:
        raise Unfit(
            f"the database is encoded as {found['encoding']}, and can't hold every name: make one with "
            "CREATE DATABASE reprise ENCODING 'UTF8' TEMPLATE template0"
        )
    if found["here"] is None:
        raise Unfit(
            "the user of DATABASE_URL may use none of the schemas in its search path: GRANT USAGE, CREATE ON SCHEMA "
            "public TO that user, or let it own the database"
        )
    if found["ours_in"] is not None and found["ours_in"] != found["here"]:
        raise Elsewhere(
            f"Reprise's tables are in the schema {found['ours_in']}, but new ones would go to {found['here']}, which "
            "comes first. Nothing was changed. Say which one is meant: add "
            f"?options=-csearch_path%3D{found['ours_in']} to DATABASE_URL"
        )
    if found["ledger_is_ours"] is False:
        raise NotOurLedger(
            f"the table schema_migrations in the schema {found['here']} is another program's. Nothing was changed. "
            "Name a schema of Reprise's own: CREATE SCHEMA reprise, and add ?options=-csearch_path%3Dreprise to "
            "DATABASE_URL"
        )
