"""`reprise adopt`: counts first, brings over once, and keeps stdout for the report."""

from __future__ import annotations

import asyncio

import pytest

from tests.reprise.adoption.lidify import built, lived_in
from tests.reprise.cli.conftest import Reprise


@pytest.fixture
def theirs(empty_database: str) -> str:
    """Their database with rows of every kind."""

    async def build() -> None:
        found = await built(empty_database)
        await lived_in(found)
        await found.put("SystemSettings", lidarrApiKey="plain-geheim")
        await found.connection.close()

    asyncio.run(build())
    return empty_database


def test_dry_run_then_for_good_then_nothing_more(reprise: Reprise, theirs: str) -> None:
    dry = reprise("adopt", "--from", theirs, "--dry-run")
    assert dry.code == 0
    assert "jobs     13 there: 11 would be added, 0 here already, 2 left behind" in dry.out
    assert dry.out.endswith("Nothing was written: this was a dry run.\n")
    assert reprise("jobs").rows == []
    done = reprise("adopt", "--from", theirs, "--json")
    assert (done.json["jobs"]["added"], done.json["events"]["added"], done.json["batches"]["added"]) == (11, 5, 3)
    assert "[ADOPT] jobs 11 of 11" in done.err
    assert "geheim" not in done.out + done.err
    again = reprise("adopt", "--from", theirs, "--json").json
    assert (again["jobs"]["added"], again["events"]["added"], again["batches"]["added"]) == (0, 0, 0)
    assert reprise("rebuild", "--check").code == 0


def test_what_came_is_shown_like_anything_else(reprise: Reprise, theirs: str) -> None:
    reprise("adopt", "--from", theirs)
    failed = reprise("jobs", "--state", "failed", "--json").json["items"]
    assert {job["reason"] for job in failed} == {"adopted: exhausted: No sources", "adopted: failed: No releases"}
    assert "Adopted\tapplied\t" in reprise("jobs", "show", failed[0]["id"]).out
    grab = reprise("events", "--source", "lidarr", "--correlation-id", "PACK", "--type", "Grab", "--json").json
    assert [event["state"] for event in grab["items"]] == ["processed"]


def test_replaying_an_arrival_decides_nothing_twice(reprise: Reprise, theirs: str) -> None:
    reprise("adopt", "--from", theirs)
    arrivals = reprise("events", "--type", "Adopted", "--json").json["items"]
    assert "ignored (already_decided)" in reprise("replay", arrivals[0]["id"]).out
    assert reprise("rebuild", "--check").code == 0


def test_the_address_may_come_from_the_environment(
    reprise: Reprise, theirs: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIDIFY_DATABASE_URL", theirs)
    assert reprise("adopt", "--dry-run").code == 0


def test_how_it_refuses(reprise: Reprise, theirs: str) -> None:
    assert reprise("adopt").code == 2
    assert reprise("adopt", "--from", "mysql://lidify").code == 2
    away = reprise("adopt", "--from", "postgresql://lidify:geheim@127.0.0.1:1/lidify")
    assert away.code == 1
    assert "127.0.0.1:1" in away.err
    assert "geheim" not in away.err
    elsewhere = reprise("adopt", "--from", theirs, "--schema", "elsewhere")
    assert elsewhere.code == 1
    assert "add --schema public" in elsewhere.err
