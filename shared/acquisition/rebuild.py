"""Fold the log again, decision by decision, and compare with what is stored: state is what the log says, or it's told.

Nothing is written and no effect runs. A decision of this version of the rules is made again, under what was
recorded with it; an older one is applied as recorded, so a change of the rules doesn't rewrite history.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from uuid import UUID

import msgspec
from msgspec.structs import replace

from shared.acquisition.lifecycle import RULES_VERSION, decide
from shared.acquisition.locate import ToNew, locate
from shared.acquisition.meanings import Meaning, Meanings
from shared.acquisition.model import Acquisition, Attempt, Context, Job
from shared.acquisition.reading import Interpret, Read
from shared.acquisition.signals import Signal
from shared.acquisition.store import read_acquisitions
from shared.acquisition.workspace import Workspace, changes_between
from shared.postgres.pool import Connection, Pool
from shared.postgres.queries import load
from shared.settings.registry import settings_recorded

Json: TypeAlias = dict[str, Any]

_Q = load("rebuild")
_CHUNK = 500


@dataclass(slots=True)
class Report:
    """What the comparison found; nothing in differences means: the stored state is what the log says."""

    acquisitions: int = 0
    decisions: int = 0
    made_again: int = 0
    applied_as_recorded: int = 0
    differences: list[str] = field(default_factory=list)


async def check(pool: Pool, interpret: Interpret) -> Report:
    """Compare every acquisition, attempt and job with the log, and every batch with its jobs.

    Reads one snapshot, so it can run beside a working fleet.
    """
    report = Report()
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        meanings = Meanings(connection, interpret)
        rebuilt: list[Acquisition] = []
        async for subject, rows in _by_subject(connection):
            acquisition = await _rebuild(meanings, subject, rows, report)
            if acquisition is not None:
                rebuilt.append(acquisition)
            if len(rebuilt) >= _CHUNK:
                await _compare(connection, rebuilt, report)
                rebuilt = []
        await _compare(connection, rebuilt, report)
        for name, meaning in _INVARIANTS.items():
            for row in await connection.fetch(_Q[name]):
                report.differences.append(f"{row[0]}: {meaning}")
    return report


_INVARIANTS = {
    "unexplained": "acquisition without any decision",
    "gaps": "its decisions are not numbered without gap",
    "miscounted": "batch whose counters differ from its jobs",
    "skipped_versions": "batch without a record of every version",
}


async def _by_subject(connection: Connection) -> AsyncIterator[tuple[UUID, list[Any]]]:
    """The decisions of one subject at a time, so that memory stays flat however long the history."""
    rows: list[Any] = []
    async for row in connection.cursor(_Q["decisions"], prefetch=_CHUNK):
        if rows and row["subject_id"] != rows[0]["subject_id"]:
            yield rows[0]["subject_id"], rows
            rows = []
        rows.append(row)
    if rows:
        yield rows[0]["subject_id"], rows


async def _rebuild(meanings: Meanings, subject: UUID, rows: Sequence[Any], report: Report) -> Acquisition | None:
    report.acquisitions += 1
    acquisition: Acquisition | None = None
    meant = await meanings.of(row["event_id"] for row in rows if row["rules_version"] == RULES_VERSION)
    for row in rows:
        report.decisions += 1
        recorded = _applied(acquisition, row)
        again = None
        if row["rules_version"] == RULES_VERSION:
            again = _decided_again(acquisition, recorded, meant.get(row["event_id"]), row)
        if again is None:
            report.applied_as_recorded += 1
        else:
            report.made_again += 1
            if again != recorded:
                report.differences.append(
                    f"{subject}: decision {row['sequence']} ({row['signal']}) comes out otherwise"
                )
        acquisition = recorded
    return acquisition


def _applied(before: Acquisition | None, row: Any) -> Acquisition:
    """The acquisition after a decision, as it was recorded."""
    changes = row["changes"]
    fields = msgspec.to_builtins(before) if before else {}
    attempts = _changed(fields.get("attempts", ()), changes["attempts"], by="number")
    jobs = _changed(fields.get("jobs", ()), changes["jobs"], by="id")
    fields |= changes["set"]
    fields |= {
        "sequence": row["sequence"],
        "attempts": [attempts[number] for number in sorted(attempts)],
        "jobs": list(jobs.values()),
    }
    return msgspec.convert(fields, Acquisition)


def _changed(before: Iterable[Json], changes: Iterable[Json], *, by: str) -> dict[Any, Json]:
    """The rows as they were changed. An older release says and touches nothing of the columns that it doesn't know."""
    rows = {one[by]: one for one in before}
    for one in changes:
        rows[one[by]] = rows.get(one[by], {}) | one
    return rows


def _decided_again(
    before: Acquisition | None, recorded: Acquisition, meaning: Meaning | None, row: Any
) -> Acquisition | None:
    """The same decision, made anew; None where it can only be applied.

    That is where its event or a moved job is elsewhere, or its settings are another release's.
    """
    settings = settings_recorded(row["context"]["settings"], version=row["settings_version"])
    if meaning is None or settings is None:
        return None
    context = Context(
        now=row["decided_at"],
        cause=meaning.event.cause,
        settings=settings,
        lidarr=row["context"]["lidarr"],
        slskd=row["context"].get("slskd", False),
    )
    for signal in meaning.about(recorded.album_mbid, before):
        if type(signal).__name__ != row["signal"]:
            continue
        subject = before or _blank(signal, meaning.event, context, row["subject_id"])
        if subject is None:
            continue
        outcome = decide(subject, signal, context)
        if outcome.applied == (row["outcome"] == "applied") and outcome.reason == row["reason"]:
            return replace(outcome.after, sequence=row["sequence"])
    return None if row["signal"] == "JobRetried" else before


def _blank(signal: Signal, event: Read, context: Context, subject: UUID) -> Acquisition | None:
    place = locate(signal, Workspace(), event.cause, context.now)
    return place.blank if isinstance(place, ToNew) and place.blank.id == subject else None


async def _compare(connection: Connection, rebuilt: Sequence[Acquisition], report: Report) -> None:
    """Hold rebuilt acquisitions against the stored ones, field by field."""
    live = {one.id: one for one in await read_acquisitions(connection, [one.id for one in rebuilt])}
    for one in rebuilt:
        stored = live.get(one.id)
        if stored is None:
            report.differences.append(f"{one.id}: acquisition is not stored")
            continue
        # A job that was opened again may have moved to another acquisition, and is compared there.
        here = {job.id for job in stored.jobs}
        expected = replace(one, jobs=tuple(job for job in one.jobs if job.id in here))
        for name, value in changes_between(expected, stored)["set"].items():
            report.differences.append(f"{expected.id}: {name} is {value!r}, by the log {getattr(expected, name)!r}")
        report.differences += _differing("attempt", expected.attempts, stored.attempts, expected.id)
        report.differences += _differing("job", _sorted(expected.jobs), _sorted(stored.jobs), expected.id)


def _sorted(jobs: Sequence[Job]) -> list[Job]:
    return sorted(jobs, key=lambda job: job.id)


def _differing(
    what: str, expected: Sequence[Attempt] | Sequence[Job], stored: Sequence[Attempt] | Sequence[Job], subject: UUID
) -> list[str]:
    if len(expected) != len(stored):
        return [f"{subject}: {len(stored)} {what}s, by the log {len(expected)}"]
    return [
        f"{subject}: {what} {number} is {one!r}, by the log {other!r}"
        for number, (one, other) in enumerate(zip(stored, expected, strict=True), 1)
        if one != other
    ]
