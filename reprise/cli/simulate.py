"""`reprise simulate`: Lidarr or slskd played over HTTP, to try things out without the real ones."""

from __future__ import annotations

import os
from collections.abc import Coroutine
from typing import Any, Literal

import click

from shared.config import load_config

_PORTS = {"lidarr": 8686, "slskd": 5030}  # the real ones' own


@click.command()
@click.argument("peer", type=click.Choice(["lidarr", "slskd"]))
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Where to listen (default: 8686 or 5030, as the real one does)."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--api-key", default="simulated-api-key", show_default=True, help="The key that callers must show.")
@click.option("--webhook-url", help="Send webhooks here, as if a connection were set up.")
@click.option("--webhook-secret", help="What those webhooks show as X-Webhook-Secret.")
def simulate(
    *,
    peer: Literal["lidarr", "slskd"],
    port: int | None,
    host: str,
    api_key: str,
    webhook_url: str | None,
    webhook_secret: str | None,
) -> None:
    """Play Lidarr or slskd over HTTP, until Ctrl-C.

    POST /_control sets its knobs, GET /_calls lists the calls it received.
    """
    config = load_config(os.environ)
    import asyncio

    from reprise.simulator.run import run_simulator
    from shared.telemetry.logging import configure_logging

    configure_logging(config, f"simulated {peer}")
    simulated = run_simulator(
        peer,
        host=host,
        port=_PORTS[peer] if port is None else port,
        api_key=api_key,
        webhook_url=webhook_url,
        webhook_secret=webhook_secret,
    )
    asyncio.run(_until_stopped(simulated))


async def _until_stopped(work: Coroutine[Any, Any, None]) -> None:
    """Ctrl-C and SIGTERM are the usual end of it."""
    import asyncio
    import contextlib
    import signal

    playing = asyncio.ensure_future(work)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, playing.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await playing
