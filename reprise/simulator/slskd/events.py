"""Events of a simulated slskd: kept for `/events`, then sent to every webhook that wants them."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from datetime import datetime

import msgspec

from reprise.simulator.clock import Clock, ticks
from reprise.simulator.delivery import Delivery, Outbox
from reprise.simulator.knobs import Json
from reprise.simulator.pace import Pace

NOBODY = "00000000-0000-0000-0000-000000000000"
TYPES = (
    "DownloadFileComplete",
    "DownloadDirectoryComplete",
    "UploadFileComplete",
    "PrivateMessageReceived",
    "RoomMessageReceived",
    "SoulseekClientConnected",
    "SoulseekClientDisconnected",
    "Noop",
)
# What .NET's default encoder escapes besides non-ASCII characters.
ESCAPED = re.compile(r"\\u[0-9a-f]{4}|\\\"|[&'+<>`]")


class Webhooks(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Knob `webhooks`: one entry of slskd's `integrations.webhooks`; `secret` is shown in X-Webhook-Secret."""

    url: str
    secret: str = ""
    headers: dict[str, str] = {}
    on: list[str] = msgspec.field(default_factory=lambda: ["Any"])
    timeout_ms: int = 5000
    attempts: int = 1
    mode: str | list[str] | None = None
    name: str = "reprise"


class Events:
    """The event table, newest first by timestamp, and the webhooks."""

    def __init__(self, clock: Clock, pace: Pace, outbox: Outbox) -> None:
        self._clock = clock
        self._pace = pace
        self._outbox = outbox
        self.reset()

    def reset(self) -> None:
        self._rows: list[tuple[datetime, Json]] = []
        self._hooks: dict[str, Webhooks] = {}

    def hook(self, webhooks: Webhooks) -> None:
        if webhooks.mode is not None:
            self._outbox.set_mode(webhooks.mode)
        self._hooks[webhooks.name] = webhooks

    def __len__(self) -> int:
        return len(self._rows)

    def page(self, offset: int, limit: int) -> Iterator[Json]:
        """Event rows as the API shows them: `data` is JSON within a string."""
        newest = sorted(self._rows, key=lambda row: row[0], reverse=True)
        for _, event in newest[offset : offset + limit]:
            inner = {key: value for key, value in event.items() if key not in ("type", "id", "timestamp")}
            data = json.dumps(inner, ensure_ascii=False, separators=(",", ":"))
            yield {"timestamp": event["timestamp"], "type": event["type"], "data": data, "id": event["id"]}

    def emit(self, event_type: str, own: Json, *, at: datetime | None = None) -> Json:
        """Keep an event, then send it in the background. `at`: download events bear their transfer's end."""
        happened = at or self._clock.now()
        event = {
            "type": event_type,
            "version": 0,
            **own,
            "id": str(uuid.uuid4()),
            "timestamp": ticks(happened),
        }
        self._rows.append((happened, event))
        for hooks in self._hooks.values():
            if any(word.casefold() in ("any", event_type.casefold()) for word in hooks.on):
                self._pace.spawn(self._outbox.send(self._delivery(hooks, event_type, event)))
        return event

    def sample(self, event_type: str, mark: str) -> Json:
        """Emit the made-up event that slskd raises on request; `mark` goes before its texts."""
        at = self._clock.now()
        own: Json = {}
        if event_type in ("DownloadFileComplete", "UploadFileComplete"):
            own = {
                "localFilename": f"{mark}local.file",
                "remoteFilename": f"{mark}remote.file",
                "transfer": empty_transfer(),
            }
        elif event_type == "DownloadDirectoryComplete":
            own = {
                "localDirectoryName": f"{mark}local.directory",
                "remoteDirectoryName": f"{mark}remote.directory",
                "username": f"{mark}username",
            }
        elif event_type == "PrivateMessageReceived":
            own = {
                "message": {
                    "timestamp": ticks(at),
                    "id": 42,
                    "username": f"{mark}username",
                    "direction": "In",
                    "message": f"{mark}message",
                    "isAcknowledged": False,
                    "wasReplayed": False,
                }
            }
        elif event_type == "RoomMessageReceived":
            own = {
                "message": {
                    "timestamp": ticks(at),
                    "username": f"{mark}username",
                    "message": f"{mark}message",
                    "roomName": f"{mark}room",
                    "direction": "In",
                }
            }
        return self.emit(event_type, own)

    def _delivery(self, hooks: Webhooks, event_type: str, event: Json) -> Delivery:
        headers = {"Content-Type": "application/json; charset=utf-8"} | hooks.headers
        if hooks.secret:
            headers["X-Webhook-Secret"] = hooks.secret
        return Delivery(
            event_type=event_type,
            method="POST",
            url=hooks.url,
            headers=headers,
            body=encode(event),
            timeout_s=hooks.timeout_ms / 1000,
            attempts=hooks.attempts,
            follow_redirects=True,
            succeeds_below=300,
        )


def encode(event: Json) -> bytes:
    """JSON as slskd's webhooks carry it: nulls included, non-ASCII and HTML-like characters escaped."""
    return ESCAPED.sub(_escape, json.dumps(event, separators=(",", ":"))).encode("ascii")


def _escape(match: re.Match[str]) -> str:
    found = match.group()
    if found.startswith("\\u"):
        return "\\u" + found[2:].upper()
    return f"\\u{ord(found[-1]):04X}"


def empty_transfer() -> Json:
    """The transfer of a sample event: all zeros."""
    return {
        "batchId": None,
        "id": NOBODY,
        "username": None,
        "direction": "Download",
        "filename": None,
        "size": 0,
        "state": "None",
        "requestedAt": "0001-01-01T00:00:00",
        "enqueuedAt": None,
        "startedAt": None,
        "endedAt": None,
        "bytesTransferred": 0,
        "averageSpeed": 0,
        "placeInQueue": None,
        "exception": None,
        "attempts": 0,
        "nextAttemptAt": None,
        "removed": False,
        "bytesRemaining": 0,
        "elapsedTime": None,
        "percentComplete": 0,
        "remainingTime": None,
    }
