"""Searches, events and the server as the simulated slskd answers them."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from reprise.simulator import SlskdSimulator
from tests.reprise.simulator.stage import Caller, Receiver

FOLDER = "@@abcde\\Music\\Example Ensemble\\Second Wind"


def meet(slskd: SlskdSimulator, *usernames: str, **folder: Any) -> None:
    slskd.control(peers=[{"username": name, "folders": [{"path": FOLDER} | folder]} for name in usernames or ("one",)])


async def search(slskd: SlskdSimulator, ask: Caller, text: str, **options: Any) -> dict[str, Any]:
    status, started = await ask("POST", "/api/v0/searches", {"searchText": text} | options)
    assert status == 200, started
    await slskd.quiet()
    return await ask.get(f"/api/v0/searches/{started['id']}", includeResponses=True)


async def test_responses_come_only_with_the_end(slskd: SlskdSimulator, ask: Caller) -> None:
    meet(slskd)
    slskd.control(pace="manual")
    wanted = str(uuid.uuid4())
    _, started = await ask("POST", "/api/v0/searches", {"id": wanted, "searchText": "example second wind"})
    assert (started["id"], started["state"], started["isComplete"]) == (wanted, "InProgress", False)
    assert await ask.get(f"/api/v0/searches/{wanted}/responses") == []
    slskd.control(advance=1)
    await slskd.quiet()
    ended = await ask.get(f"/api/v0/searches/{wanted}")
    assert (ended["state"], ended["responses"], ended["fileCount"]) == ("Completed, TimedOut", [], 3)
    (response,) = await ask.get(f"/api/v0/searches/{wanted}/responses")
    assert response["username"] == "one"
    first = response["files"][0]
    assert first["filename"] == f"{FOLDER}\\01 Track 1.flac"
    assert (first["extension"], first["bitDepth"], "bitRate" in first) == ("", 16, False)


async def test_words_must_all_be_there(slskd: SlskdSimulator, ask: Caller) -> None:
    meet(slskd, files=["01 Un Été.mp3", {"name": "02 Two.mp3", "locked": True}])
    assert (await search(slskd, ask, "EXAMPLE été"))["responses"][0]["fileCount"] == 1
    assert (await search(slskd, ask, "example first"))["responses"] == []
    assert (await search(slskd, ask, "example -second"))["responses"] == []
    (response,) = (await search(slskd, ask, "*ample *econd wind"))["responses"]
    assert (response["fileCount"], response["lockedFileCount"]) == (1, 1)
    assert response["lockedFiles"][0]["isLocked"] is True


async def test_limits_end_a_search(slskd: SlskdSimulator, ask: Caller) -> None:
    meet(slskd, "one", "two", "three")
    assert (await search(slskd, ask, "wind"))["responseCount"] == 3
    by_responses = await search(slskd, ask, "wind", responseLimit=2)
    assert (by_responses["state"], by_responses["responseCount"]) == ("Completed, ResponseLimitReached", 2)
    by_files = await search(slskd, ask, "wind", fileLimit=3)
    assert (by_files["state"], by_files["responseCount"]) == ("Completed, FileLimitReached", 1)
    assert (await search(slskd, ask, "wind", minimumResponseFileCount=4))["responses"] == []
    assert (await search(slskd, ask, "wind", searchTimeout=15))["responses"] == []  # seconds, mistaken


async def test_two_searches_run_and_others_wait(slskd: SlskdSimulator, ask: Caller) -> None:
    slskd.control(pace="manual")
    for number in range(3):
        await ask("POST", "/api/v0/searches", {"searchText": f"wind {number}"})
    shown = await ask.get("/api/v0/searches")
    assert [one["state"] for one in shown] == ["InProgress", "InProgress", "Queued"]
    assert (await ask("PUT", f"/api/v0/searches/{shown[0]['id']}"))[0] == 200
    shown = await ask.get("/api/v0/searches")
    assert [one["state"] for one in shown] == ["Completed, Cancelled", "InProgress", "InProgress"]
    assert slskd.searches.most_at_once == 2
    assert (await ask("DELETE", f"/api/v0/searches/{shown[1]['id']}"))[0] == 204
    assert len(await ask.get("/api/v0/searches")) == 2


async def test_refusals(slskd: SlskdSimulator, ask: Caller) -> None:
    assert (await ask("POST", "/api/v0/searches", {"searchText": " "}))[0] == 400
    assert (await ask("POST", "/api/v0/searches", {"searchText": "x", "searchTimeout": 4}))[0] == 400
    assert (await ask("POST", "/api/v0/searches", {"searchText": "x", "id": "no guid"}))[0] == 400
    twice = {"searchText": "x", "id": str(uuid.uuid4())}
    assert [(await ask("POST", "/api/v0/searches", twice))[0] for _ in range(2)] == [200, 500]
    unknown = f"/api/v0/searches/{uuid.uuid4()}"
    for method, path in [("GET", unknown), ("GET", f"{unknown}/responses"), ("PUT", unknown), ("DELETE", unknown)]:
        assert (await ask(method, path))[0] == 404
    slskd.control(connected=False)
    status, message = await ask("POST", "/api/v0/searches", {"searchText": "x"})
    assert (status, isinstance(message, str)) == (409, True)
    assert (await ask.get("/api/v0/searches"))[-1]["state"] == "Completed, Errored"
    assert (await ask.get("/api/v0/server"))["isLoggedIn"] is False
    assert (await ask("PUT", "/api/v0/server"))[0] == 200
    assert (await ask.get("/api/v0/server"))["state"] == "Connected, LoggedIn"
    assert (await ask("DELETE", "/api/v0/server"))[0] == 204


async def test_one_post_at_a_time(slskd: SlskdSimulator, ask: Caller) -> None:
    import asyncio

    slskd.control(search_post_s=0.05)
    answers = await asyncio.gather(*(ask("POST", "/api/v0/searches", {"searchText": "wind"}) for _ in range(3)))
    assert sorted(status for status, _ in answers) == [200, 429, 429]


async def test_a_flood_is_a_ban(slskd: SlskdSimulator, ask: Caller) -> None:
    slskd.control(ban={"searches": 3, "seconds": 220})
    for number in range(3):
        await search(slskd, ask, f"wind {number}")
    slskd.control(shift_clock=221)
    for number in range(3):
        await search(slskd, ask, f"wind {number}")
    assert slskd.searches.banned is False
    await search(slskd, ask, "one too many")
    assert slskd.searches.banned is True
    assert (await ask("POST", "/api/v0/searches", {"searchText": "x"}))[0] == 409


async def test_peers(slskd: SlskdSimulator, ask: Caller) -> None:
    meet(slskd, "one", locked=True)
    slskd.control(peer={"username": "away", "online": False})
    assert (await ask.get("/api/v0/users/one/status"))["presence"] == "Online"
    assert (await ask.get("/api/v0/users/away/status"))["presence"] == "Offline"
    assert (await ask("GET", "/api/v0/users/nobody/status"))[0] == 404
    browsed = await ask.get("/api/v0/users/one/browse")
    assert (browsed["directoryCount"], browsed["lockedDirectoryCount"]) == (0, 1)
    assert (await ask("GET", "/api/v0/users/away/browse"))[0] == 404
    assert (await ask("POST", "/api/v0/users/away/directory", {"directory": FOLDER}))[0] == 404


async def test_the_application(slskd: SlskdSimulator, ask: Caller) -> None:
    slskd.control(version="0.24.5")
    assert (await ask.get("/api/v0/application"))["version"]["current"] == "0.24.5"
    assert await ask.get("/api/v0/application/version") == "0.24.5"
    assert (await ask("GET", "/api/v0/application", key="wrong"))[0] == 401
    assert (await ask("POST", "/api/v0/session", {"username": "slskd", "password": "no"}))[0] == 401
    assert await ask.get("/api/v0/session/enabled") is True
    assert (await ask("POST", "/api/v0/searches", "not an object"))[0] == 400


async def test_events_are_kept_and_paged(slskd: SlskdSimulator, ask: Caller) -> None:
    for number in range(3):
        slskd.control(**{"raise": {"type": "RoomMessageReceived", "mark": str(number)}})
    await slskd.quiet()
    async with ask._session.get(f"{ask.base}/api/v0/events?offset=1&limit=1", headers={"X-API-Key": ask.key}) as answer:
        assert answer.headers["X-Total-Count"] == "3"
        (row,) = await answer.json()
    data = json.loads(row["data"])
    assert data["message"]["message"] == "1message"
    assert not {"id", "type", "timestamp"} & set(data)
    assert (await ask("GET", "/api/v0/events", limit=0))[0] == 400
    assert (await ask("GET", "/api/v0/events", offset=-1))[0] == 400


@pytest.mark.parametrize("event_type", ["downloadfilecomplete", "UploadFileComplete", "PrivateMessageReceived", "noop"])
async def test_sample_events(slskd: SlskdSimulator, ask: Caller, receiver: Receiver, event_type: str) -> None:
    status, event = await ask("POST", f"/api/v0/events/{event_type}", "mark-")
    assert status == 201
    await slskd.quiet()
    assert receiver.received[0].json["id"] == event["id"]
    if "transfer" in event:
        assert event["transfer"]["id"] == "00000000-0000-0000-0000-000000000000"
    assert (await ask("POST", "/api/v0/events/Any", ""))[0] == 400
