"""Settings over real HTTP: listed, changed, recorded, refused."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from shared.settings.feed import SettingsFeed
from tests.harness.waiting import until


async def test_a_setting_is_changed_and_recorded(api: Any) -> None:
    before = await api.get("/api/v1/settings")
    found = {one["name"]: one for one in before["items"]}
    assert found["album_max_attempts"] == {
        "name": "album_max_attempts",
        "value": 3,
        "default": 3,
        "unit": "attempts",
        "min": 1,
        "max": 100,
        "choices": None,
        "origin": "default",
        "help": found["album_max_attempts"]["help"],
    }
    answer = await api("PUT", "/api/v1/settings/album_max_attempts", json={"value": 7})
    assert (answer.status, answer.json["value"], answer.json["origin"]) == (200, 7, "set")
    assert api.services.settings.current().album_max_attempts == 7
    after = await api.get("/api/v1/settings")
    assert after["version"] == before["version"] + 1 == api.services.settings.current().version
    (event,) = (await api.get("/api/v1/events", type="SettingChanged"))["items"]
    body = (await api("GET", f"/api/v1/events/{event['id']}/body")).json
    assert (body["name"], body["value"], body["version"]) == ("album_max_attempts", 7, after["version"])
    assert (event["source"], event["state"]) == ("operator", "ignored")
    reset = await api("PUT", "/api/v1/settings/album_max_attempts", json={"value": None})
    assert (reset.json["value"], reset.json["origin"]) == (3, "default")


@pytest.mark.parametrize("value", [0, 101, "3", 1.5, True, [1], {"a": 1}, 10**30, "a\x00"])
async def test_a_value_that_does_not_fit_changes_nothing(api: Any, value: Any) -> None:
    answer = await api("PUT", "/api/v1/settings/album_max_attempts", json={"value": value})
    assert answer.status == 422
    assert answer.json["field"] == "value"
    assert (await api.get("/api/v1/settings"))["version"] == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("fallback", "none"),
        ("formats", ["flac24", "flac"]),
        ("formats", []),
        ("path_mappings", [{"from": "/downloads", "to": "/data/soulseek"}]),
    ],
)
async def test_words_and_lists_are_set_as_they_are_shown(api: Any, name: str, value: Any) -> None:
    answer = await api("PUT", f"/api/v1/settings/{name}", json={"value": value})
    assert answer.status == 200
    (shown,) = (one for one in (await api.get("/api/v1/settings"))["items"] if one["name"] == name)
    assert answer.json == shown
    assert (shown["value"], shown["origin"]) == (value, "set")
    assert (shown["unit"], shown["min"], shown["max"]) == (None, None, None)
    assert shown["choices"] == (["none", "lidarr", "soulseek"] if name == "fallback" else None)
    again = await api("PUT", f"/api/v1/settings/{name}", json={"value": shown["default"]})
    assert again.json["value"] == shown["default"]


async def test_an_error_names_the_place_and_the_cure(api: Any) -> None:
    answer = await api("PUT", "/api/v1/settings/path_mappings", json={"value": [{"from": "downloads", "to": "/b"}]})
    assert (answer.status, answer.json["field"]) == (422, "value[0].from")
    assert "absolute" in answer.json["detail"]
    answer = await api("PUT", "/api/v1/settings/download_source", json={"value": "usenet"})
    assert "one of soulseek, lidarr" in answer.json["detail"]


async def test_a_change_reaches_every_other_process(api: Any, pool: Any) -> None:
    feeds = [SettingsFeed(pool, {}) for _ in range(2)]
    following = [asyncio.create_task(feed.run()) for feed in feeds]
    try:
        for value in ("none", "lidarr", None):
            answer = await api("PUT", "/api/v1/settings/fallback", json={"value": value})
            now = answer.json["value"]
            await until(lambda now=now: all(feed.current().fallback == now for feed in feeds))
    finally:
        for task in following:
            task.cancel()
        await asyncio.gather(*following, return_exceptions=True)


async def test_an_unknown_setting_is_404_and_a_missing_value_422(api: Any) -> None:
    assert (await api("PUT", "/api/v1/settings/nonsense", json={"value": 1})).status == 404
    assert (await api("PUT", "/api/v1/settings/version", json={"value": 1})).status == 404
    assert (await api("PUT", "/api/v1/settings/album_max_attempts", json={})).json["field"] == "value"
