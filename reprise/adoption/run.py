"""One adoption from end to end: survey, batches, jobs, events, settings, and what shall go on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from reprise.adoption import write
from reprise.adoption.read import Snapshot, snapshot
from reprise.adoption.report import AdoptionReport, SettingReport
from reprise.adoption.resume import resume, would_open
from reprise.adoption.settings import TheirSetting, judged
from reprise.adoption.survey import Survey
from reprise.adoption.translate import LeftOut, TakenEvent, TakenJob, batch_id_of, taken_event
from shared.acquisition.fold import Folding
from shared.postgres.pool import Pool
from shared.settings import store as settings_store

Say = Callable[[str], None]
JOBS_AT_ONCE = 200
EVENTS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person asked for. key reads their encrypted settings."""

    url: str
    schema: str | None = None
    dry_run: bool = False
    resume: bool = False
    key: str | None = None


async def adopt(pool: Pool, folding: Folding, asked: Asked, say: Say = lambda line: None) -> AdoptionReport:
    """Bring over what their database held at this moment, except what is here already; answers the report.

    Every chunk is one transaction, so it may be killed at any point: started again it goes on.
    """
    now = datetime.now(UTC)
    async with snapshot(asked.url, asked.schema) as there:
        theirs = there.theirs
        report = AdoptionReport(theirs.schema, asked.dry_run, theirs.history_in_words, list(theirs.missing))
        survey = Survey(now)
        async for row in there.batches():
            survey.batches[str(row["id"])] = row
        async for _ in _in_groups(there, survey):
            pass  # the first pass counts: events name jobs, and the dry run ends with it
        report.jobs.there, report.batches.there = survey.jobs, len(survey.batches)
        report.jobs.left_behind = sum(map(len, survey.left_out.values()))
        report.job_statuses, report.active_there = dict(survey.statuses), len(survey.active)
        if asked.dry_run:
            await _compare(pool, there, survey, report)
        else:
            writer = write.Writer(pool, folding, now)
            await _bring_jobs(writer, there, survey, report, say)
            await _bring_events(writer, there, survey, report, say)
        report.events.there, report.event_states = survey.events, dict(survey.event_states)
        report.settings = [
            SettingReport(one.theirs, one.ours, one.value, one.verdict if asked.dry_run else await _apply(writer, one))
            for one in judged(await there.settings(), asked.key, await _set_here(pool))
        ]
        report.losses = list(survey.losses(theirs.tables))
    if asked.resume and asked.dry_run:
        async with pool.acquire() as connection:
            report.resumed = await would_open(connection, survey.wishes)
    elif asked.resume:
        report.resumed = await resume(pool, folding, survey.active)
        say(f"[ADOPT] {report.resumed} jobs opened again")
    return report


async def _in_groups(there: Snapshot, survey: Survey) -> AsyncIterator[tuple[str, list[TakenJob]]]:
    """Their jobs by batch ("" for none), in chunks; a batch comes whole."""
    batch, group = "", list[TakenJob]()
    async for row in there.jobs():
        theirs = str(row.get("discoveryBatchId") or "")
        home = theirs if theirs in survey.batches else ""
        if group and (home != batch or (not home and len(group) >= JOBS_AT_ONCE)):
            yield batch, group
            group = []
        batch = home
        taken = survey.job(row)
        if not isinstance(taken, LeftOut):
            group.append(taken)
    if group:
        yield batch, group


async def _bring_jobs(writer: write.Writer, there: Snapshot, survey: Survey, report: AdoptionReport, say: Say) -> None:
    second, without_jobs, done = Survey(survey.now, survey.batches), set(survey.batches), 0
    async for batch, group in _in_groups(there, second):
        if batch:
            without_jobs.discard(batch)
            batches, jobs = await writer.batch(survey.batches[batch], group)
            report.batches.added += batches
        else:
            jobs = await writer.jobs(group)
        report.jobs.added += jobs
        done += len(group)
        say(f"[ADOPT] jobs {done} of {len(survey.jobs_here)}")
    for batch in sorted(without_jobs):
        report.batches.added += (await writer.batch(survey.batches[batch], []))[0]
    report.jobs.here_already = len(survey.jobs_here) - report.jobs.added
    report.batches.here_already = len(survey.batches) - report.batches.added
    say(f"[ADOPT] batches {len(survey.batches)} of {len(survey.batches)}")


async def _bring_events(
    writer: write.Writer, there: Snapshot, survey: Survey, report: AdoptionReport, say: Say
) -> None:
    async for chunk in _events(there, survey):
        report.events.added += await writer.events(chunk)
        say(f"[ADOPT] events {survey.events}")
    report.events.here_already = survey.events - report.events.added


async def _events(there: Snapshot, survey: Survey) -> AsyncIterator[list[TakenEvent]]:
    chunk: list[TakenEvent] = []
    async for row, payload in there.events():
        taken = taken_event(row, payload, survey.jobs_here, survey.now)
        survey.event(row, taken)
        chunk.append(taken)
        if len(chunk) >= EVENTS_AT_ONCE:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


async def _compare(pool: Pool, there: Snapshot, survey: Survey, report: AdoptionReport) -> None:
    """The counts of a dry run: looks on both sides, writes on neither."""
    async with pool.acquire() as connection, connection.transaction(readonly=True):
        batches = [batch_id_of(their_id) for their_id in survey.batches]
        report.batches.here_already = len(await write.batches_here(connection, batches))
        here = await write.acquisitions_here(connection, list(survey.jobs_here.values()))
        report.jobs.here_already = len(here)
        async for chunk in _events(there, survey):
            report.events.here_already += len(await write.events_here(connection, [one.id for one in chunk]))
    for counted, there_are in (
        (report.batches, len(survey.batches)),
        (report.jobs, len(survey.jobs_here)),
        (report.events, survey.events),
    ):
        counted.added = there_are - counted.here_already


async def _apply(writer: write.Writer, one: TheirSetting) -> str:
    if one.verdict != "would set":
        return one.verdict
    return "set" if await writer.setting(one) else "already set"


async def _set_here(pool: Pool) -> frozenset[str]:
    async with pool.acquire() as connection:
        return frozenset((await settings_store.read(connection)).values)
