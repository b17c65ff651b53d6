"""Let other commands find the servers of the `reprise up` that is running on the same data directory."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from reprise.standalone.layout import Layout
from shared.config import Config, Secret

_FILE = "run/up.json"
_SECRETS = (
    "database_url",
    "redis_url",
    "admin_token",
    "webhook_secret",
    "secret_key",
    "lidarr_api_key",
    "slskd_api_key",
)
_PEERS = ("lidarr_url", "slskd_url")


def demo_folder(data_dir: Path) -> Path:
    """Where the demo keeps its data: a simulated Lidarr numbers its history as the real one does."""
    return data_dir / "demo"


@dataclass(frozen=True, slots=True)
class Attached:
    """A config completed with what the running `up` uses; `url` is where its receiver listens."""

    config: Config
    url: str


def publish(layout: Layout, config: Config, url: str) -> None:
    """Write down, readable by this user alone, where the servers are."""
    values = {name: value.reveal() for name in _SECRETS if (value := getattr(config, name)) is not None}
    values |= {name: value for name in _PEERS if (value := getattr(config, name)) is not None}
    path = layout.data_dir / _FILE
    partial = path.with_suffix(".new")
    partial.unlink(missing_ok=True)
    partial.touch(mode=0o600)
    partial.write_text(json.dumps({"url": url, **values}))
    partial.replace(path)


def withdraw(layout: Layout) -> None:
    """Forget it: the servers are about to stop."""
    (layout.data_dir / _FILE).unlink(missing_ok=True)


def attach(config: Config) -> Attached | None:
    """Complete `config` from the `up` that runs (or was killed) on its data directory; None if there is none.

    What the environment sets stands. Raises PermissionError if the data directory belongs to another user.
    """
    data_dir = config.data_dir.expanduser()
    known = _known(data_dir) or _known(demo_folder(data_dir))
    if known is None:
        return None
    absent = [name for name in known if getattr(config, name, "") is None]
    missing: dict[str, Any] = {name: known[name] if name in _PEERS else Secret(known[name]) for name in absent}
    return Attached(replace(config, **missing), known["url"])


def _known(data_dir: Path) -> dict[str, str] | None:
    try:
        known: dict[str, str] = json.loads((data_dir / _FILE).read_text())
    except FileNotFoundError:
        return None
    return known
