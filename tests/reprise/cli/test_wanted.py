"""`reprise batches wanted`: what became of the wish, in a line."""

from __future__ import annotations

import pytest

from ingest.api import wanted
from tests.reprise.cli.conftest import Reprise


@pytest.fixture(autouse=True)
def _shortly(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker is there, so waiting for one is in vain."""
    monkeypatch.setattr(wanted, "WAIT_S", 0.1)


@pytest.fixture
def _with_lidarr(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIDARR_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("LIDARR_API_KEY", "a-key")


def test_without_lidarr_it_says_what_is_missing(reprise: Reprise) -> None:
    ended = reprise("batches", "wanted")
    assert (ended.code, ended.out) == (1, "")
    assert "LIDARR_URL" in ended.err


@pytest.mark.usefixtures("_with_lidarr")
def test_what_is_not_there_yet_is_announced(reprise: Reprise) -> None:
    said = reprise("batches", "wanted", "--limit", "3", "--label", "Friday")
    assert said.code == 0
    assert " is to come: Lidarr is being asked what it misses (no worker" in said.out
    assert set(reprise("batches", "wanted", "--json").json) == {"batch_id", "detail"}


@pytest.mark.usefixtures("_with_lidarr")
def test_a_limit_out_of_range_is_wrong_usage(reprise: Reprise) -> None:
    ended = reprise("batches", "wanted", "--limit", "0")
    assert (ended.code, ended.out) == (2, "")
    assert "1 to 500" in ended.err
