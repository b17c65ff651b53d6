"""What slskd sends: a GUID with every event, only successes, and possibly the same event again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from shared.acquisition.signals import FileArrived, Signal, Unheeded
from shared.eventlog.event import Event, Identity
from shared.sources.reading import UNREADABLE, BigInt, Unreadable, guid, plain, text, type_name, typed

_NOTHING_TO_DO: Mapping[str, str] = {
    # It can come early, several times or never, so nothing may rest on it: files are counted instead.
    "DownloadDirectoryComplete": "kept for history: files are counted, not folders",
    "UploadFileComplete": "kept for history: an upload",
    "PrivateMessageReceived": "kept for history: a message",
    "RoomMessageReceived": "kept for history: a message",
    "SoulseekClientConnected": "kept for history: slskd's connection",
    "SoulseekClientDisconnected": "kept for history: slskd's connection",
    "Noop": "a test of the connection",
}


class _Transfer(msgspec.Struct, rename="camel"):
    id: str = ""
    batch_id: str | None = None
    username: str = ""
    filename: str = ""
    size: BigInt = 0


class _FileComplete(msgspec.Struct, rename="camel"):
    local_filename: str = ""
    remote_filename: str = ""
    transfer: _Transfer = msgspec.field(default_factory=_Transfer)


def identify(headers: Mapping[str, str], body: bytes) -> Identity:
    """Type, slskd's own event id as natural key, and the batch that a transfer belongs to."""
    try:
        data = plain(body)
    except Unreadable:
        return Identity(UNREADABLE)
    event_id = guid(data.get("id"))
    return Identity(type_name(data.get("type")), f"event:{event_id}" if event_id else None, _batch(data))


def _batch(data: dict[str, Any]) -> str | None:
    match data:
        case {"transfer": {"batchId": batch}}:
            found = guid(batch)
            return None if found is None else str(found)
        case _:
            return None


def interpret(event: Event) -> tuple[Signal, ...] | Unheeded:
    """What an slskd event means. slskd reports no failures, so only an arrived file says anything."""
    if event.type in _NOTHING_TO_DO:
        return Unheeded(_NOTHING_TO_DO[event.type])
    try:
        if event.type == UNREADABLE:
            plain(event.body)
            raise Unreadable("type is missing or no name")
        if event.type == "DownloadFileComplete":
            return (_file_arrived(typed(event.body, _FileComplete)),)
    except Unreadable as error:
        return Unheeded(f"unreadable: {text(str(error), 300)}")
    return Unheeded("unknown type")


def _file_arrived(body: _FileComplete) -> Signal:
    transfer = body.transfer
    if not transfer.username or not (body.remote_filename or transfer.filename):
        raise Unreadable("a file without user or remote name")
    return FileArrived(
        batch_id=guid(transfer.batch_id),
        transfer_id=guid(transfer.id),
        username=text(transfer.username),
        remote_filename=text(body.remote_filename or transfer.filename, 2000),
        local_filename=text(body.local_filename, 2000),
        size_bytes=transfer.size,
    )
