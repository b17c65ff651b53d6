"""`python -m tests.faults`: play the fault matrix, and write docs/reliability.md."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from tests.faults.fleet import servers
from tests.faults.rows import JUDGED, MATRIX
from tests.faults.scene import Outcome, play


def told(outcome: Outcome) -> str:
    """One row for the terminal."""
    found = outcome.reckoning
    said = (
        f"{outcome.row.name}: sent {found.sent}, acknowledged {found.acknowledged}, stored {found.stored}, "
        f"settled {found.settled}, albums {found.done}/{found.asked}, lost {found.lost}, doubled {found.doubled}, "
        f"95 % after {outcome.recovered_s}, all after {outcome.all_done_s}, 30 s: {outcome.settled_in_30_s:.1%}, "
        f"p99 {outcome.p99_ms:.0f} ms, differences {found.differences} {outcome.notes}"
    )
    return "\n   ! ".join([said, *outcome.failures])


async def main(wanted: list[str], keep: Path) -> list[Outcome]:
    rows = [row for row in [*MATRIX, *JUDGED] if not wanted or any(word.lower() in row.name.lower() for word in wanted)]
    outcomes = []
    async with servers() as both:
        for number, row in enumerate(rows):
            folder = keep / str(number)
            folder.mkdir()
            outcome = await play(row, both, folder)
            print(told(outcome), flush=True)
            outcomes.append(outcome)
    return outcomes


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("rows", nargs="*", help="parts of the names of the rows to play")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="reprise-faults-"))
    print(f"logs are kept in {folder}")
    outcomes = asyncio.run(main(options.rows, folder))
    sys.exit(any(outcome.failures for outcome in outcomes))
