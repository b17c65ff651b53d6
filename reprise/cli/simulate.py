"""`reprise simulate`: Lidarr or slskd played over HTTP, to try things out without the real ones."""

from __future__ import annotations

import os
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Literal

import click

from shared.config import load_config

_PORTS = {"lidarr": 8686, "slskd": 5030}  # the real ones' own


@click.command()
@click.argument("peer", type=click.Choice(["lidarr", "slskd"]), required=False)
@click.option(
    "--recording",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Answer from this recording instead (see `reprise record`).",
)
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Where to listen (default: 8686 or 5030, as the real one does)."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--api-key", default="simulated-api-key", show_default=True, help="The key that callers must show.")
@click.option("--webhook-url", help="Send webhooks here, as if a connection were set up.")
@click.option("--webhook-secret", help="What those webhooks show as X-Webhook-Secret.")
def simulate(
    *,
    peer: Literal["lidarr", "slskd"] | None,
    recording: Path | None,
    port: int | None,
    host: str,
    api_key: str,
    webhook_url: str | None,
    webhook_secret: str | None,
) -> None:
    """Play Lidarr or slskd over HTTP, until Ctrl-C.

    POST /_control sets its knobs, GET /_calls lists the calls it received; of a recording, GET /_recording tells how
    far it has come.
    """
    config = load_config(os.environ)
    import asyncio

    from shared.telemetry.logging import configure_logging

    configure_logging(config, f"simulated {peer or 'peer'}")
    if recording is not None:
        from reprise.recording.replay import RecordedPeer, run_recorded

        recorded = RecordedPeer.of(recording)
        name = recorded.recording.header.peer
        if peer not in (None, name):
            raise click.UsageError(f"{recording} is a recording of {name}")
        port = _PORTS[name] if port is None else port
        played = run_recorded(recorded, host=host, port=port, webhook_url=webhook_url, webhook_secret=webhook_secret)
        asyncio.run(_until_stopped(played))
        return
    if peer is None:
        raise click.UsageError("say which: lidarr, slskd, or --recording FILE")
    from reprise.simulator.run import run_simulator

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
        try:
            await playing
        except OSError as error:
            raise click.UsageError(f"can't listen there ({error.strerror or error}): give another --port") from error
