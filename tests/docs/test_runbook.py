"""The operator's page is true: on a system that is well everything shows what is expected, and what is ill is seen."""

from __future__ import annotations

import re
import shlex
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
import yaml
from redis.asyncio import Redis

from shared.config import Config
from shared.postgres.migrate import migrate, migrations
from shared.postgres.pool import connect, create_pool
from tests.docs.pages import ROOT, page
from tests.harness.processes import Processes
from tests.harness.servers import PostgresServer
from tests.journeys.stage import Stage, new_album, staged

PAGE = page("docs/runbook.md")
STEPS = migrations()
_QUERY = re.compile(
    r"^### (?P<heading>[^\n]*)\n\n```sql\n(?P<sql>.*?)```\n\n\*\*Expect\*\* (?P<expected>.*?)[.,:]", re.M | re.S
)
QUERIES = {found["heading"]: (found["sql"], found["expected"]) for found in _QUERY.finditer(PAGE.text)}

# What each query is there to find: as its hands would do it who makes the system ill.
ILLS = {
    "Does something wait too long?": "UPDATE event_status SET state = 'waiting', settled_at = NULL, reason = NULL",
    "What waits for a person?": "UPDATE event_status SET state = 'dead', settled_at = now()",
    "What waits for its download, in vain?": (
        "UPDATE event_status SET state = 'parked', settled_at = NULL, waits_for = '{x}'"
    ),
    "Is a job stuck?": "UPDATE download_jobs SET state = 'importing', finished_at = NULL",
    "Is anything wanted twice?": (
        "DROP INDEX download_jobs_one_active; UPDATE download_jobs SET state = 'pending', finished_at = NULL,"
        " batch_id = NULL, album_mbid = (SELECT album_mbid FROM download_jobs LIMIT 1)"
    ),
    "Is an album being got twice?": (
        "DROP INDEX acquisitions_one_active_per_album; UPDATE acquisitions SET state = 'pending', finished_at = NULL,"
        " album_mbid = (SELECT album_mbid FROM acquisitions LIMIT 1)"
    ),
    "Is work left lying?": (
        "UPDATE commands SET state = 'running', finished_at = NULL, lease_until = now() - interval '1 hour'"
        " WHERE id = (SELECT id FROM commands LIMIT 1)"
    ),
    "What couldn't be done?": "UPDATE commands SET state = 'dead', finished_at = now()",
    "Do batches end?": "UPDATE discovery_batches SET state = 'active', finished_at = NULL",
    "Does a peer keep silent?": "UPDATE peers SET silent = true",
    "Is the schema whole?": "DELETE FROM schema_migrations WHERE version = 2",
}
# All of it happened long ago, so that nothing is well only because it's young.
_AGE = """
ALTER TABLE events DISABLE TRIGGER USER;
UPDATE events SET received_at = received_at - interval '30 days';
UPDATE download_jobs SET created_at = created_at - interval '30 days';
UPDATE discovery_batches SET created_at = created_at - interval '30 days';
UPDATE commands SET finished_at = finished_at - interval '30 days';
"""


@pytest.fixture
async def lived_in(config: Config, pool: Any) -> AsyncIterator[Stage]:
    """A system at work that has got two albums and a batch, and lost one."""
    async with staged(config, pool) as stage:
        lost = new_album()
        stage.lidarr.control(plan={"album_mbid": str(lost), "attempts": ["nothing_found"]})
        for album in (new_album(), lost, new_album()):
            await stage.ask(album)
            await stage.job_in(album, "completed", "failed")
        wish = {"album_mbid": str(new_album()), "artist_name": "Example Ensemble", "album_title": "First Light"}
        batch = await stage.send("/api/v1/batches", {"albums": [wish]}, status=201)
        await stage.job_in(wish["album_mbid"], "completed")  # type: ignore[arg-type]
        await stage.settled()
        assert (await stage.get(f"/api/v1/batches/{batch['id']}"))["state"] == "completed"
        yield stage


@asynccontextmanager
async def aged(stage: Stage, *ills: str) -> AsyncIterator[Any]:
    """The database a month later, and ill: within a transaction, so that the processes at work see none of it."""
    async with stage.pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        try:
            for statements in (_AGE, *ills):
                await connection.execute(statements)
            yield connection
        finally:
            await transaction.rollback()


async def rows(connection: Any, query: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await connection.fetch(query)]


def is_as_expected(expected: str, found: list[tuple[Any, ...]]) -> bool:
    if expected.startswith("no rows"):
        return not found
    if expected.startswith("0"):
        return len(found) == 1 and set(found[0]) == {0}
    assert expected.startswith(("a number that", "a row for each")), expected
    return True


async def test_on_a_system_that_is_well_every_query_shows_what_is_expected(lived_in: Stage) -> None:
    assert len(QUERIES) == len(PAGE.blocks("sql")) > 12
    async with aged(lived_in) as connection:
        for heading, (query, expected) in QUERIES.items():
            found = await rows(connection, query)
            assert is_as_expected(expected, found), f"{heading} {found}"
        ((events, last_day),) = await rows(connection, QUERIES["How much has come?"][0])
    assert events > 10
    assert last_day == 0


async def test_what_is_ill_is_seen(lived_in: Stage) -> None:
    for heading, ill in ILLS.items():
        query, expected = QUERIES[heading]
        async with aged(lived_in, ill) as connection:
            assert not is_as_expected(expected, await rows(connection, query)), heading


