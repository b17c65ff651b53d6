"""docs/reliability.md, written from what was measured."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from shared.telemetry.metrics import installed_version
from tests.faults.fleet import Servers
from tests.faults.scene import Outcome

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reliability.md"
_TEMPLATE = Path(__file__).with_name("reliability.md.in")
_HEADS = ("Fault", "sent", "acknowledged", "stored", "settled", "albums", "lost", "doubled", "95 % after", "all after")


async def write(servers: Servers, matrix: Sequence[Outcome], judged: Sequence[Outcome]) -> None:
    """Write the page anew: the words of the template around the tables of this run."""
    version = await servers.query(servers.databases.admin_dsn, "SHOW server_version")
    PAGE.write_text(
        _TEMPLATE.read_text()
        .replace("{when}", f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC")
        .replace("{what}", f"Reprise {installed_version()}{_commit()}")
        .replace("{with}", f"Python {platform.python_version()}, PostgreSQL {version[0][0]} (fsync on), Valkey")
        .replace("{where}", f"{platform.system()}, {os.cpu_count()} CPUs")
        .replace("{matrix}", _table(matrix))
        .replace("{judged}", _table(judged))
    )


def _table(outcomes: Sequence[Outcome]) -> str:
    lines = ["| " + " | ".join(_HEADS) + " |", "|---" + "|--:" * (len(_HEADS) - 1) + "|"]
    lines += ["| " + " | ".join(_cells(outcome)) + " |" for outcome in outcomes]
    wrong = [(outcome.row.name, failure) for outcome in outcomes for failure in outcome.failures]
    if wrong:
        lines += ["", "Not as promised:", "", *(f"- {name}: {failure}" for name, failure in wrong)]
    return "\n".join(lines)


def _cells(outcome: Outcome) -> list[str]:
    name = outcome.row.name + (f" ({'; '.join(outcome.notes)})" if outcome.notes else "")
    if outcome.skipped:
        return [f"{name}: not played, {outcome.skipped}", *("" for _ in _HEADS[1:])]
    found = outcome.reckoning
    return [
        name,
        *(f"{count:,}" for count in (found.sent, found.acknowledged, found.stored, found.settled)),
        f"{found.done} of {found.asked}",
        *(str(count) if not count else f"**{count}**" for count in (found.lost, found.doubled)),
        *(_seconds(one) for one in (outcome.recovered_s, outcome.all_done_s)),
    ]


def _seconds(value: float | None) -> str:
    return "**never**" if value is None else f"{value:.1f} s"


def _commit() -> str:
    """The commit that was tested, where there is a repository to ask."""
    asked = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return f" at {asked.stdout.strip()}" if asked.returncode == 0 else ""
