"""Downloads as the simulated slskd performs them, and the events and webhooks that tell of them."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import pytest

from reprise.simulator import SlskdSimulator
from tests.reprise.simulator.stage import FIRST, Caller, Receiver

SAMPLES = Path(__file__).parents[2] / "payloads" / "slskd"
FOLDER = "@@abcde\\Music\\Example Ensemble\\Second Wind"
BATCHES = "/api/v0/transfers/downloads/batches"
NAMES = [f"{FOLDER}\\0{number} Track {number}.flac" for number in (1, 2, 3)]


@pytest.fixture(autouse=True)
def peer(slskd: SlskdSimulator) -> None:
    slskd.control(peer={"username": "one", "folders": [{"path": FOLDER, "album_mbid": FIRST}]})


def files(*names: str) -> list[dict[str, Any]]:
    return [{"filename": name, "size": 31_000_000 + place} for place, name in enumerate(names or NAMES, 1)]


async def states(ask: Caller) -> list[str]:
    users = await ask.get("/api/v0/transfers/downloads")
    return [one["state"] for user in users for folder in user["directories"] for one in folder["files"]]


async def test_a_batch_arrives(slskd: SlskdSimulator, ask: Caller, receiver: Receiver) -> None:
    wanted = str(uuid.uuid4())
    body = {"id": wanted, "username": "one", "files": files(), "options": {"destination": "job-1", "externalId": "x"}}
    status, answer = await ask("POST", BATCHES, body)
    assert (status, answer["batch"]["id"], answer["failures"]) == (201, wanted, [])
    assert answer["batch"]["options"] == {"destination": "job-1"}
    assert {one["state"] for one in answer["batch"]["transfers"]} == {"Queued, Locally"}
    await slskd.quiet()

    assert sorted(receiver.types) == ["DownloadDirectoryComplete", *["DownloadFileComplete"] * 3]
    places = sorted(body["localFilename"] for body in receiver.bodies("DownloadFileComplete"))
    assert places == [f"/downloads/job-1/0{number} Track {number}.flac" for number in (1, 2, 3)]
    assert receiver.received[0].headers["X-Webhook-Secret"] == "s3cret"
    found = await ask.get(f"{BATCHES}/{wanted}")
    assert {one["state"] for one in found["transfers"]} == {"Completed, Succeeded"}
    assert (await ask("POST", BATCHES, body))[0] == 409
    assert len(await ask.get("/api/v0/events")) == 4


async def test_batch_answers(slskd: SlskdSimulator, ask: Caller) -> None:
    slskd.control(default_outcome="stall")
    assert (await ask("POST", BATCHES, {"username": "one", "files": files(NAMES[0])}))[0] == 201
    await slskd.quiet()
    status, answer = await ask("POST", BATCHES, {"username": "one", "files": files(*NAMES[:2])})
    assert (status, answer["failures"]) == (
        207,
        [{"filename": NAMES[0], "message": "Skipped: Already in progress"}],
    )
    status, answer = await ask("POST", BATCHES, {"username": "one", "files": files(NAMES[0])})
    assert (status, answer["batch"]["transfers"]) == (200, [])
    for body, expected in [
        ({"username": "one", "files": files(NAMES[0], NAMES[0])}, 400),
        ({"username": "one", "files": []}, 400),
        ({"username": "one", "files": files(), "id": "no guid"}, 400),
        ({"username": "one", "files": files(), "options": {"destination": "../up"}}, 400),
        ({"username": "nobody", "files": files()}, 404),
    ]:
        assert (await ask("POST", BATCHES, body))[0] == expected
    assert (await ask("GET", f"{BATCHES}/no-guid"))[0] == 400
    assert (await ask("GET", f"{BATCHES}/{uuid.uuid4()}"))[0] == 404
    slskd.control(fail_next={"status": 429, "path": BATCHES})
    assert (await ask("POST", BATCHES, {"username": "one", "files": files()}))[0] == 429


@pytest.mark.parametrize(("version", "failed"), [("0.25.1", [NAMES[0]]), ("0.26.0", [{}])])
async def test_the_older_endpoint(slskd: SlskdSimulator, ask: Caller, version: str, failed: list[Any]) -> None:
    slskd.control(version=version, default_outcome="stall")
    assert (await ask("POST", BATCHES, {"username": "one", "files": []}))[0] == 400
    status, answer = await ask("POST", "/api/v0/transfers/downloads/one", files(NAMES[0]))
    assert (status, len(answer["enqueued"]), answer["failed"]) == (201, 1, [])
    assert "batchId" not in answer["enqueued"][0]
    _, answer = await ask("POST", "/api/v0/transfers/downloads/one", files(NAMES[0]))
    assert (answer["enqueued"], answer["failed"]) == ([], failed)
    assert (await ask("POST", "/api/v0/transfers/downloads/nobody", files()))[0] == 500
    assert (await ask("POST", "/api/v0/transfers/downloads/one", []))[0] == 400


@pytest.mark.parametrize(
    ("outcome", "state", "events"),
    [
        ("succeed", "Completed, Succeeded", 1),
        ("reject", "Completed, Rejected", 0),
        ("timeout", "Completed, TimedOut", 0),
        ("timeout_then_revive", "Completed, Succeeded", 1),
        ("stall", "InProgress", 0),
        ("queued", "Queued, Remotely", 0),
        ("error", "Completed, Errored", 0),
        ("cancel", "Completed, Cancelled", 0),
        ("moved_file_missing", "Completed, Succeeded", 0),
    ],
)
async def test_outcomes(
    slskd: SlskdSimulator, ask: Caller, receiver: Receiver, outcome: str, state: str, events: int
) -> None:
    slskd.control(plan={"username": "one", "folder": FOLDER, "attempts": [outcome]})
    await ask("POST", "/api/v0/transfers/downloads/one", files(NAMES[0]))
    await slskd.quiet()
    assert await states(ask) == [state]
    assert len(receiver.bodies("DownloadFileComplete")) == events
    assert len(slskd.disk.under("/downloads")) == events
    if outcome == "moved_file_missing":
        ((transfer,),) = [
            folder["files"] for folder in (await ask.get("/api/v0/transfers/downloads/one"))["directories"]
        ]
        assert "moved" in transfer["exception"]


async def test_before_0_24_the_older_endpoint_says_nothing(slskd: SlskdSimulator, ask: Caller) -> None:
    slskd.control(version="0.23.2", default_outcome="stall")
    assert await ask("POST", "/api/v0/transfers/downloads/one", files(NAMES[0])) == (201, "")
    assert len(await states(ask)) == 1


async def test_a_broken_batch_is_there_without_its_transfers(slskd: SlskdSimulator, ask: Caller) -> None:
    slskd.control(broken_batches=1)
    body = {"id": str(uuid.uuid4()), "username": "one", "files": files()}
    assert [(await ask("POST", BATCHES, body))[0] for _ in range(2)] == [500, 409]
    assert (await ask.get(f"{BATCHES}/{body['id']}"))["transfers"] == []


async def test_timed_out_and_yet_it_comes(slskd: SlskdSimulator, ask: Caller) -> None:
    slskd.control(pace="manual", default_outcome="timeout_then_revive")
    await ask("POST", "/api/v0/transfers/downloads/one", files(NAMES[0]))
    seen = []
    for _ in range(4):
        seen += await states(ask)
        slskd.control(advance=1)
        await slskd.quiet()
    assert seen == ["Queued, Locally", "Completed, TimedOut", "InProgress", "Completed, Succeeded"]


async def test_a_failed_file_holds_no_folder_back(slskd: SlskdSimulator, ask: Caller, receiver: Receiver) -> None:
    name = NAMES[1].rpartition("\\")[2]
    slskd.control(plan={"username": "one", "folder": FOLDER, "files": {name: "reject"}})
    await ask("POST", "/api/v0/transfers/downloads/one", files())
    await slskd.quiet()
    assert sorted(await states(ask)) == ["Completed, Rejected", "Completed, Succeeded", "Completed, Succeeded"]
    assert len(receiver.bodies("DownloadFileComplete")) == 2
    # Enqueued once more, it comes: a new transfer, the old one marked removed.
    slskd.control(plan={"username": "one", "folder": FOLDER})
    await ask("POST", "/api/v0/transfers/downloads/one", files(NAMES[1]))
    await slskd.quiet()
    assert await states(ask) == ["Completed, Succeeded"] * 3
    every = await ask.get("/api/v0/transfers/downloads", includeRemoved=True)
    assert every[0]["directories"][0]["fileCount"] == 4


async def test_slskd_tries_again(slskd: SlskdSimulator, ask: Caller) -> None:
    slskd.control(
        transfer_attempts=3, plan={"username": "one", "folder": FOLDER, "attempts": ["error", "timeout", "succeed"]}
    )
    await ask("POST", "/api/v0/transfers/downloads/one", files(NAMES[0]))
    await slskd.quiet()
    (transfer,) = slskd.transfers.shown()
    assert (transfer.state, transfer.attempts) == ("Completed, Succeeded", 3)


async def test_names_that_collide(slskd: SlskdSimulator, ask: Caller, receiver: Receiver) -> None:
    slskd.control(peer={"username": "two", "folders": [{"path": FOLDER}]})
    for username in ("one", "two"):
        await ask("POST", f"/api/v0/transfers/downloads/{username}", files(NAMES[0]))
        await slskd.quiet()
    first, second = (body["localFilename"] for body in receiver.bodies("DownloadFileComplete"))
    assert first == "/downloads/Second Wind/01 Track 1.flac"
    assert second.startswith("/downloads/Second Wind/01 Track 1_6389")


async def test_lists_and_removal(slskd: SlskdSimulator, ask: Caller) -> None:
    slskd.control(default_outcome="queued")
    _, answer = await ask("POST", "/api/v0/transfers/downloads/one", files(NAMES[0]))
    await slskd.quiet()
    one = f"/api/v0/transfers/downloads/one/{answer['enqueued'][0]['id']}"
    assert await ask.get(f"{one}/position") == 17
    assert (await ask("DELETE", one))[0] == 204
    assert (await ask.get(one))["state"] == "Completed, Cancelled"
    assert (await ask("GET", f"{one}/position"))[0] == 500
    # It was under way when it was cancelled, so it's still there to be removed.
    assert (await ask("DELETE", one, remove=True))[0] == 204
    assert await states(ask) == []
    _, answer = await ask("POST", "/api/v0/transfers/downloads/one", files(NAMES[1]))
    await ask("DELETE", f"/api/v0/transfers/downloads/one/{answer['enqueued'][0]['id']}", remove=True)
    slskd.control(empty_transfers=1)
    assert await ask.get("/api/v0/transfers/downloads") == []
    assert len(await states(ask)) == 1
    assert (await ask("DELETE", "/api/v0/transfers/downloads/all/completed"))[0] == 204
    assert await states(ask) == []
    assert (await ask("GET", "/api/v0/transfers/downloads/one"))[0] == 404
    unknown = f"/api/v0/transfers/downloads/one/{uuid.uuid4()}"
    for method, path in [("GET", unknown), ("GET", f"{unknown}/position"), ("DELETE", unknown)]:
        assert (await ask(method, path))[0] == 404


async def test_bodies_have_the_shapes_of_the_samples(slskd: SlskdSimulator, ask: Caller, receiver: Receiver) -> None:
    await ask("POST", BATCHES, {"username": "one", "files": files(NAMES[0])})
    slskd.control(connected=False)
    slskd.control(connected=True)
    for event_type in ("PrivateMessageReceived", "RoomMessageReceived", "UploadFileComplete", "Noop"):
        slskd.control(**{"raise": {"type": event_type}})
    await slskd.quiet()
    samples = {json.loads(path.read_text())["type"]: json.loads(path.read_text()) for path in SAMPLES.glob("*.json")}
    sent = {body["type"]: body for body in (one.json for one in receiver.received)}
    assert set(sent) - {"SoulseekClientDisconnected"} == set(samples)

    def keys(value: Any) -> Any:
        return [(key, keys(inner)) for key, inner in value.items()] if isinstance(value, dict) else None

    for event_type, wanted in samples.items():
        assert keys(sent[event_type]) == keys(wanted), event_type
    complete, wanted = sent["DownloadFileComplete"], samples["DownloadFileComplete"]
    assert {type(value) for value in complete["transfer"].values()} == {type(v) for v in wanted["transfer"].values()}
    assert complete["timestamp"] == complete["transfer"]["endedAt"]
    assert not complete["transfer"]["requestedAt"].endswith("Z")


async def test_bodies_are_pure_ascii(slskd: SlskdSimulator, receiver: Receiver) -> None:
    slskd.control(**{"raise": {"type": "PrivateMessageReceived", "mark": 'Été\'s "<b>" & +1\\ '}})
    await slskd.quiet()
    raw = receiver.received[0].body
    assert b"\\u00C9t\\u00E9\\u0027s \\u0022\\u003Cb\\u003E\\u0022 \\u0026 \\u002B1\\\\ message" in raw
    assert receiver.received[0].json["message"]["message"] == 'Été\'s "<b>" & +1\\ message'


async def test_webhooks_are_tried_again_and_chosen(slskd: SlskdSimulator, receiver: Receiver) -> None:
    slskd.control(webhooks={"url": receiver.url, "on": ["Noop"], "attempts": 3})
    receiver.status = 500
    for event_type in ("Noop", "RoomMessageReceived"):
        slskd.control(**{"raise": {"type": event_type}})
    await slskd.quiet()
    assert receiver.types == ["Noop"] * 3
    receiver.received.clear()
    receiver.status = 200
    slskd.control(delivery="doubled")
    slskd.control(**{"raise": {"type": "Noop"}})
    await slskd.quiet()
    assert receiver.received[0].body == receiver.received[1].body
    slskd.control(reset=True)
    slskd.control(**{"raise": {"type": "Noop"}})
    await slskd.quiet()
    assert len(receiver.received) == 2
