"""Real `python -m reprise` processes for tests: started on free ports, awaited, and ended by pid."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import aiohttp

from reprise.standalone.process import Child, spawn
from shared.config import Config, Secret

_VARIABLES = {
    "database_url": "DATABASE_URL",
    "redis_url": "REDIS_URL",
    "host": "REPRISE_HOST",
    "port": "REPRISE_PORT",
    "metrics_port": "REPRISE_METRICS_PORT",
    "data_dir": "REPRISE_DATA_DIR",
    "admin_token": "REPRISE_ADMIN_TOKEN",
    "webhook_secret": "REPRISE_WEBHOOK_SECRET",
    "webhook_secret_old": "REPRISE_WEBHOOK_SECRET_OLD",
    "secret_key": "REPRISE_SECRET_KEY",
    "log_level": "REPRISE_LOG_LEVEL",
    "log_format": "REPRISE_LOG_FORMAT",
    "lidarr_url": "LIDARR_URL",
    "lidarr_api_key": "LIDARR_API_KEY",
    "slskd_url": "SLSKD_URL",
    "slskd_api_key": "SLSKD_API_KEY",
    "backup_dir": "REPRISE_BACKUP_DIR",
    "backup_hour": "REPRISE_BACKUP_HOUR",
    "migrate": "REPRISE_MIGRATE",
}
_READY_WITHIN_S = 30.0
_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Running:
    """One started process. `url` is its HTTP address (receiver: everything; worker: metrics)."""

    child: Child
    url: str
    log: Path

    @property
    def pid(self) -> int:
        return self.child.pid

    def output(self) -> str:
        """All that it wrote to stdout and stderr so far."""
        return self.log.read_text(errors="replace")

    async def kill(self) -> None:
        """kill -9, and wait until it's gone."""
        await self.child.stop((signal.SIGKILL, None))

    async def stop(self, *, within_s: float = 20.0) -> int:
        """SIGTERM, and its exit code; killed if it takes longer than `within_s` (exit code -9)."""
        return await self.child.stop((signal.SIGTERM, timedelta(seconds=within_s)), (signal.SIGKILL, None))


@dataclass(slots=True)
class Processes:
    """Starts processes with the config of the test; the fixture ends what the test leaves running."""

    config: Config
    folder: Path
    started: list[Running] = field(default_factory=list)

    async def ingest(self, **environment: str) -> Running:
        """`python -m reprise ingest` on a free port, ready. Keyword arguments are environment variables."""
        return await self.start("ingest", port_variable="REPRISE_PORT", ready_path="/readyz", environment=environment)

    async def worker(self, **environment: str) -> Running:
        """`python -m reprise worker` with metrics on a free port, serving them."""
        return await self.start(
            "worker", port_variable="REPRISE_METRICS_PORT", ready_path="/metrics", environment=environment
        )

    async def start(
        self,
        *arguments: str,
        port_variable: str | None = None,
        ready_path: str | None = None,
        environment: dict[str, str] | None = None,
    ) -> Running:
        """Any `python -m reprise …`; with `ready_path`, returns when GET on it answers 200."""
        port = free_port()
        env = clean_environment() | environ_of(self.config)
        if port_variable:
            env[port_variable] = str(port)
        log = self.folder / f"{len(self.started)}-{arguments[0]}.log"
        with log.open("wb") as output:
            child = spawn(
                arguments[0],
                [sys.executable, "-m", "reprise", *arguments],
                env=env | (environment or {}),
                death_signal=signal.SIGKILL,
                output=output,
            )
        running = Running(child, f"http://127.0.0.1:{port}", log)
        self.started.append(running)
        if ready_path:
            await _ready(running, ready_path)
        return running

    async def end_all(self) -> None:
        """Stop whatever still runs, all at once."""
        await asyncio.gather(*(r.stop(within_s=10.0) for r in self.started if r.child.exit_code is None))


def environ_of(config: Config) -> dict[str, str]:
    """The environment variables that `load_config` reads back as `config`."""
    env = {}
    for attribute, variable in _VARIABLES.items():
        value = getattr(config, attribute)
        if value is not None:
            env[variable] = value.reveal() if isinstance(value, Secret) else str(value)
    return env


def clean_environment() -> dict[str, str]:
    """Our environment without anything that configures Reprise or Postgres."""
    known = {name for v in _VARIABLES.values() for name in (v, f"{v}_FILE")}
    return {n: v for n, v in os.environ.items() if n not in known and not n.startswith("PG")}


def free_port() -> int:
    """A loopback TCP port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def _ready(running: Running, path: str) -> None:
    loop = asyncio.get_running_loop()
    ends = loop.time() + _READY_WITHIN_S
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
        while True:
            if running.child.exit_code is not None:
                raise AssertionError(f"{running.child.name} ended with {running.child.exit_code}:\n{running.output()}")
            try:
                async with session.get(running.url + path) as answer:
                    if answer.status == 200:
                        return
                    said = f"{answer.status} {await answer.text()}"
            except (aiohttp.ClientError, TimeoutError) as error:
                said = repr(error)
            if loop.time() > ends:
                raise AssertionError(f"{running.child.name} isn't ready: {said}\n{running.output()}")
            await asyncio.sleep(_POLL_S)
