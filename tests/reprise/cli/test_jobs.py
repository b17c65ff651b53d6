"""`reprise jobs` and `reprise batches`: people ask, look, and change their minds."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from tests.reprise.cli.conftest import Ended, Reprise

DUMMY = "48140466-cff6-3222-bd55-63c27e43190d"
MOON = "f5093c06-23e3-404f-aeaa-40f72885ee3a"


def _ask(reprise: Reprise, *more: str) -> Ended:
    return reprise("jobs", "add", DUMMY, "--artist", "Portishead", "--title", "Dummy", *more)


def test_the_same_request_twice_is_one_job(reprise: Reprise) -> None:
    first, second = _ask(reprise), _ask(reprise)
    job_id = UUID(first.out.split()[0])
    assert first.out == f"{job_id} added: pending (no_source_configured)\n"
    assert second.out == f"{job_id} is there already: pending (no_source_configured)\n"
    (row,) = reprise("jobs").rows
    assert (row["id"], row["artist_name"], row["album_title"]) == (str(job_id), "Portishead", "Dummy")


def test_two_users_have_a_job_each_and_share_the_acquisition(reprise: Reprise) -> None:
    mine, hers = _ask(reprise, "--json").json, _ask(reprise, "--user", "ada", "--json").json
    assert mine["id"] != hers["id"]
    assert mine["acquisition_id"] == hers["acquisition_id"]
    assert [job["user_id"] for job in reprise("jobs", "--user", "ada", "--json").json["items"]] == ["ada"]


def test_a_job_has_its_history(reprise: Reprise) -> None:
    job = _ask(reprise, "--json").json
    shown = reprise("jobs", "show", job["id"])
    assert "JobRequested\tapplied\tpending" in shown.out
    (decision,) = reprise("jobs", "show", job["id"], "--json").json["history"]
    (event,) = reprise("events").rows
    assert decision["event_id"] == event["id"]


def test_cancel_and_retry(reprise: Reprise) -> None:
    job_id = _ask(reprise).out.split()[0]
    assert reprise("jobs", "cancel", job_id, "--reason", "changed my mind").code == 0
    (row,) = reprise("jobs", "--state", "cancelled").rows
    assert row["reason"] == "changed my mind"
    twice = reprise("jobs", "cancel", job_id)
    assert (twice.code, twice.out) == (1, "")
    assert "cancelled" in twice.err
    assert reprise("jobs", "retry", job_id).code == 0
    assert reprise("jobs", "--state", "pending", "--album", DUMMY).rows[0]["id"] == job_id


@pytest.mark.parametrize("words", [["--user", " "], ["--user", "x" * 201], ["--title", ""]])
def test_what_cannot_be_asked_for_is_wrong_usage(reprise: Reprise, words: list[str]) -> None:
    ended = _ask(reprise, *words)
    assert (ended.code, ended.out) == (2, "")
    assert reprise("jobs").rows == []


def test_unknown_jobs_and_batches_are_told(reprise: Reprise) -> None:
    for noun, verbs in {"jobs": ("show", "cancel", "retry"), "batches": ("show", "cancel")}.items():
        for verb in verbs:
            ended = reprise(noun, verb, uuid4())
            assert (ended.code, ended.out) == (1, ""), (noun, verb)
            assert "no such" in ended.err


def test_a_batch_from_words_and_from_a_file(reprise: Reprise, tmp_path: Path) -> None:
    album = {"album_mbid": MOON, "artist_name": "Pink Floyd", "album_title": "The Dark Side of the Moon"}
    path = tmp_path / "albums.json"
    path.write_text(json.dumps([album, album]))
    ended = reprise(*("batches", "add", "--label", "Friday", "--album", DUMMY, "Portishead", "Dummy", "--file", path))
    batch_id = ended.out.split()[0]
    assert ended.out == f"{batch_id} added: 2 albums\n"
    (row,) = reprise("batches").rows
    assert (row["id"], row["version"], row["total"], row["label"]) == (batch_id, "1", "2", "Friday")
    jobs = reprise("batches", "show", batch_id, "--json").json["jobs"]
    assert {job["album_mbid"] for job in jobs} == {DUMMY, MOON}
    assert len(reprise("jobs", "--batch", batch_id).rows) == 2
    assert "Pink Floyd\tThe Dark Side of the Moon" in reprise("batches", "show", batch_id).out


@pytest.mark.parametrize("text", ["", "{", '"x"', "{}", '[{"album_mbid": 1}]', "[" * 20000])
def test_a_file_without_albums_is_wrong_usage(reprise: Reprise, tmp_path: Path, text: str) -> None:
    path = tmp_path / "albums.json"
    path.write_text(text)
    ended = reprise("batches", "add", "--file", path)
    assert (ended.code, ended.out) == (2, "")
    assert reprise("batches").rows == []


def test_a_batch_is_cancelled_at_the_version_that_was_read(reprise: Reprise) -> None:
    batch = reprise("batches", "add", "--album", DUMMY, "Portishead", "Dummy", "--json").json
    stale = reprise("batches", "cancel", batch["id"], "--version", batch["version"] + 1)
    assert (stale.code, stale.out) == (1, "")
    assert "Read it again" in stale.err
    assert reprise("batches", "cancel", batch["id"], "--version", batch["version"]).code == 0
    assert reprise("batches", "--state", "cancelled").rows[0]["id"] == batch["id"]
