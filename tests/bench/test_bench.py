"""Every benchmark runs, at toy size, and says something finite about each of its subjects."""

from __future__ import annotations

import math
import re

import pytest

from bench import bodies, report
from bench.__main__ import PAGE, TOY, measure
from bench.backlog import backlog
from bench.report import Table
from shared.sources import SOURCES

_FIGURE = re.compile(r"-?[\d,]+(?:\.\d+)?|nan|inf")


def figures(table: Table) -> list[float]:
    """Every figure of a table; the names of its rows hold none."""
    cells = [cell for row in table.rows for cell in row[1:]]
    return [float(text.replace(",", "")) for cell in cells for text in _FIGURE.findall(cell)]


@pytest.mark.long
async def test_every_benchmark_says_something_finite() -> None:
    tables = await measure(TOY)
    assert [table.title for table in tables] == ["Acknowledged webhooks", "Events folded from a backlog", "Memory"]
    for table in tables:
        found = figures(table)
        assert len(found) >= 2 * len(table.rows), table
        assert all(math.isfinite(figure) and figure >= 0 for figure in found), table
    page = report.page(tables, load=0.0)
    assert [table.title for table in tables if table.markdown() not in page] == []


def test_the_page_in_docs_is_what_the_command_writes() -> None:
    """Apart from the figures, so that nobody writes into it by hand."""
    headings = [line for line in report.page([], load=0.0).splitlines() if line.startswith(("#", "- **"))]
    assert [line for line in PAGE.read_text("utf-8").splitlines() if line in headings] == headings


def test_no_two_deliveries_of_a_backlog_are_folded_together() -> None:
    found = backlog(1000)
    keys = [delivery.dedupe_key for delivery in found if delivery.dedupe_key]
    assert len(keys) == len(set(keys))
    assert {"Grab", "Download", "DownloadFailure", "HistoryGrabbed", "HistoryDownloadImported"} <= {
        d.type for d in found
    }


def test_bodies_are_read_as_lidarr_s_own() -> None:
    identity = SOURCES["lidarr"].identify({}, bodies.download(7))
    assert identity.type == "Download"
    assert identity.correlation_id == bodies.download_id(7)
    assert identity.dedupe_key is not None
