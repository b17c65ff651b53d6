"""`reprise ingest`: the receiver and the API as one process."""

from __future__ import annotations

import os

import click

from reprise.cli.service import run_service
from shared.config import load_config


@click.command()
def ingest() -> None:
    """Receive webhooks and answer the API, on REPRISE_PORT (7373).

    Needs DATABASE_URL. Any number may run; REPRISE_WEBHOOK_SECRET is what senders must show.
    """
    config = load_config(os.environ)
    from ingest.serve import serve

    run_service(config, "ingest", serve)
