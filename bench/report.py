"""The figures as tables: medians of the rounds, and medians of the ratios within a round."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from bench import acknowledge, fold
from bench.sizes import Size

RECEIVER_LIMIT_MB = 90
WORKER_LIMIT_MB = 110


@dataclass(frozen=True, slots=True)
class Table:
    """Headings, and rows of figures that begin with a name."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def markdown(self) -> str:
        widths = [max(map(len, column)) for column in zip(self.headings, *self.rows, strict=True)]
        lines = [
            _line(self.headings, widths),
            "|" + "|".join("-" * (width + 1) + ("-" if not at else ":") for at, width in enumerate(widths)) + "|",
            *(_line(row, widths) for row in self.rows),
        ]
        return f"### {self.title}\n\n" + "\n".join(lines) + "\n"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (
        cell.ljust(width) if not at else cell.rjust(width)
        for at, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return "| " + " | ".join(padded) + " |"


def acknowledged(found: acknowledge.Outcome) -> Table:
    rows = []
    for each in found.rounds:
        ours, plain, rows_per_s = (
            [one.per_second for one in each.reprise],
            [one.per_second for one in each.plain],
            [one.per_second for one in each.rows],
        )
        rows.append(
            (
                str(each.connections),
                f"{median(ours):,.0f}",
                f"{median(one.p50_ms for one in each.reprise):.1f} / {median(one.p99_ms for one in each.reprise):.1f}",
                f"{median(plain):,.0f}",
                f"{median(one.p50_ms for one in each.plain):.1f} / {median(one.p99_ms for one in each.plain):.1f}",
                f"{median(rows_per_s):,.0f}",
                _ratio(ours, plain),
                _ratio(ours, rows_per_s),
                f"{median(one.own_core for one in each.reprise):.0%}",
            )
        )
    headings = (
        *("Connections", "Reprise /s", "p50 / p99 ms", "Plain service /s", "p50 / p99 ms", "pgbench rows/s"),
        *("to plain", "to pgbench", "generator"),
    )
    return Table("Acknowledged webhooks", headings, tuple(rows))


def folded(found: fold.Outcome) -> Table:
    named = (
        ("A worker process", found.worker),
        ("The drain alone, no log lines", found.drain),
        ("… and every import orders a look at Lidarr", found.with_orders),
        ("A fold that does nothing: claim, read, settle", found.nothing),
    )
    rows = tuple((name, f"{median(rates):,.0f}", _ratio(rates, found.nothing)) for name, rates in named)
    return Table("Events folded from a backlog", ("", "Events/s", "to nothing"), rows)


def sizes(receiver: tuple[Size, Size], worker: tuple[Size, Size]) -> Table:
    rows = tuple(
        (name, _size(before), _size(after), str(limit))
        for name, (before, after), limit in (
            ("Receiver", receiver, RECEIVER_LIMIT_MB),
            ("Worker", worker, WORKER_LIMIT_MB),
        )
    )
    return Table("Memory", ("", "At rest: resident / share MB", "After the load", "Limit at rest"), rows)


def page(tables: Iterable[Table], *, load: float) -> str:
    """docs/benchmarks.md, whole. load is how many processes wanted a core, on average, before it all began."""
    return _PAGE.format(
        cores=os.cpu_count(),
        machine=platform.machine(),
        system=platform.system(),
        python=platform.python_version(),
        load=f"{load:.1f}",
        tables="\n".join(table.markdown() for table in tables),
    )


def _ratio(ours: Sequence[float], theirs: Sequence[float]) -> str:
    return f"{median(mine / other for mine, other in zip(ours, theirs, strict=True)):.2f}"


def _size(size: Size) -> str:
    return f"{size.resident:.0f} / {size.share:.0f}"


_PAGE = """\
# Benchmarks

`make bench` measures Reprise beside its peers, in one run and in turns (A B C A B C …), because a figure from another
machine, or from another minute on a busy one, says little; a ratio within a round says more. This page was written by
`make bench ARGS=--write`, on {cores} cores ({machine}, {system}, Python {python}) that ran the load generator and the
database, too; a load average of {load} before it began is what others were doing there.

All of it runs on the Postgres that `reprise up` starts, with `fsync` on and on a disk. Bodies are Lidarr's Grab
(1.6 KB) and Download (5 KB, ten tracks), no two alike. Figures are medians of the rounds, and ratios are medians of the
ratios within each round.

{tables}
## What is measured

- **Acknowledged webhooks.** A real `reprise ingest` process with Valkey on: the secret is checked, the body
  identified, kept exactly, queued and committed to the disk before the answer. Connections are kept, as Lidarr keeps
  them. The *plain service* (`bench/plain_service.py`) is aiohttp with uvloop, a pool of 20 connections and one INSERT
  of the body a request; it checks nothing and queues nothing. *pgbench* inserts one such body a transaction, without
  any service, over as many connections up to 32. *Generator* is the share of one core that the load generator took
  beside the receiver.
- **Events folded.** The backlog is 64 % Grab and Download of single albums, 16 % packs, 8 % failures, 8 % rows of
  Lidarr's history and 4 % noise, 10,000 events in all. Each is read, decided, recorded and settled; most make or change
  an acquisition, an attempt and a job. The fold that does nothing settles the same events unread: that is what
  claiming and settling alone cost.
- **Memory.** Resident size, and the process's own share of it (Linux `Pss`), right after start and right after the
  load above.
"""
