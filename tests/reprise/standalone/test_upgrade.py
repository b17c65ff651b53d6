"""An older PostgreSQL's data is recognised, upgraded by one command, and kept."""

from __future__ import annotations

import os
from pathlib import Path

import asyncpg
import pytest

from reprise.backup.restore import CannotRestore
from reprise.standalone import cluster, upgrade
from reprise.standalone.binaries import postgres_programs
from reprise.standalone.instance import only_instance
from reprise.standalone.layout import Layout, write_private
from reprise.standalone.older import older_programs
from reprise.standalone.postgres import Postgres
from reprise.standalone.problems import CannotStart
from reprise.standalone.process import spawn
from shared.config import Config
from shared.postgres.migrate import migrate

# Debian's, where it's there; the wheel's own release in the part of an older one is always.
_OLDER = [path for major in (15, 16, 17) if (path := Path(f"/usr/lib/postgresql/{major}/bin")).is_dir()]


async def _found(layout: Layout, programs: Path) -> None:
    """A cluster of these programs, as an older Reprise would have made it, with an event in it."""
    layout.postgres.mkdir(mode=0o700)
    if layout.account:
        os.chown(layout.postgres, layout.account.uid, layout.account.gid)
    password = layout.sockets / "password"
    write_private(password, layout.kept_secret("postgres_password"), layout.account)
    child = spawn(
        "initdb",
        [
            *(programs / "initdb", f"--pgdata={layout.postgres}", "--username=postgres", f"--pwfile={password}"),
            *("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync"),
        ],
        env=cluster.SERVER_ENV,
        account=layout.account,
        cwd=layout.postgres,
    )
    assert await child.finish() == 0
    password.unlink()
    server = Postgres(layout, programs=programs, durable=False)
    await server.start()
    try:
        await migrate(server.dsn)
        connection = await asyncpg.connect(server.dsn)
        await connection.execute(
            "INSERT INTO events (id, source, type, received_at, body) "
            "VALUES (gen_random_uuid(), 'lidarr', 'Test', now(), 'kept')"
        )
        await connection.close()
    finally:
        await server.stop()


async def _bodies(layout: Layout) -> list[bytes]:
    server = Postgres(layout, durable=False)
    await server.start()
    try:
        connection = await asyncpg.connect(server.dsn)
        bodies = [row["body"] for row in await connection.fetch("SELECT body FROM events")]
        await connection.close()
        return bodies
    finally:
        await server.stop()


@pytest.mark.parametrize("programs", [*_OLDER, None], ids=lambda path: path.parent.name if path else "pretended")
async def test_one_command_upgrades_and_the_old_one_is_kept(
    layout: Layout, monkeypatch: pytest.MonkeyPatch, programs: Path | None
) -> None:
    older = programs or postgres_programs(layout.account)
    if programs is None:
        monkeypatch.setattr(upgrade, "program_major", lambda folder: "99")
    major = cluster.program_major(older)
    await _found(layout, older)
    if programs is not None:
        with pytest.raises(CannotStart, match="reprise upgrade-database"):
            await Postgres(layout).start()
    said: list[str] = []
    await upgrade.upgrade(Config(data_dir=layout.data_dir), programs=older, say=said.append)
    assert await _bodies(layout) == [b"kept"]
    old = layout.data_dir / f"postgres-{major}.old"
    assert (old / "PG_VERSION").read_text().strip() == major
    assert str(old) in said[-1]
    assert [path.name for path in (layout.data_dir / "backups").glob("*-upgrade.tar")]
    assert not (layout.data_dir / "postgres.upgrading").exists()


async def test_interrupted_before_its_end_the_old_one_is_untouched_and_it_can_be_done_again(
    founded: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upgrade, "program_major", lambda folder: "99")
    programs = postgres_programs(founded.account)
    config = Config(data_dir=founded.data_dir)

    async def fails(*_: object, **__: object) -> None:
        raise CannotRestore("for a test")

    with monkeypatch.context() as broken:
        broken.setattr(upgrade, "restore", fails)
        with pytest.raises(CannotRestore):
            await upgrade.upgrade(config, programs=programs, say=lambda line: None)
    server = Postgres(founded, durable=False)
    await server.start()
    await server.stop()
    assert not list(founded.data_dir.glob("*.old"))
    await upgrade.upgrade(config, programs=programs, say=lambda line: None)
    assert list(founded.data_dir.glob("*.old"))


async def test_interrupted_between_the_renames_the_next_start_ends_it(founded: Layout) -> None:
    """Otherwise it would find no database, and make an empty one."""
    await _mark(founded, "whole")
    founded.postgres.rename(founded.data_dir / "postgres.upgraded")
    assert await _mark_of(founded) == "whole"
    assert not (founded.data_dir / "postgres.upgraded").exists()


async def _mark(layout: Layout, text: str) -> None:
    server = Postgres(layout, durable=False)
    await server.start()
    connection = await asyncpg.connect(server.dsn)
    await connection.execute(f"CREATE TABLE mark AS SELECT '{text}' AS text")
    await connection.close()
    await server.stop()


async def _mark_of(layout: Layout) -> str:
    server = Postgres(layout, durable=False)
    await server.start()
    connection = await asyncpg.connect(server.dsn)
    text: str = await connection.fetchval("SELECT text FROM mark")
    await connection.close()
    await server.stop()
    return text


def test_missing_programs_are_named_with_the_commands_that_bring_them(layout: Layout) -> None:
    with pytest.raises(CannotStart, match=r"PostgreSQL 11.*pip install --target .*programs-11.*apt-get install"):
        older_programs(layout, "11", None)


def test_programs_of_another_version_are_not_taken(layout: Layout) -> None:
    with pytest.raises(CannotStart, match="PostgreSQL 11"):
        older_programs(layout, "11", postgres_programs(layout.account))


async def test_nothing_to_do_nothing_there_and_newer(layout: Layout, founded: Layout) -> None:
    said: list[str] = []
    await upgrade.upgrade(Config(data_dir=founded.data_dir), say=said.append)
    assert "nothing to do" in said[0]
    with pytest.raises(CannotStart, match="no database"):
        await upgrade.upgrade(Config(data_dir=layout.data_dir))
    (founded.postgres / "PG_VERSION").write_text("99\n")
    with pytest.raises(CannotStart, match="newer than this release"):
        await upgrade.upgrade(Config(data_dir=founded.data_dir))


async def test_an_up_in_the_way_is_named(founded: Layout) -> None:
    with only_instance(founded), pytest.raises(CannotStart, match="another `reprise up`"):
        await upgrade.upgrade(Config(data_dir=founded.data_dir))
