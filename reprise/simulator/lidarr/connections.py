"""The notification connections of a simulated Lidarr, and how it gives up on one that fails."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from typing import Any

import msgspec

from reprise.simulator.clock import Clock
from reprise.simulator.delivery import Delivery, Outbox
from reprise.simulator.knobs import Json
from reprise.simulator.lidarr import bodies
from reprise.simulator.lidarr.bodies import Instance

MASK = "********"
TIMEOUT_S = 100.0
# Seconds a connection is off, by escalation level; nothing escalates in the first five minutes of failing.
BACK_OFF_S = (0, 60, 300, 900, 1800, 3600)
GRACE = timedelta(minutes=5)
START_GRACE = timedelta(minutes=15)
SWITCHES = {
    "Grab": "onGrab",
    "Download": "onReleaseImport",
    "DownloadFailure": "onDownloadFailure",
    "ImportFailure": "onImportFailure",
    "Rename": "onRename",
    "Retag": "onTrackRetag",
    "ArtistAdd": "onArtistAdd",
    "ArtistDelete": "onArtistDelete",
    "AlbumDelete": "onAlbumDelete",
    "Health": "onHealthIssue",
    "HealthRestored": "onHealthRestored",
    "ApplicationUpdate": "onApplicationUpdate",
}


class Webhooks(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Knob `webhooks`: registers a connection to `url` that shows `secret` and sends every event."""

    url: str
    secret: str = ""
    mode: str | list[str] | None = None
    name: str = "Reprise"
    method: int = 1


@dataclass(slots=True, kw_only=True, eq=False)
class Connection:
    id: int
    name: str
    settings: dict[str, Any]
    switches: dict[str, bool]
    tags: list[int] = field(default_factory=list)
    level: int = 0
    failing_since: datetime | None = None
    disabled_till: datetime | None = None


class Connections:
    """Every registered connection; sends an event to those that want it and aren't switched off."""

    def __init__(self, clock: Clock, outbox: Outbox, instance: Instance) -> None:
        self._clock = clock
        self._outbox = outbox
        self._instance = instance
        self.reset()

    def reset(self) -> None:
        self.all: dict[int, Connection] = {}
        self.back_off = True
        self.started_at = self._clock.now() - START_GRACE
        self._ids = count(1)

    def save(
        self, *, name: str, settings: Json, switches: dict[str, bool], tags: list[int], id: int | None = None
    ) -> Connection:
        """Create a connection, or with the `id` of one, overwrite it; a masked password stays as it was."""
        if id is None:
            connection = Connection(id=next(self._ids), name=name, settings=settings, switches=switches)
            self.all[connection.id] = connection
        else:
            connection = self.all[id]
            if settings.get("password") == MASK:
                settings["password"] = connection.settings.get("password")
            connection.name, connection.settings, connection.switches = name, settings, switches
        connection.tags = tags
        return connection

    def register(self, hooks: Webhooks) -> int:
        """What the knob `webhooks` does; a connection of that name is replaced."""
        headers = [{"key": "X-Webhook-Secret", "value": hooks.secret}] if hooks.secret else []
        if hooks.mode is not None:
            self._outbox.set_mode(hooks.mode)
        same = next((one.id for one in self.all.values() if one.name == hooks.name), None)
        connection = self.save(
            id=same,
            name=hooks.name,
            settings={"url": hooks.url, "method": hooks.method, "headers": headers},
            switches=dict.fromkeys([*SWITCHES.values(), "onUpgrade"], True),
            tags=[],
        )
        return connection.id

    async def announce(self, event_type: str, body: Json, *, tags: Sequence[int] = ()) -> None:
        """Send one event, waiting for the answers as the real Lidarr's publishing thread does."""
        encoded = bodies.encode(body)
        for connection in list(self.all.values()):
            if self._wants(connection, event_type, body, tags) and not self.is_off(connection):
                report = partial(self.record, connection)
                await self._outbox.send(self._delivery(connection, event_type, encoded, report))

    async def test(self, connection: Connection) -> str | None:
        """Send a Test at once, whatever the delivery mode; returns what went wrong, which counts like any failure."""
        body = bodies.encode(bodies.test(self._instance))
        fault = await self._outbox.transmit(self._delivery(connection, "Test", body, None))
        if connection.id in self.all:
            self.record(self.all[connection.id], fault is None)
        return fault

    def is_off(self, connection: Connection) -> bool:
        return connection.disabled_till is not None and connection.disabled_till > self._clock.now()

    def record(self, connection: Connection, success: bool) -> None:
        """Escalate on failure and calm down on success, as Lidarr does."""
        if success:
            connection.level = max(0, connection.level - 1)
            connection.disabled_till = None
            return
        if not self.back_off:
            return
        now = self._clock.now()
        first = connection.level == 0
        if first:
            connection.failing_since, connection.level = now, 1
        starting = self.started_at + START_GRACE > now
        if connection.failing_since is not None and connection.failing_since + GRACE > now:
            return
        if not first and not starting:
            connection.level = min(len(BACK_OFF_S) - 1, connection.level + 1)
        pause = min(BACK_OFF_S[connection.level], 300) if starting else BACK_OFF_S[connection.level]
        connection.disabled_till = now + timedelta(seconds=pause)

    def _wants(self, connection: Connection, event_type: str, body: Json, tags: Sequence[int]) -> bool:
        if not connection.switches.get(SWITCHES[event_type], False):
            return False
        if event_type == "Download" and body["isUpgrade"] and not connection.switches.get("onUpgrade", False):
            return False
        return not connection.tags or bool(set(connection.tags) & set(tags))

    def _delivery(self, connection: Connection, event_type: str, body: bytes, report: Any) -> Delivery:
        settings = connection.settings
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        headers["User-Agent"] = self._instance.user_agent
        if settings.get("username") or settings.get("password"):
            login = f"{settings.get('username') or ''}:{settings.get('password') or ''}"
            headers["Authorization"] = "Basic " + base64.b64encode(login.encode("latin-1", "replace")).decode()
        headers |= {header["key"]: header["value"] for header in settings.get("headers") or []}
        return Delivery(
            event_type=event_type,
            method="PUT" if settings.get("method") == 2 else "POST",
            url=str(settings.get("url")),
            headers=headers,
            body=body,
            timeout_s=TIMEOUT_S,
            on_result=report,
        )
