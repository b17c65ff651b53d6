"""What `reprise up` prints when it is ready: where to go, and what to paste where."""

from __future__ import annotations

from collections.abc import Iterable

from reprise.standalone.addresses import Addresses, addresses
from reprise.standalone.layout import Layout
from reprise.standalone.secrets import Completed


def welcome(completed: Completed, layout: Layout, port: int) -> str:
    """The text, with the generated secrets in it; those from the environment stay there."""
    config = completed.config
    reach = addresses(config.host, port)
    rows: list[tuple[str, Iterable[str]]] = [
        ("On this machine", [f"{reach.here}/"]),
        ("In your network", [f"{url}/" for url in reach.network]),
        ("From containers", [f"{url}/" for url in reach.containers]),
        ("API documentation", [f"{reach.here}/docs"]),
        ("Admin token", [_shown(completed, "admin_token", "REPRISE_ADMIN_TOKEN")]),
        ("", []),
        ("Lidarr", ["Settings > Connect > + > Webhook; paste the address by which Lidarr reaches this machine:"]),
        ("  URL", [f"{url}/webhooks/lidarr" for url in _for_lidarr(reach)]),
        ("  Username", ["reprise"]),
        ("  Password", [_shown(completed, "webhook_secret", "REPRISE_WEBHOOK_SECRET")]),
        ("slskd", ["the same with /webhooks/slskd, and the password as the header X-Webhook-Secret"]),
        ("", []),
        ("Data", [f"{layout.data_dir} (logs of the servers in logs/)"]),
        ("Stop", ["Ctrl-C"]),
    ]
    lines = ["", "Reprise is ready.", ""]
    for label, values in rows:
        shown = list(values)
        if not shown and label:
            continue
        lines.append(f"  {label:<20}{shown[0]}".rstrip() if shown else "")
        lines += [f"  {'':<20}{value}" for value in shown[1:]]
    return "\n".join([*lines, ""])


def _for_lidarr(reach: Addresses) -> list[str]:
    return [reach.here, *reach.network[:1], *reach.containers]


def _shown(completed: Completed, name: str, variable: str) -> str:
    if name not in completed.generated:
        return f"(the one of {variable})"
    value: str = getattr(completed.config, name).reveal()
    return value
