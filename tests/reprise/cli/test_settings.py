"""`reprise settings`: shown, set, set back; recorded like every act of a person, and in force everywhere."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import click
import pytest

from shared.settings.feed import SettingsFeed
from shared.settings.paths import PathMapping
from shared.settings.registry import REGISTRY
from tests.harness.processes import Processes
from tests.harness.waiting import until
from tests.reprise.cli.conftest import Reprise


def test_the_list_shows_each_with_where_it_comes_from(reprise: Reprise, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPRISE_SETTING_MAX_IN_FLIGHT", "4")
    assert reprise("settings", "set", "formats", "flac,mp3-320").code == 0
    rows = {row["name"]: row for row in reprise("settings").rows}
    assert set(rows) == set(REGISTRY)
    assert rows["max_in_flight"] == {
        "name": "max_in_flight",
        "value": "4",
        "unit": "albums",
        "origin": "environment",
        "help": REGISTRY["max_in_flight"].help,
    }
    assert (rows["formats"]["value"], rows["formats"]["origin"]) == ('["flac","mp3-320"]', "set")
    assert (rows["fallback"]["value"], rows["fallback"]["unit"], rows["fallback"]["origin"]) == (
        *("soulseek", "", "default"),
    )


def test_as_json_it_is_the_apis_answer(reprise: Reprise) -> None:
    listed = reprise("settings", "--json").json
    assert (listed["next"], listed["version"]) == (None, 1)
    (formats,) = (item for item in listed["items"] if item["name"] == "formats")
    assert reprise("settings", "get", "formats", "--json").json == formats
    changed = reprise("settings", "set", "formats", '["opus"]', "--json").json
    assert changed == formats | {"value": ["opus"], "origin": "set"}


def test_what_get_says_set_takes_back(reprise: Reprise) -> None:
    assert reprise("settings", "get", "download_source").out == "lidarr\n"
    mapping = [{"from": "/a=b", "to": "/c;d"}]
    assert reprise("settings", "set", "path_mappings", json.dumps(mapping)).code == 0
    said = reprise("settings", "get", "path_mappings").out
    assert json.loads(said) == mapping
    assert reprise("settings", "set", "path_mappings", said).code == 0
    assert reprise("settings", "get", "path_mappings").out == said


def test_set_and_reset_say_what_holds_now(reprise: Reprise, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = reprise("settings", "set", "observe_interval", " 30 ")
    assert (ended.code, ended.out) == (0, "observe_interval is 30 seconds (set)\n")
    assert reprise("settings", "set", "fallback", "none").out == "fallback is none (set)\n"
    assert reprise("settings", "reset", "fallback").out == "fallback is soulseek (default)\n"
    monkeypatch.setenv("REPRISE_SETTING_OBSERVE_INTERVAL", "45")
    assert reprise("settings", "reset", "observe_interval").out == "observe_interval is 45 seconds (environment)\n"
    assert reprise("settings", "set", "formats", "").out == "formats is [] (set)\n"


def test_a_change_is_an_event_of_the_operator(reprise: Reprise) -> None:
    reprise("settings", "set", "path_mappings", "/downloads=/data")
    (event,) = reprise("events", "--type", "SettingChanged", "--json").json["items"]
    assert (event["source"], event["state"]) == ("operator", "ignored")
    body = reprise("events", "show", event["id"], "--body").json
    assert (body["name"], body["value"]) == ("path_mappings", [{"from": "/downloads", "to": "/data"}])
    assert reprise("settings", "--json").json["version"] == body["version"] == 2


@pytest.mark.parametrize(
    "words",
    [
        ("set", "nonsense", "1"),
        ("get", "version"),
        ("reset", "Fallback"),
        ("set", "fallback", "usenet"),
        ("set", "fallback", ""),
        ("set", "deadline_import", "4"),
        ("set", "deadline_import", "soon"),
        ("set", "wanted_interval", "59"),
        ("set", "formats", "flac,mp4"),
        ("set", "formats", "[1"),
        ("set", "path_mappings", "/downloads"),
        ("set", "fallback"),
        ("nonsense",),
    ],
)
def test_wrong_usage_is_2_says_what_is_right_and_changes_nothing(reprise: Reprise, words: tuple[str, ...]) -> None:
    ended = reprise("settings", *words)
    assert (ended.code, ended.out) == (2, "")
    assert "Traceback" not in ended.err
    assert reprise("settings", "--json").json["version"] == 1
    if words[0] == "set" and len(words) == 3 and words[1] in REGISTRY:
        assert REGISTRY[words[1]].range in ended.err


def test_on_a_terminal_the_help_is_wrapped_and_whole(reprise: Reprise, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "100")
    shown = click.unstyle(reprise("settings").out)
    assert max(map(len, shown.splitlines())) <= 100
    assert "…" not in shown
    assert "before it is given up" in " ".join(shown.split())


async def test_a_change_by_the_command_line_reaches_another_process(pool: Any, processes: Processes) -> None:
    feed = SettingsFeed(pool, {})
    following = asyncio.create_task(feed.run())
    try:
        changing = await processes.start("settings", "set", "path_mappings", "/downloads=/data")
        assert await changing.child.wait() == 0, changing.output()
        await until(lambda: feed.current().path_mappings == (PathMapping("/downloads", "/data"),))
        back = await processes.start("settings", "reset", "path_mappings")
        assert await back.child.wait() == 0, back.output()
        await until(lambda: feed.current().path_mappings == ())
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
