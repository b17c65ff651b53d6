"""Secrets that nobody set: made once, kept mode 0600 in the data directory, and given to the children as files."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from reprise.standalone.layout import Layout
from shared.config import Config, Secret

_SECRETS = {
    "admin_token": "REPRISE_ADMIN_TOKEN",
    "webhook_secret": "REPRISE_WEBHOOK_SECRET",
    "secret_key": "REPRISE_SECRET_KEY",
}


@dataclass(frozen=True, slots=True)
class Completed:
    """A config without gaps. `environment` tells children where the generated ones lie; `generated` names them."""

    config: Config
    environment: dict[str, str]
    generated: frozenset[str]


def complete(config: Config, layout: Layout) -> Completed:
    """Fill in the secrets that are missing in `config`. What the environment sets is neither kept nor changed."""
    missing = {name: variable for name, variable in _SECRETS.items() if getattr(config, name) is None}
    values: dict[str, Any] = {name: Secret(layout.kept_secret(name)) for name in missing}
    return Completed(
        replace(config, **values),
        # a path can be seen in the environment of a process without harm, unlike its content
        {f"{variable}_FILE": str(layout.secrets / name) for name, variable in missing.items()},
        frozenset(missing),
    )
