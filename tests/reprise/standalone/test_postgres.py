"""The embedded Postgres: who may connect, what survives, and as whom it runs."""

from __future__ import annotations

import os
import signal
import stat
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import psutil
import pytest

from reprise.standalone.layout import Layout, prepare
from reprise.standalone.postgres import Postgres
from reprise.standalone.problems import CannotStart
from tests.harness.leftovers import mentioning


async def _write(dsn: str, text: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("CREATE TABLE IF NOT EXISTS kept (words text)")
        await connection.execute("INSERT INTO kept VALUES ($1)", text)
    finally:
        await connection.close()


async def _value(dsn: str, query: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def test_a_second_start_keeps_the_data(layout: Layout) -> None:
    first = Postgres(layout)
    await first.start()
    await _write(first.dsn, "Dvořák")
    await first.stop()
    second = Postgres(layout)
    await second.start()
    try:
        assert await _value(second.dsn, "SELECT words FROM kept") == "Dvořák"
    finally:
        await second.stop()


async def test_a_clean_stop_leaves_no_process_and_no_pid_file(founded: Layout) -> None:
    server = Postgres(founded)
    await server.start()
    family = [psutil.Process(server.pid), *psutil.Process(server.pid).children(recursive=True)]
    assert len(family) > 3
    assert founded.read_pid("postgres") == server.pid
    await server.stop()
    assert not [process for process in family if process.is_running()]
    assert founded.read_pid("postgres") is None
    assert list(founded.sockets.iterdir()) == []


async def test_a_killed_postmaster_recovers_at_the_next_start(founded: Layout) -> None:
    server = Postgres(founded)
    await server.start()
    await _write(server.dsn, "committed before the crash")
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    await server.wait()
    await server.start()
    try:
        assert await _value(server.dsn, "SELECT words FROM kept") == "committed before the crash"
    finally:
        await server.stop()


async def test_a_server_that_outlived_its_supervisor_is_taken_over(founded: Layout) -> None:
    orphan = Postgres(founded, durable=False)
    await orphan.start()
    heir = Postgres(founded, durable=False)
    try:
        await heir.start()
        assert heir.pid != orphan.pid
        assert await orphan.wait() == 0, "it was shut down properly"
        assert await _value(heir.dsn, "SELECT 1") == 1
    finally:
        await heir.stop()


async def test_a_pid_file_whose_number_belongs_to_another_process_is_no_obstacle(founded: Layout) -> None:
    server = Postgres(founded, durable=False)
    await server.start()
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    await server.wait()
    pid_file = founded.postgres / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    await server.start()
    try:
        assert await _value(server.dsn, "SELECT 1") == 1
    finally:
        await server.stop()


async def test_durability_is_on(founded: Layout) -> None:
    server = Postgres(founded)
    await server.start()
    try:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            assert await _value(server.dsn, f"SELECT current_setting('{setting}')") == "on"
        assert await _value(server.dsn, "SELECT current_setting('data_checksums')") == "on"
    finally:
        await server.stop()


async def test_the_database_is_utf8_and_sorts_the_same_everywhere(postgres: Postgres) -> None:
    found = await _value(
        postgres.dsn,
        "SELECT row(pg_encoding_to_char(encoding), datlocprovider, datlocale)::text FROM pg_database "
        "WHERE datname = current_database()",
    )
    assert found == "(UTF8,b,C.UTF-8)"


@pytest.mark.parametrize("role", ["reprise", "postgres"])
@pytest.mark.parametrize("password", ["", ":wrong"])
async def test_nobody_connects_without_the_password(postgres: Postgres, role: str, password: str) -> None:
    """Not even we, who own the socket: neither `trust` nor `peer` is in force."""
    query = urlsplit(postgres.dsn).query
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(f"postgresql://{role}{password}@/reprise?{query}")


async def test_every_rule_of_access_wants_scram(postgres: Postgres) -> None:
    rules = await _value(postgres.admin_dsn, "SELECT array_agg(type || ' ' || auth_method) FROM pg_hba_file_rules")
    assert rules == ["local scram-sha-256"]


async def test_it_listens_on_no_network(postgres: Postgres) -> None:
    assert await _value(postgres.admin_dsn, "SELECT current_setting('listen_addresses')") == ""


async def test_our_role_is_no_superuser_but_owns_its_database(postgres: Postgres) -> None:
    assert await _value(postgres.dsn, "SELECT current_setting('is_superuser')") == "off"
    await _write(postgres.dsn, "may create tables")


async def test_only_the_owner_enters_the_socket_folder_and_the_cluster(postgres: Postgres, founded: Layout) -> None:
    for folder in (founded.sockets, founded.postgres):
        found = folder.stat()
        assert stat.S_IMODE(found.st_mode) == 0o700
        assert found.st_uid == (founded.account.uid if founded.account else os.geteuid())
    assert stat.S_IMODE((founded.sockets / ".s.PGSQL.5432").stat().st_mode) == 0o700


async def test_the_passwords_are_private(postgres: Postgres, founded: Layout) -> None:
    for name in ("postgres_password", "database_password"):
        assert stat.S_IMODE((founded.secrets / name).stat().st_mode) == 0o600
        assert len((founded.secrets / name).read_text()) >= 32
    visible = " ".join(psutil.Process(postgres.pid).cmdline())
    for name in ("postgres_password", "database_password"):
        assert founded.kept_secret(name) not in visible


async def test_it_never_runs_as_root(postgres: Postgres) -> None:
    process = psutil.Process(postgres.pid)
    assert 0 not in process.uids()
    assert 0 not in process.gids()
    groups = Path(f"/proc/{postgres.pid}/status").read_text().split("Groups:")[1].splitlines()[0].split()  # noqa: ASYNC240
    assert "0" not in groups


async def test_another_major_version_is_refused_and_nothing_is_changed(founded: Layout) -> None:
    server = Postgres(founded, durable=False)
    await server.start()
    await server.stop()
    (founded.postgres / "PG_VERSION").write_text("15\n")
    before = sorted(path.name for path in founded.postgres.iterdir())
    with pytest.raises(CannotStart, match=r"made by PostgreSQL 15, but this installation brings PostgreSQL \d+"):
        await server.start()
    assert sorted(path.name for path in founded.postgres.iterdir()) == before


async def test_an_interrupted_initdb_is_begun_anew(layout: Layout) -> None:
    half = layout.data_dir / "postgres.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    server = Postgres(layout, durable=False)
    await server.start()
    await server.stop()
    assert not half.exists()


async def test_a_server_that_cannot_start_says_why(founded: Layout) -> None:
    server = Postgres(founded, durable=False)
    await server.start()
    await server.stop()
    (founded.postgres / "postgresql.auto.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(CannotStart, match="no_such_setting"):
        await server.start()
    assert mentioning(str(founded.data_dir)) == {}


async def test_it_works_below_a_folder_that_its_user_cannot_enter(hidden_layout: Layout) -> None:
    """As root under /root, say: the data stays where it was asked for, and no mode above it changes."""
    above = [path for path in hidden_layout.data_dir.parents if path != Path("/")]
    modes = {path: (path.stat().st_mode, path.stat().st_uid) for path in above}
    server = Postgres(hidden_layout)
    await server.start()
    await _write(server.dsn, "kept")
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    await server.wait()
    await server.start()
    try:
        assert await _value(server.dsn, "SELECT words FROM kept") == "kept"
        assert (hidden_layout.data_dir / "postgres" / "PG_VERSION").exists()
        assert {path: (path.stat().st_mode, path.stat().st_uid) for path in above} == modes
    finally:
        await server.stop()
    assert mentioning(str(hidden_layout.data_dir)) == {}


async def test_a_path_too_long_for_a_socket_is_no_obstacle(founded: Layout) -> None:
    deep = prepare(founded.data_dir / "long" / ("x" * 100) / "data")
    assert len(str(deep.sockets)) < 80
    assert stat.S_IMODE(deep.sockets.stat().st_mode) == 0o700
    server = Postgres(deep, durable=False)
    await server.start()
    try:
        assert await _value(server.dsn, "SELECT 1") == 1
    finally:
        await server.stop()
        deep.sockets.rmdir()
