"""A real receiver process under attack, which must come out of it alive, with a clean log and nothing left hanging."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import psutil
import pytest
from hypothesis import HealthCheck, Phase, settings

from shared.config import Config
from tests.harness.processes import Processes, Running
from tests.harness.waiting import until

# `make hostile` asks for 10,000.
REQUESTS = int(os.environ.get("HOSTILE_REQUESTS", "400"))

# No shrinking: an example that fails is small already, and its server has changed by then.
settings.register_profile(
    "hostile",
    deadline=None,
    database=None,
    print_blob=False,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
HOSTILE = settings.get_profile("hostile")


@dataclass(frozen=True, slots=True)
class Target:
    """The process, and what the attacker happens to know."""

    running: Running
    secret: str
    token: str

    @property
    def url(self) -> str:
        return self.running.url

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])

    def rss(self) -> int:
        """Resident bytes of the process."""
        return int(psutil.Process(self.running.pid).memory_info().rss)

    def connections(self) -> int:
        """TCP connections that it holds open on its port."""
        held = psutil.Process(self.running.pid).net_connections("tcp")
        return sum(one.status in ("ESTABLISHED", "CLOSE_WAIT") and one.laddr.port == self.port for one in held)

    def complaints(self) -> list[str]:
        """Lines of its log that tell of something unforeseen."""
        return [line for line in self.running.output().splitlines() if _is_complaint(line)]

    async def lets_go(self) -> None:
        """Wait until no connection is open any more."""
        await until(lambda: self.connections() == 0, within_s=30, what="every connection to be closed")


def _is_complaint(line: str) -> bool:
    try:
        said: dict[str, Any] = json.loads(line)
    except ValueError:
        return True  # whatever isn't one of our lines got past the logging
    return said["level"] in ("error", "critical") or "Traceback" in line


@pytest.fixture
async def target(processes: Processes, config: Config) -> AsyncIterator[Target]:
    """A receiver with its Postgres; afterwards it is asked how it took it."""
    assert config.webhook_secret
    assert config.admin_token
    running = await processes.ingest()
    found = Target(running, config.webhook_secret.reveal(), config.admin_token.reveal())
    await until(lambda: "intake.direct" in running.output(), what="the intake to go direct")
    yield found
    assert running.child.exit_code is None, running.output()[-3000:]
    assert not found.complaints()
    assert await running.stop() == 0
