"""Every route of the API, in the order of the contract; and the other doors of the process, which it describes too."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple
from uuid import UUID

import msgspec

from ingest.api import admin, batches, events, jobs, leftovers, settings
from ingest.api.routes import Route

# A fixed path stands before one with {id}: aiohttp takes the first that fits.
ROUTES: tuple[Route, ...] = (
    *events.ROUTES,
    *jobs.ROUTES,
    *batches.ROUTES,
    *leftovers.ROUTES,
    *settings.ROUTES,
    *admin.ROUTES,
)


class Kept(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The delivery is kept: which event it is, and whether that was known already."""

    event_id: UUID
    duplicate: bool
    spooled: Annotated[bool, msgspec.Meta(description="Kept beside the database, and on its way into it.")] = False


class Verified(msgspec.Struct, kw_only=True):
    """The address is right, and the secret matches."""

    source: str
    verified: bool


class Door(NamedTuple):
    """An operation outside of the API. secret: it wants the webhook secret; otherwise it is open."""

    method: str
    path: str
    summary: str
    answers: dict[int, Any]
    refusals: tuple[int, ...] = ()
    secret: bool = False
    media: str = "application/json"


_KEEP = "Keep a webhook: its exact bytes, as an event."
DOORS: tuple[Door, ...] = (
    Door("POST", "/webhooks/{source}", _KEEP, {200: Kept}, (400, 401, 404, 408, 413, 429, 503, 507), secret=True),
    Door("PUT", "/webhooks/{source}", _KEEP, {200: Kept}, (400, 401, 404, 408, 413, 429, 503, 507), secret=True),
    Door(
        "GET",
        "/webhooks/{source}/verify",
        "Say that the address is right and the secret matches.",
        {200: Verified},
        (401, 404, 429),
        secret=True,
    ),
    Door("GET", "/healthz", "Liveness.", {200: dict[str, str]}),
    Door(
        "GET",
        "/readyz",
        "200 whenever a delivery would be kept; a line per dependency.",
        {200: dict[str, Any], 503: dict[str, Any]},
    ),
    Door("GET", "/metrics", "Figures for Prometheus.", {200: bytes}, media="text/plain"),
    Door("GET", "/openapi.json", "This contract.", {200: dict[str, Any]}),
    Door("GET", "/docs", "This contract, readable.", {200: bytes}, media="text/html"),
)
