"""What slskd sends, one shape after the other; nulls may be there or left out, depending on its version."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from shared.acquisition.signals import FileArrived, Signal, Unheeded
from shared.eventlog.event import Event
from shared.eventlog.identity import uuid7
from shared.sources import SOURCES, interpret

PAYLOADS = Path(__file__).parents[2] / "payloads" / "slskd"
BATCH = "5f0f3c52-7a4f-4b7c-9d0e-1f2a3b4c5d6e"

# name of the payload → type, batch, whether it says that a file arrived
SHAPES: dict[str, tuple[str, str | None, bool]] = {
    "download_directory_complete": ("DownloadDirectoryComplete", None, False),
    "download_file_complete_batch": ("DownloadFileComplete", BATCH, True),
    "download_file_complete_collision": ("DownloadFileComplete", None, True),
    "noop": ("Noop", None, False),
    "private_message_received": ("PrivateMessageReceived", None, False),
    "room_message_received": ("RoomMessageReceived", None, False),
    "soulseek_client_connected": ("SoulseekClientConnected", None, False),
    "upload_file_complete": ("UploadFileComplete", None, False),
}


def body_of(name: str) -> bytes:
    return (PAYLOADS / f"{name}.json").read_bytes()


def meaning(body: bytes) -> tuple[Signal, ...] | Unheeded:
    found = SOURCES["soulseek"].identify({}, body)
    return interpret(Event(uuid7(), "slskd", found.type, body, datetime.now(UTC)))


def test_every_payload_has_its_row_here() -> None:
    assert {path.stem for path in PAYLOADS.glob("*.json")} == set(SHAPES)


@pytest.mark.parametrize("name", SHAPES)
def test_each_shape_is_identified_and_understood(name: str) -> None:
    type, batch, arrived = SHAPES[name]
    found = SOURCES["slskd"].identify({}, body_of(name))
    assert (found.type, found.correlation_id) == (type, batch)
    assert found.dedupe_key == f"event:{json.loads(body_of(name))['id']}"
    said = meaning(body_of(name))
    assert isinstance(said, tuple) == arrived
    if isinstance(said, Unheeded):
        assert said.reason.startswith(("kept for history", "a test"))


def test_a_file_that_arrived() -> None:
    assert meaning(body_of("download_file_complete_batch")) == (
        FileArrived(
            batch_id=UUID(BATCH),
            transfer_id=UUID("0b9b9c1e-0000-4000-8000-000000000001"),
            username="peer_one",
            remote_filename="@@abcde\\Music\\Example Ensemble\\Second Wind\\01 Track One.flac",
            local_filename="/downloads/Second Wind/01 Track One.flac",
            size_bytes=31000001,
        ),
    )


def with_transfer(**changes: Any) -> bytes:
    data = json.loads(body_of("download_file_complete_batch"))
    transfer = {**data["transfer"], **changes}
    data["transfer"] = {key: value for key, value in transfer.items() if value is not ...}
    return json.dumps(data).encode()


@pytest.mark.parametrize(
    "body",
    [
        with_transfer(batchId=..., attempts=..., nextAttemptAt=...),
        with_transfer(batchId=None, exception="Move failed"),
        with_transfer(batchId="00000000-0000-0000-0000-000000000000"),
    ],
    ids=["before 0.25", "no batch", "a sample event"],
)
def test_a_file_without_batch_arrived_all_the_same(body: bytes) -> None:
    (arrived,) = meaning(body)  # type: ignore[misc]
    assert isinstance(arrived, FileArrived)
    assert arrived.batch_id is None
    assert arrived.username == "peer_one"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b'"text"',
        b"{}",
        b'{"type": "DownloadFileComplete"}',
        with_transfer(username=""),
        with_transfer(size="much"),
        b'{"type": "DownloadFileComplete", "transfer": 5}',
    ],
)
def test_what_is_no_event_of_slskd_is_kept_and_says_why(body: bytes) -> None:
    said = meaning(body)
    assert isinstance(said, Unheeded)
    assert said.reason.startswith("unreadable: ")


def test_an_unknown_type_is_unknown() -> None:
    assert meaning(b'{"type": "UserWasBorn", "id": 1}') == Unheeded("unknown type")
