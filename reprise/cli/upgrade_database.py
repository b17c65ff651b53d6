"""`reprise upgrade-database`: the embedded database of an older PostgreSQL into one of this release's."""

from __future__ import annotations

import os
from pathlib import Path

import click

from reprise.cli.database import finish
from reprise.cli.service import log_to_stderr
from shared.config import load_config


@click.command("upgrade-database")
@click.option(
    "--programs",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The folder with the older postgres, where it isn't found by itself.",
)
def upgrade_database(*, programs: Path | None) -> None:
    """Bring the embedded database from an older PostgreSQL to the one of this release.

    By way of a proved backup. The old one is set aside, and stays until you remove it. `reprise up` must not run.
    """
    from reprise.standalone.upgrade import upgrade

    config = load_config(os.environ)
    log_to_stderr(config, "upgrade")
    finish(upgrade(config, programs=programs, say=click.echo))
