"""`make faults`: play the fault matrix, and write docs/reliability.md."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.faults import table
from tests.faults.fleet import Servers, servers
from tests.faults.rows import JUDGED, MATRIX
from tests.faults.scene import Outcome, Row, play


def told(outcome: Outcome) -> str:
    """One row for the terminal."""
    found = outcome.reckoning
    if outcome.skipped:
        return f"{outcome.row.name}: not played, {outcome.skipped}"
    said = (
        f"{outcome.row.name}: sent {found.sent}, acknowledged {found.acknowledged}, stored {found.stored}, "
        f"settled {found.settled}, albums {found.done}/{found.asked}, lost {found.lost}, doubled {found.doubled}, "
        f"95 % after {outcome.recovered_s or -1:.1f} s, all after {outcome.all_done_s or -1:.1f} s, "
        f"within 30 s {outcome.settled_in_30_s:.1%}, p99 {outcome.p99_ms:.0f} ms, {'; '.join(outcome.notes)}"
    )
    return "\n   ! ".join([said, *outcome.failures])


async def play_all(rows: Sequence[Row], both: Servers, keep: Path) -> list[Outcome]:
    """One after the other, each with a folder of its own."""
    outcomes = []
    for row in rows:
        outcome = await play(row, both, Path(tempfile.mkdtemp(dir=keep)))
        print(told(outcome), flush=True)
        outcomes.append(outcome)
    return outcomes


async def main(wanted: Sequence[str], keep: Path) -> bool:
    """Play all, or the rows whose names have one of these words in them. The page is written when all were played."""

    def chosen(rows: Sequence[Row]) -> list[Row]:
        return [row for row in rows if not wanted or any(word.lower() in row.name.lower() for word in wanted)]

    async with servers() as both:
        matrix = await play_all(chosen(MATRIX), both, keep)
        judged = await play_all(chosen(JUDGED), both, keep)
        if not wanted:
            await table.write(both, matrix, judged)
    return not any(outcome.failures for outcome in [*matrix, *judged])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("rows", nargs="*", help="words of rows; without any all are played, and the page is written")
    options = parser.parse_args()
    logs = Path(tempfile.mkdtemp(prefix="reprise-faults-"))
    print(f"logs are kept in {logs}")
    sys.exit(not asyncio.run(main(options.rows, logs)))
