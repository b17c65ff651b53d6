"""Every query in the docs runs on a real database, and the views are those that are documented."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.docs.pages import page, pages

_QUERIES = [
    *(query for one in pages() for query in one.blocks("sql")),
    *(query for one in pages() for line in one.shell for query in re.findall(r'reprise sql.* -c "([^"]+)"', line)),
]


@pytest.mark.parametrize("query", _QUERIES, ids=lambda query: " ".join(query.split())[:60])
async def test_it_runs_and_only_reads(pool: Any, query: str) -> None:
    async with pool.acquire() as connection, connection.transaction(readonly=True):
        await connection.fetch(query)


async def test_the_views_are_those_that_are_documented(pool: Any) -> None:
    rows = await pool.fetch("SELECT table_name FROM information_schema.views WHERE table_schema = 'public'")
    assert set(page("docs/sql.md").table("View")) == {row["table_name"] for row in rows}


def test_there_are_queries_for_every_view() -> None:
    asked = "\n".join(page("docs/sql.md").blocks("sql"))
    for view in page("docs/sql.md").table("View"):
        assert f"FROM {view}\n" in asked
