"""`reprise leftovers`: what failed downloads left behind, for people and for programs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from tests.ingest.api.test_leftovers import left_behind
from tests.reprise.cli.conftest import Reprise


@pytest.fixture
async def made(pool: Any) -> list[UUID]:
    return await left_behind(pool, 2)


def test_a_line_tells_how_much_lies_where(reprise: Reprise, made: list[UUID]) -> None:
    newest, oldest = reprise("leftovers").rows
    assert (newest["size_bytes"], newest["files"], newest["peer"], newest["outcome"]) == ("20", "2", "ann", "")
    assert newest["paths"] == "/downloads/1/0.flac, /downloads/1/1.flac"
    assert oldest["paths"].startswith("/downloads/0/")


def test_as_json_it_is_what_the_api_answers(reprise: Reprise, made: list[UUID]) -> None:
    found = reprise("leftovers", "--json", "--limit", "1").json
    assert [UUID(one["acquisition_id"]) for one in found["items"]] == made[1:]
    rest = reprise("leftovers", "--json", "--cursor", found["next"]).json
    assert ([UUID(one["acquisition_id"]) for one in rest["items"]], rest["next"]) == (made[:1], None)
