"""Simulated Lidarr and slskd for `reprise up --demo`, so that everything can be seen without the internet."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any, Literal

import structlog

from reprise.simulator.disk import Disk
from reprise.simulator.run import build
from reprise.standalone.story import play
from shared.config import Config, Secret

log = structlog.get_logger(__name__)

STEP_S = 1.5  # slow enough to watch
_REPLACED = ("LIDARR_URL", "LIDARR_API_KEY", "SLSKD_URL", "SLSKD_API_KEY")


class SimulatedPart:
    """One simulated peer inside this process; supervised like the others, but it can't die alone."""

    def __init__(self, kind: Literal["lidarr", "slskd"], *, webhook_url: str, config: Config, disk: Disk) -> None:
        self.name = f"simulated-{kind}"
        self.api_key = secrets.token_hex(16)
        self.url = ""
        self._peer = build(kind, api_key=self.api_key, disk=disk)
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


class Demo:
    """Both peers, and the story that is played on them. The config must have its secrets."""

    def __init__(self, config: Config, *, url: str, say: Callable[[str], None]) -> None:
        self._config = config
        self._url = url
        self._say = say
        disk = Disk()
        self._lidarr = SimulatedPart("lidarr", webhook_url=url, config=config, disk=disk)
        self._slskd = SimulatedPart("slskd", webhook_url=url, config=config, disk=disk)

    @property
    def parts(self) -> tuple[SimulatedPart, SimulatedPart]:
        return self._lidarr, self._slskd

    def config(self, config: Config) -> Config:
        """The config with the simulated peers, which must be started, in place of any real ones."""
        return replace(
            config,
            lidarr_url=self._lidarr.url,
            lidarr_api_key=Secret(self._lidarr.api_key),
            slskd_url=self._slskd.url,
            slskd_api_key=Secret(self._slskd.api_key),
        )

    def environment(self, environment: dict[str, str]) -> dict[str, str]:
        """The same for the environment of children."""
        taken_out = {f"{name}{suffix}" for name in _REPLACED for suffix in ("", "_FILE")}
        kept = {name: value for name, value in environment.items() if name not in taken_out}
        return kept | {
            "LIDARR_URL": self._lidarr.url,
            "LIDARR_API_KEY": self._lidarr.api_key,
            "SLSKD_URL": self._slskd.url,
            "SLSKD_API_KEY": self._slskd.api_key,
        }

    async def play(self) -> None:
        """The story, once. What goes wrong is told, and never ends `up`."""
        token = self._config.admin_token
        try:
            secret = token.reveal() if token else ""
            await play(self._lidarr, self._slskd, url=self._url, admin_token=secret, say=self._say)
        except Exception as error:
            log.exception("demo.failed", error=str(error))
