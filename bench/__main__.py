"""`python -m bench`: measure everything beside its peers, print the tables, and with --write keep them in docs."""

from __future__ import annotations

import argparse
import logging
import os
from dataclasses import dataclass, replace
from pathlib import Path

import structlog
import uvloop

from bench import acknowledge, fold, report
from bench.servers import running

PAGE = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How much of it. A toy proves that everything runs; its figures mean nothing."""

    connections: tuple[int, ...] = (1, 32, 256)
    rounds: int = 5
    seconds: float = 3.0
    events: int = 10_000
    fold_rounds: int = 3
    durable: bool = True


TOY = Scale(connections=(1, 8), rounds=1, seconds=0.2, events=300, fold_rounds=1, durable=False)


async def measure(scale: Scale) -> list[report.Table]:
    """Run every benchmark on servers of their own."""
    async with running(durable=scale.durable) as servers:
        acknowledged = await acknowledge.measure(
            servers, connections=scale.connections, rounds=scale.rounds, seconds=scale.seconds
        )
        folded = await fold.measure(servers, events=scale.events, rounds=scale.fold_rounds)
    assert folded.at_rest is not None
    assert folded.after is not None
    return [
        report.acknowledged(acknowledged),
        report.folded(folded),
        report.sizes((acknowledged.at_rest, acknowledged.after), (folded.at_rest, folded.after)),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"keep the tables in docs/{PAGE.name}")
    parser.add_argument("--toy", action="store_true", help="a few hundred events, to see that it runs")
    parser.add_argument("--rounds", type=int, help="rounds of each benchmark")
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    scale = TOY if given.toy else Scale()
    if given.rounds:
        scale = replace(scale, rounds=given.rounds, fold_rounds=given.rounds)
    load = os.getloadavg()[0]
    tables = uvloop.run(measure(scale))
    print("\n".join(table.markdown() for table in tables))
    if given.write:
        PAGE.write_text(report.page(tables, load=load), encoding="utf-8")


if __name__ == "__main__":
    main()
