"""`reprise worker`: one member of the fleet as one process."""

from __future__ import annotations

import os

import click

from reprise.cli.service import run_service
from shared.config import load_config


@click.command()
def worker() -> None:
    """Fold events and carry out commands, until told to stop.

    Needs DATABASE_URL. Any number may run and share the work; REDIS_URL makes them notice it at once.
    """
    config = load_config(os.environ)
    from worker.serve import serve

    run_service(config, "worker", serve)
