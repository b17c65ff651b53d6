"""Whole requests and answers: what Reprise reads stays readable, and what nobody knows is scrubbed."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from reprise.recording.fields import is_known
from reprise.recording.form import Body
from reprise.recording.redaction import Redaction
from reprise.recording.scrub import Scrubber
from shared.sources import SOURCES
from tests.reprise.recording.forms import told
from worker.clients.lidarr_answers import Answer as LidarrAnswer
from worker.clients.lidarr_answers import Command, HistoryItem
from worker.clients.slskd_answers import Answer as SlskdAnswer
from worker.clients.slskd_answers import EventRow, Response
from worker.clients.slskd_transfers import Transfer

PAYLOADS = Path(__file__).parents[2] / "payloads"


@pytest.fixture
def scrubber() -> Scrubber:
    return Scrubber(Redaction())


def scrubbed(scrubber: Scrubber, value: Any, path: str = "/api/v1/album") -> Any:
    body = scrubber.body(json.dumps(value).encode(), path=path)
    assert body is not None
    return body.json


def answers(base: type[Any]) -> list[type[Any]]:
    found = [base]
    for one in found:
        found += one.__subclasses__()
    return found


@pytest.mark.parametrize("shape", [*answers(LidarrAnswer), *answers(SlskdAnswer)], ids=lambda shape: shape.__name__)
def test_every_field_that_reprise_reads_keeps_its_name(shape: type[Any]) -> None:
    assert [field for field in msgspec.structs.fields(shape) if not is_known(field.encode_name)] == []


@pytest.mark.parametrize("payload", sorted(PAYLOADS.glob("*/*.json")), ids=lambda path: path.stem)
def test_a_webhook_still_is_what_it_was(payload: Path, scrubber: Scrubber) -> None:
    source = SOURCES[payload.parent.name]
    before = source.identify({}, payload.read_bytes())
    body = scrubber.body(payload.read_bytes(), path=f"/webhooks/{source.name}")
    assert body is not None
    after = source.identify({}, msgspec.json.encode(body.json))
    assert after.type == before.type
    assert (after.dedupe_key is None) == (before.dedupe_key is None)
    assert (after.correlation_id is None) == (before.correlation_id is None)
    assert _shape(body.json) == _shape(json.loads(payload.read_bytes()))


def _shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _shape(one) for name, one in value.items()}
    return [_shape(one) for one in value] if isinstance(value, list) else type(value)


def test_states_messages_and_numbers_stay(scrubber: Scrubber) -> None:
    command = {
        "id": 7,
        "name": "AlbumSearch",
        "status": "completed",
        "result": "successful",
        "message": "Album search completed. 0 reports downloaded",
        "queued": "2025-01-02T03:04:05Z",
        "duration": "00:00:00.0100000",
    }
    assert scrubbed(scrubber, command, "/api/v1/command") == command
    assert msgspec.convert(command, Command).over
    transfer = {
        "id": "00000000-0000-0000-0000-000000000000",
        "username": "joe",
        "state": "Completed, TimedOut",
        "size": 5,
        "averageSpeed": 1.5,
        "removed": False,
        "placeInQueue": None,
    }
    kept = msgspec.convert(scrubbed(scrubber, transfer), Transfer)
    assert (kept.words, kept.size, kept.average_speed) == (("Completed", "TimedOut"), 5, 1.5)
    assert kept.username not in ("joe", "***")


def test_history_stays_readable(scrubber: Scrubber) -> None:
    row = {
        "id": 3,
        "sourceTitle": "Portishead - Dummy",
        "date": "2025-01-02T03:04:05Z",
        "downloadId": "SABnzbd_nzo_abc123xy",
        "eventType": "downloadFailed",
        "data": {
            "indexer": "My Tracker",
            "size": "412345678",
            "message": "Not enough repair blocks",
            "nzbInfoUrl": "https://x.example/?apikey=0123456789",
        },
    }
    kept = msgspec.convert(scrubbed(scrubber, row), HistoryItem)
    assert (kept.event_type, kept.data["size"], kept.date.year) == ("downloadFailed", "412345678", 2025)
    assert kept.data["message"].startswith("Not enough ")
    assert (
        told(
            ["Portishead", "Dummy", "My Tracker", "x.example", "0123456789", "abc123xy"],
            json.dumps(msgspec.to_builtins(kept)),
        )
        == []
    )


def test_json_within_json_is_scrubbed_as_json(scrubber: Scrubber) -> None:
    data = {
        "localFilename": "/downloads/Dummy/01.flac",
        "transfer": {"state": "Completed, Succeeded", "username": "joe"},
    }
    row = {"id": "b3f7c1de-0000-4000-8000-000000000001", "type": "DownloadFileComplete", "data": json.dumps(data)}
    kept = msgspec.convert(scrubbed(scrubber, row), EventRow).whole()
    assert kept["transfer"]["state"] == "Completed, Succeeded"
    assert kept["localFilename"].endswith("/01.flac")
    assert told(["Dummy", "joe"], json.dumps(kept)) == []


def test_search_results_still_match_their_search(scrubber: Scrubber) -> None:
    text = scrubbed(scrubber, {"searchText": "portishead dummy"})["searchText"].split()
    found = [{"username": "joe", "files": [{"filename": "@@a\\Portishead\\Dummy\\01 - Roads.flac", "size": 1}]}]
    (response,) = msgspec.convert(scrubbed(scrubber, found), list[Response])
    assert [part.lower() for part in response.files[0].filename.split("\\")[1:3]] == text


@pytest.mark.parametrize(
    "field", ["password", "apiKey", "X-Api-Key", "token", "certPassword", "rssPassKey", "cookie", "clientSecret"]
)
@pytest.mark.parametrize("value", ["hunter22x", ["hunter22x"], {"a": {"b": "hunter22x"}}])
def test_secrets_are_known_by_the_names_of_their_fields(scrubber: Scrubber, field: str, value: Any) -> None:
    written = json.dumps(scrubbed(scrubber, {field: value, "note": "hunter22x"}))
    assert "***" in written
    assert told(["hunter22x"], written) == []


def test_settings_of_a_connection_show_no_secret(scrubber: Scrubber) -> None:
    fields = [
        {"name": "url", "value": "http://nas.example.org:7373/webhooks/lidarr"},
        {"name": "method", "value": 1},
        {"name": "username", "value": "joe"},
        {"name": "password", "value": "hunter22x"},
        {"name": "headers", "value": [{"key": "X-Webhook-Secret", "value": "s3cr3t-s3cr3t"}]},
    ]
    kept = scrubbed(scrubber, [{"id": 1, "implementation": "Webhook", "fields": fields}], "/api/v1/notification")[0]
    assert [field["name"] for field in kept["fields"]] == [field["name"] for field in fields]
    assert kept["fields"][0]["value"].endswith(":7373/webhooks/lidarr")
    assert (kept["fields"][1]["value"], kept["fields"][3]["value"]) == (1, "***")
    assert told(["joe", "hunter22x", "s3cr3t-s3cr3t", "nas.example.org"], json.dumps(kept)) == []


def test_a_state_that_we_have_not_heard_of_stays_unless_it_is_a_name(scrubber: Scrubber) -> None:
    assert scrubbed(scrubber, {"state": "Completed, Vaporised"}) == {"state": "Completed, Vaporised"}
    kept = scrubbed(scrubber, {"title": "Vaporised Download", "state": "Completed, Vaporised", "eventType": "Download"})
    assert kept["state"] == f"Completed, {kept['title'].split()[0]}"
    assert kept["eventType"] == "Download"
    assert scrubbed(scrubber, {"status": "/home/joe"})["status"] != "/home/joe"


def test_private_messages_are_gone(scrubber: Scrubber) -> None:
    event = {"type": "PrivateMessageReceived", "message": {"username": "joe", "message": "see you at eight"}}
    assert scrubbed(scrubber, event)["message"]["message"] == "***"


def test_what_nobody_knows_is_scrubbed_fields_and_their_names_alike(scrubber: Scrubber) -> None:
    written = json.dumps(
        scrubbed(scrubber, {"portishead": {"brandNew": "Roads", "downloadHint": "Sour Times"}, "list": ["Numb"]})
    )
    assert told(["portishead", "Roads", "Sour", "Numb"], written) == []
    assert "downloadHint" in written


def test_headers_are_kept_by_name(scrubber: Scrubber) -> None:
    login = base64.b64encode(b"joe:hunter22x").decode()
    headers = [
        ("Content-Type", "application/json; charset=utf-8"),
        ("User-Agent", "Lidarr/2.14.5.4836 (ubuntu 22.04)"),
        ("Authorization", f"Basic {login}"),
        ("X-Api-Key", "0123456789abcdef"),
        ("X-Plex-Token", "qwertzuiop"),
        ("X-Forwarded-For", "10.0.0.7"),
        ("X-Total-Count", "12"),
        ("Location", "http://nas.example.org/login"),
        ("Server", "Joe's"),
    ]
    kept = scrubber.headers(headers)
    assert {name: value for name, value in kept.items() if name != "location"} == {
        "content-type": "application/json; charset=utf-8",
        "user-agent": "Lidarr/2.14.5.4836 (ubuntu 22.04)",
        "authorization": "***",
        "x-api-key": "***",
        "x-total-count": "12",
    }
    note = json.dumps(scrubbed(scrubber, {"note": f"{login} hunter22x 0123456789abcdef qwertzuiop"}))
    assert told([login, "hunter22x", "0123456789abcdef", "qwertzuiop"], note) == []


def test_paths_and_queries(scrubber: Scrubber) -> None:
    for path in (
        "/api/v1/album/lookup",
        "/api/v1/queue/12",
        "/api/v0/transfers/downloads/all/completed",
        "/webhooks/lidarr",
        "/ping",
    ):
        assert scrubber.path(path) == path
    somebody = scrubber.path("/api/v0/transfers/downloads/a%20user%2Fwith%3F%20odd%25/x").split("/")[5]
    assert somebody.count("%20") == 2
    assert told(["user", "with", "odd"], somebody) == []
    assert scrubber.path("/api/v0/users/a%20user%2Fwith%3F%20odd%25/status").split("/")[4] == somebody
    assert scrubber.query("apikey=0123456789&page=2&includeAlbum=true&eventType=4&term=Roads") == [
        ("apikey", "***"),
        ("page", "2"),
        ("includeAlbum", "true"),
        ("eventType", "4"),
        ("term", scrubbed(scrubber, {"title": "Roads"})["title"]),
    ]


def test_a_folder_in_base64_is_scrubbed_inside(scrubber: Scrubber) -> None:
    folder = base64.b64encode(b"./job-1/Portishead").decode()
    kept = scrubber.path(f"/api/v0/files/downloads/directories/{folder}").rsplit("/", 1)[1]
    other = base64.b64decode(kept.replace("%3D", "=")).decode()
    assert other.removeprefix("./").endswith("/" + scrubbed(scrubber, {"title": "Portishead"})["title"])


def test_bodies_that_are_no_json(scrubber: Scrubber) -> None:
    assert scrubber.body(b"", path="/") is None
    assert scrubber.body(b"User joe appears to be offline", path="/") != Body(text="User joe appears to be offline")
    assert scrubber.body(b"\xff\xfe\x00", path="/") == Body(withheld_bytes=3)
    assert scrubber.body(b"x" * 70_000, path="/") == Body(withheld_bytes=70_000)
    assert scrubber.body(b"[" * 100_000, path="/") == Body(withheld_bytes=100_000)
