"""Show the metrics to Prometheus: as a body for the receiver, on a small server for the worker."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from aiohttp import web
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from shared.errors import Unavailable
from shared.telemetry.instruments import REGISTRY

Probe = Callable[[], Awaitable[str]]
"""Says in a few words how a dependency is; raises when it isn't well."""


def render() -> tuple[bytes, str]:
    """All metrics of this process in Prometheus' text format, and the Content-Type to send them with."""
    return generate_latest(REGISTRY), CONTENT_TYPE_LATEST


@dataclass(frozen=True, slots=True)
class MetricsServer:
    """A running metrics server; `port` is the one really bound."""

    port: int
    _runner: web.AppRunner

    async def close(self) -> None:
        await self._runner.cleanup()


async def start_metrics_server(host: str, port: int, probes: Mapping[str, Probe] | None = None) -> MetricsServer:
    """Serve `/metrics`, `/healthz` and `/readyz` (a line per probe; 503 if one fails) on this loop.

    Port 0 takes any free one. Raises Unavailable, naming address and cause, when it can't be bound.
    """

    async def metrics(request: web.Request) -> web.Response:
        body, content_type = render()
        return web.Response(body=body, headers={"Content-Type": content_type})

    async def healthz(request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def readyz(request: web.Request) -> web.Response:
        lines, status = [], 200
        for name, probe in (probes or {}).items():
            try:
                lines.append(f"{name}: {await probe()}")
            except Exception as error:  # noqa: BLE001 - the failure is the answer
                lines.append(f"{name}: {type(error).__name__}")
                status = 503
        return web.Response(text="\n".join([*lines, "ready" if status == 200 else "not ready", ""]), status=status)

    app = web.Application()
    app.add_routes([web.get("/metrics", metrics), web.get("/healthz", healthz), web.get("/readyz", readyz)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        await runner.cleanup()
        reason = error.strerror or error
        cure = "set REPRISE_METRICS_PORT to another one, or to 0 for any that is free"
        raise Unavailable(f"the metrics server can't listen on {host}:{port} ({reason}): {cure}") from error
    first = runner.addresses[0]
    return MetricsServer(first[1], runner)
