"""All of it or nothing, only where nothing is, and interrupted it goes on."""

from __future__ import annotations

import asyncio
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from ingest.api import add_api
from ingest.serve import listening
from ingest.spool import Spool
from reprise.backup import restore as restoring
from reprise.backup.dump import Made, back_up
from reprise.backup.folder import Folder
from reprise.backup.problems import BackupDamaged, CannotRestore
from reprise.backup.restore import restore
from shared.config import Config, Secret
from shared.postgres.migrate import migrate
from shared.postgres.pool import connect
from shared.postgres.queries import load
from tests.harness.processes import Processes
from tests.harness.servers import PostgresServer
from tests.harness.waiting import until
from tests.reprise.backup.conftest import append_to, delivery, ids_in


@pytest.fixture
async def made(filled: str, spool: Path, folder: Folder) -> Made:
    """A backup of 300 events, and of one more that waited in the spool."""
    receiver = Spool(spool)
    await receiver.open()
    await receiver.write(delivery(b"spooled"))
    made = await back_up(filled, folder, spool=spool, reason="asked")
    await receiver.close()
    return made


async def test_everything_comes_back_and_the_next_receiver_takes_in_the_spool(
    made: Made, filled: str, empty_database: str, config: Config, tmp_path: Path
) -> None:
    restored = await restore(made.path, empty_database, spool=tmp_path / "elsewhere" / "spool")
    assert (restored.spool_files, restored.differences) == (1, ())
    before = await ids_in(filled)
    assert await ids_in(empty_database) == before
    config = replace(config, database_url=Secret(empty_database), data_dir=tmp_path / "elsewhere")
    async with listening(config, add_api):

        async def taken_in() -> bool:
            return len(await ids_in(empty_database)) == 301

        await until(taken_in)
    connection = await connect(empty_database)
    try:
        assert await connection.fetchval("SELECT count(*) FROM events WHERE body = 'spooled'") == 1
        assert await connection.fetchval(load("backup")["marked"]) is None
    finally:
        await connection.close()


async def test_only_into_an_empty_database_and_what_is_there_is_named(
    made: Made, postgres_server: PostgresServer, spool: Path
) -> None:
    async with postgres_server.new_database() as taken:
        await append_to(taken, delivery())
        with pytest.raises(CannotRestore, match=r"isn't empty: it holds .*events \(1 rows\).* the cure"):
            await restore(made.path, taken, spool=spool, cure="the cure")
        assert len(await ids_in(taken)) == 1
    async with postgres_server.new_database(migrated=False) as taken:
        connection = await connect(taken)
        await connection.execute("CREATE VIEW somebodys AS SELECT 1")
        await connection.close()
        with pytest.raises(CannotRestore, match="somebodys"):
            await restore(made.path, taken, spool=spool)


async def test_a_damaged_one_changes_nothing(made: Made, empty_database: str, spool: Path) -> None:
    content = bytearray(made.path.read_bytes())
    content[len(content) // 2] ^= 1
    made.path.write_bytes(content)
    with pytest.raises(BackupDamaged, match="damaged"):
        await restore(made.path, empty_database, spool=spool)
    await migrate(empty_database)  # nothing is in its way


async def test_one_of_a_newer_release_is_refused(
    made: Made, empty_database: str, spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = restoring.migrations()[:1]
    monkeypatch.setattr(restoring, "migrations", lambda: older)
    with pytest.raises(CannotRestore, match="newer release"):
        await restore(made.path, empty_database, spool=spool)


@pytest.mark.parametrize("step", ["feed_dump", "put_back", "migrate"])
async def test_interrupted_at_any_step_it_goes_on(
    made: Made, filled: str, empty_database: str, spool: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    async def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    def die_at_once(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        if step == "put_back":
            broken.setattr(restoring.spooled, "put_back", die_at_once)
        else:
            broken.setattr(restoring, step, die)
        with pytest.raises(KeyboardInterrupt):
            await restore(made.path, empty_database, spool=spool)
    restored = await restore(made.path, empty_database, spool=spool)
    assert restored.differences == ()
    assert await ids_in(empty_database) == await ids_in(filled)


async def test_what_another_interrupted_restore_left_is_recognised(
    made: Made, filled: str, empty_database: str, spool: Path, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(restoring, "migrate", die)
        with pytest.raises(KeyboardInterrupt):
            await restore(made.path, empty_database, spool=spool)
    another = await back_up(filled, folder, spool=spool, reason="asked")
    with pytest.raises(CannotRestore, match=r"interrupted restore of another backup.*DROP SCHEMA public CASCADE"):
        await restore(another.path, empty_database, spool=spool)


async def test_killed_at_any_moment_a_second_run_has_everything(
    made: Made, filled: str, postgres_server: PostgresServer, processes: Processes
) -> None:
    """SIGKILL at four moments of a real process."""
    before = await ids_in(filled)
    for number in range(4):
        async with postgres_server.new_database(migrated=False) as dsn:
            environment = {"DATABASE_URL": dsn}
            first = await processes.start("restore", str(made.path), "--yes", environment=environment)
            await asyncio.wait({asyncio.ensure_future(first.child.wait())}, timeout=0.5 + number * 0.3)
            await first.child.stop((signal.SIGKILL, None))
            second = await processes.start("restore", str(made.path), "--yes", environment=environment)
            code = await second.child.wait()
            assert await ids_in(dsn) == before, second.output()
            # Whole already when the first had come to its end; then the second refuses to touch it.
            assert code == 0 or "isn't empty" in second.output()


async def test_migrators_wait_for_its_end(
    made: Made, filled: str, empty_database: str, spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = restoring.feed_dump
    others: list[asyncio.Task[object]] = []

    async def with_others(*arguments: object, **options: object) -> None:
        others.extend(asyncio.create_task(migrate(empty_database)) for _ in range(3))
        await asyncio.sleep(0)
        await real(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(restoring, "feed_dump", with_others)
    await restore(made.path, empty_database, spool=spool)
    await asyncio.gather(*others)
    assert await ids_in(empty_database) == await ids_in(filled)
