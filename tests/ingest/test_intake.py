"""Every delivery is kept whatever Postgres does: away, hanging, cut off, or robbed of its answer."""

from __future__ import annotations

import asyncio
import errno
import os
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from ingest import intake
from shared.config import Config
from tests.harness.waiting import until
from tests.ingest.conftest import Hooks, events, payloads, receiving
from tests.ingest.line import Line

BODY = b'{"eventType": "Test", "n": %d}'


async def send(hooks: Hooks, numbers: range) -> list[dict[str, Any]]:
    return list(await asyncio.gather(*(hooks.post("lidarr", BODY % n) for n in numbers)))


async def assert_kept(pool: Any, answers: list[dict[str, Any]], numbers: range) -> None:
    """Each acknowledged delivery is in the log, once, as it came."""
    stored = await events(pool)
    assert len(stored) == len(answers)
    for answer, n in zip(answers, numbers, strict=True):
        assert stored[UUID(answer["event_id"])]["body"] == BODY % n


async def test_a_postgres_that_refuses(lined: Config, line: Line, pool: Any) -> None:
    async with receiving(lined) as hooks:
        await hooks.settled("ready")
        before = await send(hooks, range(20))
        await line.refuse()
        during = await send(hooks, range(20, 60))
        assert all(answer["spooled"] for answer in during)
        lines = await hooks.ready()
        assert lines["status"] == "spooling"
        assert "bytes" in lines["spool"]
        await line.admit()
        await hooks.settled("ready")
        after = await send(hooks, range(60, 80))
        assert not any("spooled" in answer for answer in before + after)
        await assert_kept(pool, before + during + after, range(80))


async def test_a_postgres_that_is_not_there_at_the_start(lined: Config, line: Line, pool: Any) -> None:
    await line.refuse()
    async with receiving(lined) as hooks:
        answers = await send(hooks, range(30))
        assert all(answer["spooled"] for answer in answers)
        assert (await hooks.ready())["status"] == "spooling"
        await line.admit()
        await hooks.settled("ready")
        await assert_kept(pool, answers, range(30))


async def test_a_database_without_schema_is_migrated_while_deliveries_are_kept(
    config: Config, empty_database: str
) -> None:
    secret = type(config.database_url)
    async with receiving(replace(config, database_url=secret(empty_database))) as hooks:
        answers = await send(hooks, range(30))
        await hooks.settled("ready")
        assert (await hooks.ready())["schema"].startswith("up to date")
        assert len({answer["event_id"] for answer in answers}) == 30


