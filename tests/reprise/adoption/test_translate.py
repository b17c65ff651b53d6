"""One row of theirs at a time: times, names, ids, states."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from reprise.adoption.translate import LeftOut, TakenJob, event_id_of, moment, taken_event, taken_job
from shared.acquisition.model import State
from tests.reprise.adoption.lidify import album

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ROW: dict[str, Any] = {
    "id": "cm1",
    "userId": "u",
    "status": "completed",
    "targetMbid": str(album(1)),
    "createdAt": "2026-02-15T08:30:00.25",
}


def job(**changes: Any) -> TakenJob:
    taken = taken_job(ROW | changes, None, NOW)
    assert isinstance(taken, TakenJob)
    return taken


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2026-02-15T08:30:00", datetime(2026, 2, 15, 8, 30, tzinfo=UTC)),
        ("2026-02-15T08:30:00.1", datetime(2026, 2, 15, 8, 30, 0, 100_000, tzinfo=UTC)),
        ("2026-02-15T08:30:00.25", datetime(2026, 2, 15, 8, 30, 0, 250_000, tzinfo=UTC)),
        ("2026-02-15T08:30:00.123+02:00", datetime(2026, 2, 15, 6, 30, 0, 123_000, tzinfo=UTC)),
        *[(odd, None) for odd in ("infinity", "0044-03-15T00:00:00 BC", "", None, 5)],
    ],
)
def test_times_are_utc(text: object, read: datetime | None) -> None:
    assert moment(text) == read


@pytest.mark.parametrize(
    ("status", "state", "active"),
    [
        ("pending", State.CANCELLED, True),
        ("processing", State.CANCELLED, True),
        ("downloading", State.CANCELLED, True),
        ("completed", State.COMPLETED, False),
        ("failed", State.FAILED, False),
        ("exhausted", State.FAILED, False),
        ("cancelled", State.CANCELLED, False),
        ("Completed", State.CANCELLED, False),
    ],
)
def test_states(status: str, state: State, active: bool) -> None:
    taken = job(status=status)
    assert (taken.acquisition.state, taken.job.state, taken.was_active) == (state, state, active)
    assert taken.job.reason == ("adopted" if active else f"adopted: {status}")
    assert taken.unknown_status == (status if status == "Completed" else None)


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"metadata": {"artistName": "A - B", "albumTitle": "C"}, "subject": "x - y"}, ("A - B", "C")),
        ({"metadata": None, "subject": "Artist - Album - Deluxe"}, ("Artist", "Album - Deluxe")),
        ({"metadata": [1], "subject": "Alone"}, ("Alone", "")),
        ({}, ("", "")),
    ],
)
def test_names(changes: dict[str, Any], names: tuple[str, str]) -> None:
    taken = job(**changes)
    assert (taken.job.artist_name, taken.job.album_title) == names


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"type": "artist"}, "it asks for an artist, not an album"),
        ({"type": "track"}, "it is of type track"),
        ({"targetMbid": None}, "its target is no MusicBrainz release group"),
        ({"targetMbid": "pending-track-42"}, "its target is no MusicBrainz release group"),
        ({"userId": ""}, "its user id is empty or longer than 200 characters"),
    ],
)
def test_what_stays_behind(changes: dict[str, Any], reason: str) -> None:
    assert taken_job(ROW | changes, None, NOW) == LeftOut("cm1", reason)


def test_the_same_row_has_the_same_ids_for_ever() -> None:
    assert job().acquisition.id == UUID("15744908-6765-5e3b-8ff7-0a74b7e49d81")
    assert event_id_of({"id": "cm1", "createdAt": "2026-02-15T08:30:00.25"}) == UUID(
        "019c606b-c03a-7a4b-9d11-daffcadb1fd5"
    )
    assert event_id_of({"id": "cm2", "createdAt": "2026-02-15T08:30:00.25"}) != event_id_of(ROW)


def test_times_outside_of_uuid7_are_moved_in() -> None:
    assert event_id_of({"id": "cm1", "createdAt": "1950-01-01T00:00:00"}).version == 7


def test_a_name_of_ours_is_not_taken_over() -> None:
    row = {"id": "cm1", "source": "operator", "eventType": "JobRequested", "createdAt": "2026-02-15T08:30:00"}
    assert taken_event(row, "{}", {}, NOW).source == "lidify:operator"


def test_an_event_without_download_id_is_tied_to_its_job() -> None:
    row = {
        "id": "cm1",
        "source": "lidarr",
        "eventType": "Rename",
        "createdAt": "2026-02-15T08:30:00",
        "correlationId": "cmjob",
    }
    assert taken_event(row, "{}", {"cmjob": UUID(int=7)}, NOW).correlation_id == str(UUID(int=7))
    assert taken_event(row, '{"downloadId":"D1"}', {"cmjob": UUID(int=7)}, NOW).correlation_id == "D1"
