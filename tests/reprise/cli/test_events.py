"""`reprise events`, `retry` and `replay`: the log, read and folded again."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import termios
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.eventlog.event import Delivery, EventState, Settlement
from shared.eventlog.identity import uuid7
from shared.eventlog.store import append, settle
from tests.reprise.cli.conftest import Reprise

HOSTILE = b'\xff\x00{"title": "\x1b]0;owned\x07\x1b[2J"}\r\n\t'


def _delivery(type_: str, body: bytes = b"{}", *, source: str = "lidarr", **more: str) -> Delivery:
    return Delivery(uuid7(), source, type_, body, datetime.now(UTC), **more)


@pytest.fixture
async def log(pool: Any) -> list[UUID]:
    """Three events: a Grab that is dead, a Test with a hostile type and body, a file of slskd's. Oldest first."""
    deliveries = [
        _delivery("Grab", b'{"release": "Dummy"}', correlation_id="SABnzbd_nzo_1", dedupe_key="k"),
        _delivery("Te\x1b[31mst\nx", HOSTILE),
        _delivery("DownloadFileComplete", source="slskd"),
    ]
    again = _delivery("Grab", b'{"release": "Dummy"}', dedupe_key="k")
    async with pool.acquire() as connection:
        await append(connection, [*deliveries, again])
        dead = Settlement(deliveries[0].id, EventState.DEAD, reason="failed 10 times", attempts=10)
        await settle(connection, [dead])
    return [delivery.id for delivery in deliveries]


def test_a_list_is_a_line_for_each_event_newest_first(reprise: Reprise, log: list[UUID]) -> None:
    ended = reprise("events")
    assert (ended.code, ended.err) == (0, "")
    assert [row["id"] for row in ended.rows] == [str(one) for one in reversed(log)]
    assert ended.rows[2]["deliveries"] == "2"
    assert ended.rows[2]["reason"] == "failed 10 times"
    assert ended.rows[1]["type"] == "Te\\u001b[31mst x"


def test_as_json_it_is_what_the_api_answers(reprise: Reprise, log: list[UUID]) -> None:
    ended = reprise("events", "--json")
    assert list(ended.json) == ["items", "next"]
    assert [item["id"] for item in ended.json["items"]] == [str(one) for one in reversed(log)]
    assert ended.json["next"] is None
    assert ended.out.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["--source", "slskd"], [2]),
        (["--type", "Grab"], [0]),
        (["--state", "dead"], [0]),
        (["--state", "waiting"], [2, 1]),
        (["--correlation-id", "SABnzbd_nzo_1"], [0]),
        (["--q", "dUMMY"], [0]),
        (["--since", "1h"], [2, 1, 0]),
        (["--until", "1h"], []),
        (["--since", "2020-01-01", "--until", "2020-01-02T12:00+02:00"], []),
        (["--source", "lidarr", "--state", "waiting"], [1]),
    ],
)
def test_filters(reprise: Reprise, log: list[UUID], words: list[str], found: list[int]) -> None:
    assert [row["id"] for row in reprise("events", *words).rows] == [str(log[one]) for one in found]


def test_pages_follow_each_other_and_the_last_one_says_so(reprise: Reprise, log: list[UUID]) -> None:
    first = reprise("events", "--limit", 2)
    assert [row["id"] for row in first.rows] == [str(log[2]), str(log[1])]
    assert first.err.startswith("There is more: add --cursor ")
    rest = reprise("events", "--limit", 2, "--cursor", first.err.split()[-1])
    assert [row["id"] for row in rest.rows] == [str(log[0])]
    assert rest.err == ""


def test_show_tells_one_event_whole(reprise: Reprise, log: list[UUID]) -> None:
    shown = reprise("events", "show", log[0]).out
    assert "reason          failed 10 times\n" in shown
    assert reprise("events", "show", log[0], "--json").json["attempts"] == 10
    missing = reprise("events", "show", uuid4())
    assert (missing.code, missing.out) == (1, "")


def test_the_body_comes_out_byte_for_byte(environment: dict[str, str], log: list[UUID]) -> None:
    words = [sys.executable, "-m", "reprise", "events", "show", str(log[1]), "--body"]
    assert subprocess.run(words, env=environment, capture_output=True, check=True).stdout == HOSTILE


def test_on_a_terminal_ids_stay_whole_and_nothing_from_outside_steers_it(
    environment: dict[str, str], log: list[UUID]
) -> None:
    controller, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (24, 60))
    words = [sys.executable, "-m", "reprise", "events"]
    with subprocess.Popen(words, env=environment | {"TERM": "xterm"}, stdout=terminal) as command:
        os.close(terminal)
        written = b""
        while chunk := _read(controller):
            written += chunk
    os.close(controller)
    assert command.returncode == 0
    for one in log:
        assert str(one).encode() in written
    assert b"\x1b[31m" not in written
    assert rb"\u001b[31mst" in written


def _read(fd: int) -> bytes:
    try:
        return os.read(fd, 65536)
    except OSError:  # Linux: the other side is closed
        return b""


def test_a_dead_event_is_retried(reprise: Reprise, log: list[UUID]) -> None:
    ended = reprise("retry", log[0], "--reason", "the disk has room again")
    assert ended.code == 0, ended.err
    assert reprise("events", "show", log[0], "--json").json["state"] == "waiting"
    again = reprise("retry", log[0])
    assert (again.code, again.out) == (1, "")
    assert "waits" in again.err


def test_a_settled_event_is_replayed_and_that_is_an_event_itself(reprise: Reprise, log: list[UUID]) -> None:
    waiting = reprise("replay", log[2])
    assert waiting.code == 1
    asked = reprise("jobs", "add", uuid4(), "--artist", "a", "--title", "b")
    assert asked.code == 0, asked.err
    (event,) = reprise("events", "--type", "JobRequested").rows
    ended = reprise("replay", event["id"])
    assert ended.code == 0, ended.err
    assert ended.out.endswith("ignored (already_decided)\n")
    assert len(reprise("events", "--source", "operator", "--type", "Replayed").rows) == 1
