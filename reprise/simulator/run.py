"""Serves one simulator until it is cancelled: what `reprise simulate` and the demo start."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Literal, assert_never

import structlog

from reprise.simulator.disk import Disk
from reprise.simulator.lidarr import LidarrSimulator
from reprise.simulator.peer import SimulatedPeer
from reprise.simulator.slskd import SlskdSimulator

log = structlog.get_logger(__name__)


def build(kind: Literal["lidarr", "slskd"], *, api_key: str, disk: Disk | None = None) -> SimulatedPeer:
    """A peer of this kind; those that share a disk see each other's files."""
    match kind:
        case "lidarr":
            return LidarrSimulator(api_key=api_key, disk=disk)
        case "slskd":
            return SlskdSimulator(api_key=api_key, disk=disk)
        case _:
            assert_never(kind)


async def run_simulator(
    kind: Literal["lidarr", "slskd"],
    *,
    host: str,
    port: int,
    api_key: str,
    webhook_url: str | None,
    webhook_secret: str | None,
    on_ready: Callable[[str], None] | None = None,
) -> None:
    """Serve until cancelled, telling `on_ready` the URL. Raises OSError where the port is taken.

    With `webhook_url`, the peer's webhooks go there from the start, showing `webhook_secret`.
    """
    simulator = build(kind, api_key=api_key)
    async with simulator.serve(port, host=host) as url:
        if webhook_url:
            simulator.control(webhooks={"url": webhook_url, "secret": webhook_secret or ""})
        log.info("simulator.serving", kind=kind, url=url, webhook_url=webhook_url)
        if on_ready is not None:
            on_ready(url)
        await asyncio.Event().wait()