async def test_a_session_that_was_left_open_and_a_broken_index_are_seen(
    pool: Any, database: str, postgres_server: PostgresServer
) -> None:
    admin = await connect(urlunsplit(urlsplit(postgres_server.admin_dsn)._replace(path=urlsplit(database).path)))
    await admin.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'decisions_once'::regclass")
    await admin.close()
    assert await rows(pool, QUERIES["Is every index whole?"][0]) == [("decisions_once",)]
    forgotten = await connect(database)
    await forgotten.execute("BEGIN")
    try:
        query = QUERIES["Does anybody hold up the others?"][0].replace("interval '5 minutes'", "interval '0'")
        assert "BEGIN" in {row[4] for row in await rows(pool, query)}
    finally:
        await forgotten.close()


def test_every_query_that_expects_nothing_has_an_ill_to_find() -> None:
    others = {"Is every index whole?", "Does anybody hold up the others?"}
    assert set(ILLS) | others == {name for name, (_, expected) in QUERIES.items() if expected[0] in "n0"}


async def test_the_first_questions_have_the_answers_that_are_expected(lived_in: Stage, processes: Processes) -> None:
    asked = PAGE.table("Ask")
    commands = [name for name in asked if name.startswith("reprise ")]
    assert len(commands) == len(asked) - 1
    for command in commands:
        run = await processes.start(*shlex.split(command)[1:])
        assert await run.child.wait() == 0, run.output()
        if asked[command][0] == "only the heading":
            assert len(run.output().splitlines()) == 1
        for words in re.findall(r"`([^`]+)`", asked[command][0]):
            assert words in run.output(), command
    async with lived_in.http.get("/readyz") as answer:
        assert answer.status == 200
        lines = await answer.json()
    assert {lines["postgres"], lines["redis"], lines["lidarr"]} == {"ok", "configured"}


async def test_redis_is_asked_as_the_page_says(lived_in: Stage, redis_url: str) -> None:
    asked = [line.partition("redis-cli ")[2] for line in PAGE.shell if "redis-cli" in line]
    patterns = []
    async with Redis.from_url(redis_url) as client:
        for words in map(shlex.split, asked):
            if words[0] == "--scan":
                patterns.append(words[2].removesuffix("*").encode())
                continue
            answer = await client.execute_command(*words)
            if words == ["info", "memory"]:
                assert answer["used_memory"] < 50_000_000
            else:
                assert 0 < answer < 5000
        keys = [key async for key in client.scan_iter()]
    assert keys
    assert not [key for key in keys if not key.startswith(tuple(patterns))]


def text_of(room: str) -> str:
    """All the code of a room."""
    return "\n".join(path.read_text("utf-8") for path in sorted((ROOT / room).rglob("*.py")))


def test_every_line_of_the_warning_signs_is_one_that_is_logged_and_every_error_is_there() -> None:
    told = {name for names in PAGE.table("Line") for name in re.findall(r"[a-z_]+\.[a-z_]+", names)}
    everywhere = "\n".join(text_of(room) for room in ("ingest", "worker", "shared", "reprise"))
    logged = set(re.findall(r'"([a-z_]+\.[a-z_]+)"', everywhere))
    assert told <= logged, told - logged
    # What runs all the time; other commands say what they have to say on the terminal of whoever gave them.
    at_work = "\n".join(text_of(room) for room in ("ingest", "worker", "shared", "reprise/backup"))
    errors = set(re.findall(r'log\.(?:error|exception|critical)\(\s*"([a-z_.]+)"', at_work))
    assert errors <= told, errors - told


def test_the_lines_of_an_upgrade_are_the_codes() -> None:
    code = text_of("shared/postgres") + text_of("reprise/backup")
    second = PAGE.text.split("## When you upgrade")[1]
    for line in re.findall(r"^\| `([^`]+)` \|", second, re.M):
        assert line.rstrip(" …") in code, line
    assert set(re.findall(r"docker compose logs -f (\w+)", PAGE.text)) <= set(
        yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))["services"]
    )


async def test_an_upgrade_shows_what_the_page_shows(empty_database: str, processes: Processes) -> None:
    await migrate(empty_database, steps=STEPS[:4])
    run = await processes.start("migrate", environment={"DATABASE_URL": empty_database})
    assert await run.child.wait() == 0, run.output()
    shown = [line for line in PAGE.shell if line.startswith("[")]
    assert shape(run.output())[: len(shown) - 1] == shape("\n".join(shown))[:-1]
    assert shape(shown[-1])[0].startswith("[MIGRATE] up to date at N migrations")


def shape(text: str) -> list[str]:
    """The lines without what is another each time: numbers, sizes, and the folder."""
    lines = [re.sub(r"\S*/(?=reprise-)", "", line) for line in text.splitlines()]
    return [re.sub(r"[\d.]+( [kMG]?B)?|\d+T\d+Z", "N", line) for line in lines]


async def test_the_way_back_and_forward_again(processes: Processes, config: Config, database: str) -> None:
    """The commands of the last sections, in their order, on one database."""
    begin = PAGE.text.index("## When it was a mistake")
    later = [line for line in PAGE.shell if line.startswith("reprise ") and PAGE.text.rindex(line) > begin]
    ends = {
        "reprise migrate rollback --to 5": 1,
        "reprise migrate rollback --to 5 --yes": 0,
        "reprise migrate": 0,
        "reprise backup --verify": 0,
    }
    assert later == list(ends)
    for command, code in ends.items():
        run = await processes.start(*shlex.split(command)[1:])
        assert await run.child.wait() == code, f"{command}: {run.output()}"
    pool = await create_pool(database)
    assert await pool.fetchval("SELECT max(version) FROM schema_migrations") == len(STEPS)
    await pool.close()
    assert len(list(config.data_dir.glob("backups/*-migration*.tar"))) == 2
    assert len(list(config.data_dir.glob("backups/*-asked.tar"))) == 1
