"""How a command ends: its exit code, and for a failure one line on stderr that says what to do about it."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence

import click

from reprise.cli.words import printable
from shared.errors import ConfigError, InvalidInput, RepriseError

FAILED = 1
WRONG_USAGE = 2
INTERRUPTED = 130  # 128 + SIGINT, as shells have it


def run(command: click.Command, arguments: Sequence[str]) -> int:
    """Run the command, and return the exit code: 0 done, 1 failed, 2 wrong usage, 78 bad configuration."""
    try:
        # Not command.main(): that one turns a broken pipe into a failure.
        with command.make_context("reprise", list(arguments)) as context:
            ended = command.invoke(context)
        sys.stdout.flush()
        return ended if isinstance(ended, int) else 0
    except click.exceptions.Exit as ended_early:  # after --help, say
        return ended_early.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        return INTERRUPTED
    except BrokenPipeError:
        _close_stdout()
        return 0  # whoever reads has had enough: nothing failed
    except Exception as error:  # noqa: BLE001 - the last door: told to a person, with its traceback if asked
        return _fail(error)


def _fail(error: Exception) -> int:
    if os.environ.get("REPRISE_LOG_LEVEL", "").strip().lower() == "debug":
        traceback.print_exception(error)
    if isinstance(error, ConfigError):
        sys.stderr.write(f"reprise: {error}\n")
        return ConfigError.exit_code
    sys.stderr.write(f"reprise: {explain(error)}\n")
    return WRONG_USAGE if isinstance(error, InvalidInput) else FAILED


def explain(error: Exception) -> str:
    """One line for a person, ending in the cure."""
    if isinstance(error, RepriseError):
        cure = _CURES.get(error.code)
        return printable(error.message) + (f". {cure}" if cure else "")
    says = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    cure = _CURES.get(type(error).__name__, "Set REPRISE_LOG_LEVEL=debug to see where it happened")
    return f"{printable(says)}. {cure}"


# By code or name, so that telling an error doesn't import the driver; asyncpg names its own after Postgres' conditions.
_CURES = {
    "migration_altered": "Restore that file as its release had it, or go back to that release",
    "schema_unrecognised": "See `reprise migrate baseline`",
    "schema_drifted": "See `reprise migrate verify`",
    "migration_failed": "See `reprise migrate verify`: something may be in its way",
    "UndefinedTableError": "The schema of this release isn't there: run `reprise migrate`",
    "UndefinedColumnError": "The schema is of another release: run `reprise migrate`",
    "UndefinedFunctionError": "The schema is of another release: run `reprise migrate`",
    "InsufficientPrivilegeError": "Give the user of DATABASE_URL the rights, or use the one that owns the schema",
    "QueryCanceledError": "It took too long: narrow it down with filters, or look with `reprise sql`",
    "DiskFullError": "Make room on the disk of Postgres",
    "ReadOnlySQLTransactionError": "This Postgres takes no writes (a standby?): name the primary in DATABASE_URL",
}


def _close_stdout() -> None:
    """Let nothing more be written: the interpreter would flush at exit, and complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
