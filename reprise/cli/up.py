"""`reprise up`: everything on this machine."""

from __future__ import annotations

import os

import click

from shared.config import load_config


@click.command()
@click.option("--demo", is_flag=True, help="Add simulated Lidarr and slskd, and play a story on them.")
@click.option(
    "--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="How many workers share the work."
)
def up(demo: bool, workers: int) -> int:
    """Start everything on this machine: Postgres, Valkey, receiver, workers.

    Where DATABASE_URL or REDIS_URL is set, that server is used and none of our own is started. Ctrl-C stops
    everything; the data stays in REPRISE_DATA_DIR (./data).
    """
    config = load_config(os.environ)
    import asyncio

    from reprise.standalone import up as standalone
    from shared.telemetry.logging import configure_logging

    configure_logging(config, "up")
    return asyncio.run(standalone.up(config, workers=workers, demo=demo, say=click.echo))
