"""Simulated Lidarr and slskd for `reprise up --demo`, so that everything can be seen without the internet."""

from __future__ import annotations

import asyncio
import os
import secrets
from contextlib import AsyncExitStack
from typing import Any, Literal

from reprise.simulator.run import build
from shared.config import Config

STEP_S = 1.5  # slow enough to watch
_REPLACED = ("LIDARR_URL", "LIDARR_API_KEY", "SLSKD_URL", "SLSKD_API_KEY")


class SimulatedPart:
    """One simulated peer inside this process; supervised like the others, but it can't die alone."""

    def __init__(self, kind: Literal["lidarr", "slskd"], *, webhook_url: str, config: Config) -> None:
        self.name = f"simulated-{kind}"
        self.api_key = secrets.token_hex(16)
        self.url = ""
        self._peer = build(kind, api_key=self.api_key)
        self._webhooks = {
            "url": f"{webhook_url}/webhooks/{kind}",
            "secret": config.webhook_secret.reveal() if config.webhook_secret else "",
        }
        self._serving = AsyncExitStack()

    @property
    def pid(self) -> int:
        return os.getpid()

    async def start(self) -> None:
        """Serve on any free loopback port, and send webhooks to the receiver."""
        self.url = await self._serving.enter_async_context(self._peer.serve(0))
        self.control(webhooks=self._webhooks, pace=STEP_S)

    async def wait(self) -> int:
        """Never returns: it ends with this process."""
        await asyncio.Event().wait()
        return 0

    async def stop(self, hurry: asyncio.Event | None = None) -> None:
        await self._serving.aclose()

    def control(self, **knobs: Any) -> None:
        """Turn knobs, as POST /_control does. Raises KnobError."""
        self._peer.control(**knobs)


def demo_environment(environment: dict[str, str], *, lidarr: SimulatedPart, slskd: SimulatedPart) -> dict[str, str]:
    """The environment with the simulated peers in place of any real ones."""
    taken_out = {f"{name}{suffix}" for name in _REPLACED for suffix in ("", "_FILE")}
    kept = {name: value for name, value in environment.items() if name not in taken_out}
    return kept | {
        "LIDARR_URL": lidarr.url,
        "LIDARR_API_KEY": lidarr.api_key,
        "SLSKD_URL": slskd.url,
        "SLSKD_API_KEY": slskd.api_key,
    }