async def test_a_postgres_that_hangs_costs_one_group_its_patience(
    lined: Config, line: Line, pool: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.appender.PATIENCE_S", 0.3)
    monkeypatch.setattr("ingest.appender.STALLED_S", 0.05)
    monkeypatch.setattr("ingest.draining._PROBE_PATIENCE_S", 0.3)
    async with receiving(lined) as hooks:
        await hooks.settled("ready")
        line.jam()
        first = await send(hooks, range(1))
        connections = line.connections
        rest = await send(hooks, range(1, 100))
        assert all(answer["spooled"] for answer in first + rest)
        # None of the hundred tried Postgres for itself.
        assert line.connections - connections <= 2
        line.cut()
        await line.admit()
        await hooks.settled("ready")
        await assert_kept(pool, first + rest, range(100))


@pytest.mark.long
async def test_it_stops_while_postgres_hangs(lined: Config, line: Line, pool: Any) -> None:
    line.jam()
    async with receiving(lined) as hooks:
        from_the_start = await send(hooks, range(3))
    await line.admit()
    async with receiving(lined) as hooks:
        await hooks.settled("ready")
        line.jam()
        later = await send(hooks, range(3, 6))
    await line.admit()
    async with receiving(lined) as hooks:
        await hooks.settled("ready")
        await assert_kept(pool, from_the_start + later, range(6))


async def test_terminated_backends_go_unnoticed(hooks: Hooks, pool: Any) -> None:
    kill = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'reprise receiver'"
    answers = []
    for n in range(5):
        assert await pool.fetchval(kill) >= 1
        answers += await send(hooks, range(n, n + 1))
    assert not any("spooled" in answer for answer in answers)
    await assert_kept(pool, answers, range(5))


async def test_a_lost_commit_answer_doubles_nothing(lined: Config, line: Line, pool: Any) -> None:
    arrived = payloads("slskd")["download_file_complete_batch"]
    async with receiving(lined) as hooks:
        await hooks.settled("ready")
        for body in (b'{"eventType": "Test"}', arrived, arrived):
            line.rob(body[:30])
            await hooks.post("slskd", body)
            assert line.lost.is_set()
        await hooks.settled("ready")
        stored = await events(pool)
    assert sorted(event["body"] for event in stored.values()) == sorted([b'{"eventType": "Test"}', arrived])
    # the second delivery of the slskd event is one folded delivery, though it was sent to Postgres twice
    assert await pool.fetchval("SELECT count(*) FROM folded_deliveries") == 1


async def test_deliveries_that_come_while_it_drains_are_not_lost_or_early(lined: Config, line: Line, pool: Any) -> None:
    async with receiving(lined) as hooks:
        await line.refuse()
        answers = await send(hooks, range(200))
        await line.admit()
        n = 200
        while (await hooks.ready())["status"] != "ready":
            answers += await send(hooks, range(n, n + 10))
            n += 10
        answers += await send(hooks, range(n, n + 10))
        await hooks.settled("ready")
        await assert_kept(pool, answers, range(n + 10))
    ids = [UUID(answer["event_id"]) for answer in answers]
    assert [i for i in (await events(pool)) if i in set(ids)] == sorted(ids)


async def test_the_next_process_drains_what_the_last_one_spooled(lined: Config, line: Line, pool: Any) -> None:
    async with receiving(lined) as hooks:
        await line.refuse()
        answers = await send(hooks, range(30))
    await line.admit()
    async with receiving(lined) as hooks:
        await hooks.settled("ready")
        await assert_kept(pool, answers, range(30))
    assert list((lined.data_dir / "spool").iterdir()) == []


async def test_a_receiver_that_lives_adopts_what_a_dead_one_left(
    lined: Config, line: Line, pool: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "_ADOPT_EVERY_S", 0.02)
    await line.refuse()
    async with receiving(lined) as survivor:
        async with receiving(lined) as hooks:
            answers = await send(hooks, range(10))
        await line.admit()
        await until(lambda: _count(pool, 10), what="all ten in the log")
        await survivor.settled("ready")
        await assert_kept(pool, answers, range(10))


async def test_spooled_deliveries_keep_their_time(lined: Config, line: Line, pool: Any) -> None:
    await line.refuse()
    async with receiving(lined) as hooks:
        await send(hooks, range(5))
        await line.admit()
        await hooks.settled("ready")
    for id_, event in (await events(pool)).items():
        assert abs((id_.int >> 80) / 1000 - event["received_at"].timestamp()) < 0.05


async def test_a_full_disk_refuses_with_507_and_an_alarm_and_postgres_alone_still_serves(
    lined: Config, line: Line, pool: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(fd: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    async with receiving(lined) as hooks:
        await hooks.settled("ready")
        await line.refuse()
        kept = await send(hooks, range(3))
        monkeypatch.setattr("ingest.spool.segment._sync", full)
        status, problem = await hooks.ask("POST", "/webhooks/lidarr", data=b"{}")
        assert (status, problem["code"]) == (507, "spool_full")
        assert (await hooks.ask("GET", "/readyz"))[0] == 503
        assert "reprise_spool_full 1.0" in await _metrics(hooks)
        await line.admit()
        await hooks.settled("ready")
        kept += await send(hooks, range(3, 6))
        assert "reprise_spool_full 0.0" in await _metrics(hooks)
        await assert_kept(pool, kept, range(6))


async def test_without_postgres_and_without_spool_it_says_503(lined: Config, line: Line, pool: Any) -> None:
    lined.data_dir.mkdir()
    (lined.data_dir / "spool").write_text("not a folder")
    await line.refuse()
    async with receiving(lined) as hooks:
        status, problem = await hooks.ask("POST", "/webhooks/lidarr", data=b"{}")
        assert (status, problem["code"]) == (503, "unavailable")
        assert (await hooks.ask("GET", "/readyz"))[0] == 503
        await line.admit()
        await hooks.settled("ready")
        await assert_kept(pool, await send(hooks, range(5)), range(5))


async def test_a_delivery_that_postgres_refuses_harms_no_other(
    hooks: Hooks, pool: Any, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    await pool.execute("ALTER TABLE events ADD CONSTRAINT no_poison CHECK (position('poison'::bytea IN body) = 0)")
    answers = await asyncio.gather(
        *(hooks.post("lidarr", b"poison" if n == 7 else BODY % n) for n in range(20)),
    )
    await hooks.settled("ready")
    assert len(await events(pool)) == 19
    (aside,) = await until(lambda: list(_damaged(config)))
    assert aside.stem == answers[7]["event_id"]


async def test_an_identity_that_postgres_refuses_costs_the_identity_alone(hooks: Hooks, pool: Any) -> None:
    await pool.execute("ALTER TABLE events ADD CONSTRAINT no_grab CHECK (type <> 'Grab')")
    answer = await hooks.post("lidarr", b'{"eventType": "Grab"}')
    (event,) = (await events(pool)).values()
    assert (str(event["id"]), event["type"], event["body"]) == (
        answer["event_id"],
        "unreadable",
        b'{"eventType": "Grab"}',
    )


async def _count(pool: Any, wanted: int) -> bool:
    return bool(await pool.fetchval("SELECT count(*) FROM events") == wanted)


def _damaged(config: Config) -> list[Path]:
    folder = config.data_dir / "spool" / "damaged"
    return list(folder.iterdir()) if folder.exists() else []


async def _metrics(hooks: Hooks) -> str:
    async with hooks.http.get("/metrics") as answer:
        return await answer.text()
