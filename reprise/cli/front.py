"""The table of commands, and the help that shows it."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from types import MappingProxyType

import click

COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "up": "reprise.cli.up:up",
        "ingest": "reprise.cli.ingest:ingest",
        "worker": "reprise.cli.worker:worker",
        "migrate": "reprise.cli.migrate:migrate",
        "events": "reprise.cli.events:events",
        "jobs": "reprise.cli.jobs:jobs",
        "batches": "reprise.cli.batches:batches",
        "leftovers": "reprise.cli.leftovers:leftovers",
        "settings": "reprise.cli.settings:settings",
        "retry": "reprise.cli.again:retry",
        "replay": "reprise.cli.again:replay",
        "adopt": "reprise.cli.adopt:adopt",
        "rebuild": "reprise.cli.rebuild:rebuild",
        "backup": "reprise.cli.backup:backup",
        "restore": "reprise.cli.restore:restore",
        "upgrade-database": "reprise.cli.upgrade_database:upgrade_database",
        "sql": "reprise.cli.sql:sql",
        "simulate": "reprise.cli.simulate:simulate",
        "record": "reprise.cli.record:record",
    }
)


class _Front(click.Group):
    """Imports the file of a command only when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command = getattr(importlib.import_module(module), name)
        assert isinstance(command, click.Command)
        return command


def _say_version(ctx: click.Context, _parameter: click.Parameter, asked: bool) -> None:
    if not asked or ctx.resilient_parsing:
        return
    from importlib.metadata import PackageNotFoundError, version

    try:
        click.echo(f"reprise {version('reprise')}")
    except PackageNotFoundError:
        click.echo("reprise (not installed)")
    ctx.exit()


@click.command(
    cls=_Front,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, 1 failed, 2 wrong usage, 78 bad configuration.",
)
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=_say_version, help="Show the version."
)
def front() -> None:
    """Reprise keeps every webhook of Lidarr and slskd, and turns them into albums that finish once each.

    `reprise up` starts everything on this machine. The other commands work on the database in use: the one of
    DATABASE_URL, or else that of the `reprise up` that runs on REPRISE_DATA_DIR (./data).
    """
