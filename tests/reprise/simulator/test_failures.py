"""Knobs that make a simulated peer fail, and the record of its callers."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from reprise.simulator import KnobError, LidarrSimulator
from tests.reprise.simulator.stage import FIRST, Caller, add_album, calling


async def test_the_key_is_needed(call: Caller) -> None:
    assert await call("GET", "/api/v1/system/status", key="wrong") == (401, "")
    assert (await call("GET", "/ping", key="wrong"))[0] == 200
    assert (await call("GET", "/api/v1/system/status", key="", apikey="a-key"))[0] == 200


async def test_offline_drops_the_connection(lidarr: LidarrSimulator, call: Caller) -> None:
    lidarr.control(offline=True)
    with pytest.raises(aiohttp.ClientError):
        await call("GET", "/ping")
    assert lidarr.calls[-1].status == 0
    lidarr.control(offline=False)
    assert (await call("GET", "/ping"))[0] == 200


async def test_the_next_calls_fail(lidarr: LidarrSimulator, call: Caller) -> None:
    lidarr.control(fail_next={"status": 500, "count": 2, "path": "/api/v1/queue"})
    assert (await call("GET", "/api/v1/system/status"))[0] == 200
    answers = [await call("GET", "/api/v1/queue") for _ in range(3)]
    assert [status for status, _ in answers] == [500, 500, 200]
    assert set(answers[0][1]) == {"message", "description"}
    lidarr.control(fail_next={"status": 503})
    assert await call("GET", "/api/v1/queue") == (
        503,
        {"errorMessage": "Lidarr is still starting; try again soon"},
    )
    lidarr.control(fail_next={"status": 500, "method": "POST"})
    assert (await call("GET", "/api/v1/queue"))[0] == 200
    lidarr.control(fail_next=None)
    assert (await call("POST", "/api/v1/tag", {"label": "x"}))[0] == 201


async def test_starting_bad_key_and_slow(lidarr: LidarrSimulator, call: Caller) -> None:
    lidarr.control(starting=True)
    assert (await call("GET", "/api/v1/system/status"))[0] == 503
    lidarr.control(starting=False, bad_key=True)
    assert (await call("GET", "/api/v1/system/status"))[0] == 401
    lidarr.control(bad_key=False, slow=60)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(call("GET", "/ping"), 0.05)
    lidarr.control(slow=0)
    assert (await call("GET", "/ping"))[0] == 200


async def test_what_does_not_exist(call: Caller) -> None:
    assert (await call("GET", "/api/v1/nothing"))[0] == 404
    assert (await call("PATCH", "/api/v1/queue"))[0] == 405


async def test_control_refuses_what_it_does_not_know(lidarr: LidarrSimulator, call: Caller) -> None:
    status, answer = await call("POST", "/_control", {"pace": 0, "pase": 1})
    assert status == 400
    assert "pase" in answer["error"]
    status, answer = await call("POST", "/_control", {"plan": {"album_mbid": FIRST, "attemps": []}})
    assert status == 400
    assert "attemps" in answer["error"]
    assert (await call("POST", "/_control", [1]))[0] == 400
    with pytest.raises(KnobError, match="manual"):
        lidarr.control(pace="quickly")
    with pytest.raises(KnobError, match="catalogue"):
        lidarr.control(unknown=[FIRST], grab={"album_mbid": FIRST})


async def test_calls_are_recorded(lidarr: LidarrSimulator, call: Caller) -> None:
    await call("POST", "/api/v1/tag", {"label": "x"}, a=[1, 2])
    (one,) = await call.get("/_calls")
    assert (one["method"], one["path"], one["status"]) == ("POST", "/api/v1/tag", 201)
    assert one["query"] == {"a": ["1", "2"]}
    assert one["body"] == {"label": "x"}
    assert [one.path for one in lidarr.calls] == ["/api/v1/tag"]
    assert await call.get("/_calls", path="/api/v1/queue") == []
    assert await call.get("/_sent") == []


async def test_reset_forgets_everything(lidarr: LidarrSimulator, call: Caller) -> None:
    lidarr.control(pace="manual", unknown=[FIRST], fail_next={"count": 9, "path": "/api"})
    lidarr.control(reset=True)
    assert lidarr.calls == []
    await add_album(call, FIRST)
    assert await call.get("/api/v1/notification") == []
    status, answer = await call("POST", "/_control", {"reset": True})
    assert (status, answer["waiting"]) == (200, 0)
    assert await call.get("/api/v1/album") == []


async def test_state_outlives_a_serving() -> None:
    sim = LidarrSimulator(api_key="a-key")
    async with sim.serve() as url, calling(url, "a-key") as call:
        await call("POST", "/api/v1/tag", {"label": "kept"})
    async with sim.serve() as url, calling(url, "a-key") as call:
        assert await call.get("/api/v1/tag") == [{"id": 1, "label": "kept"}]


async def test_a_step_that_fails_is_not_swallowed(lidarr: LidarrSimulator) -> None:
    async def broken() -> None:
        raise RuntimeError("a step went wrong")

    lidarr.pace.schedule(broken)
    with pytest.raises(RuntimeError, match="went wrong"):
        await lidarr.quiet()
