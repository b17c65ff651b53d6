"""The API: history, jobs, batches, leftovers, settings and admin under /api/v1, and its contract made from the code."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from aiohttp import web

from ingest.api.authentication import Gate
from ingest.api.docs import routes_of_docs
from ingest.api.endpoint import endpoint
from ingest.api.operations import carry_out
from ingest.api.routes import PREFIX
from ingest.api.services import SERVICES, Services
from ingest.api.table import ROUTES
from ingest.parts import Parts

__all__ = ["SERVICES", "Services", "add_api"]


def add_api(app: web.Application, parts: Parts) -> None:
    """Add the API to the receiver's application; app[SERVICES] is then there for other faces."""
    services = app[SERVICES] = Services.of(parts)
    gate = Gate(parts.config.admin_token)
    for route in ROUTES:
        handle = endpoint(route, services, gate)
        if route.method == "GET":
            app.router.add_get(PREFIX + route.path, handle)
        else:
            app.router.add_route(route.method, PREFIX + route.path, handle)
    app.add_routes(routes_of_docs())

    async def in_the_background(app: web.Application) -> AsyncIterator[None]:
        carrying_out = asyncio.create_task(carry_out(services), name="operations")
        yield
        carrying_out.cancel()
        await asyncio.gather(carrying_out, return_exceptions=True)

    app.cleanup_ctx.append(in_the_background)
