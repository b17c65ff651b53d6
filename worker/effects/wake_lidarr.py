"""Have Lidarr test its connection to us: a success ends the back-off in which it drops every webhook."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

import structlog

from shared.acquisition.commands import WakeLidarr
from shared.errors import TryLater
from worker.clients.answers import NotFoundAtPeer, PeerAway, PeerRefused
from worker.clients.http import MAX_CHANGE_S
from worker.clients.lidarr import LidarrClient
from worker.clients.lidarr_answers import Notification
from worker.effects.effect import Found, Tools
from worker.lease import Claimed

# Each test that fails prolongs the back-off, so there are few; the receiver may only just be starting.
_TRIES = 3
_AGAIN = timedelta(minutes=1)
# Of this path, and of what it was called at Lidify: /api/webhooks/lidarr.
_OURS = "/webhooks/lidarr"

log = structlog.get_logger("worker.wake")


async def wake_lidarr(command: WakeLidarr, claimed: Claimed, tools: Tools) -> Found:
    """Twice does no harm: a Test is an event that calls for nothing. What doesn't reach us is said once."""
    lidarr = tools.need_lidarr()
    failed = []
    for connection in await lidarr.notifications():
        if leads_to_us(connection):
            claimed.must_outlast(MAX_CHANGE_S)
            if why := await _failure(connection, lidarr):
                failed.append(f"{connection.name}: {why}")
    if failed and claimed.attempts + 1 < _TRIES:
        raise TryLater("; ".join(failed), after=_AGAIN)
    if failed:
        log.warning("lidarr.connection_fails", connections=failed)
    return Found()


def leads_to_us(connection: Notification) -> bool:
    """Whether a connection of Lidarr's sends its webhooks to a receiver of ours, whatever its address."""
    url = connection.field("url")
    return (
        connection.implementation == "Webhook"
        and isinstance(url, str)
        and urlsplit(url).path.rstrip("/").endswith(_OURS)
    )


async def _failure(connection: Notification, lidarr: LidarrClient) -> str | None:
    """Why its test failed; None where it succeeded, or somebody has removed the connection meanwhile."""
    try:
        await lidarr.test_notification(connection.id)
    except NotFoundAtPeer:
        return None
    except PeerRefused as refused:
        return refused.message
    except PeerAway as away:
        if not away.outcome_unknown:
            raise
        # Lidarr is there; whom it calls is not.
        return away.message
    return None
