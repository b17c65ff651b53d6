"""Make one backup: the spool, then one snapshot of the database; read back, and only then named."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import asyncpg

from reprise.backup import spooled, verify
from reprise.backup.archive import DUMP, Writing
from reprise.backup.counts import count_rows
from reprise.backup.folder import Folder
from reprise.backup.manifest import Manifest, Reason
from reprise.backup.problems import BackupFailed
from reprise.backup.programs import Programs, find_programs
from reprise.backup.running import ProgramFailed, program
from reprise.backup.verify import Proof
from reprise.libpq import Target, target
from shared.postgres.migrate import status
from shared.postgres.pool import connect
from shared.postgres.queries import load
from shared.telemetry.metrics import installed_version

Say = Callable[[str], None]

_Q = load("backup")
_REPORT_EVERY_S = 5.0


@dataclass(frozen=True, slots=True)
class Made:
    """A finished backup, and how it was proved."""

    path: Path
    size_bytes: int
    manifest: Manifest
    proof: Proof


async def back_up(
    url: str,
    folder: Folder,
    *,
    spool: Path,
    reason: Reason,
    thorough: bool = False,
    say: Say = lambda line: None,
) -> Made:
    """One backup of the database at `url` and the files in `spool`, in `folder`.

    `thorough` restores it into a scratch server as well. Raises BackupFailed; nothing is left behind then.
    """
    with folder.exclusively():
        archive: Writing | None = None
        try:
            archive = Writing(folder.partial())
            made_at = datetime.now(UTC)
            manifest = await _fill(archive, url, spool=spool, reason=reason, made_at=made_at, say=say)
            archive.finish(manifest)
            proof = await verify.prove(archive.path, thorough=thorough, say=say)
            size_bytes = archive.path.stat().st_size
            path = folder.publish(archive.path, made_at, reason)
        except BaseException as error:
            if archive is not None:
                archive.abandon()
            if isinstance(error, (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, ProgramFailed)):
                raise BackupFailed(f"no backup was made in {folder.path}: {_told(error)}") from error
            raise
    say(f"[BACKUP] {path}: {size(size_bytes)}, {proof}")
    return Made(path, size_bytes, manifest, proof)


async def _fill(archive: Writing, url: str, *, spool: Path, reason: Reason, made_at: datetime, say: Say) -> Manifest:
    spool_files = spooled.take(spool, archive)
    spool_bytes = sum(member.size_bytes for member in archive.members.values())
    connection = await connect(url, application_name="reprise backup")
    try:
        programs = find_programs(connection.get_server_version().major)
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            await connection.execute(_Q["stay"])
            about = await connection.fetchrow(_Q["about"])
            say(f"[BACKUP] PostgreSQL {about['version']}, {size(about['database_bytes'])} on its disk")
            counts = await count_rows(connection)
            applied = (await status(connection)).applied
            others = [row["nspname"] for row in await connection.fetch(_Q["other_schemas"])]
            arguments = _pg_dump(programs, snapshot=about["snapshot"], without=others)
            await _dump(archive, arguments, target(url, name="reprise backup"), say)
    finally:
        await connection.close()
    return Manifest(
        release=installed_version(),
        made_at=made_at,
        reason=reason,
        schema_version=max(applied, default=0),
        server_version=about["version"],
        dumped_by=f"pg_dump {programs.version}",
        database_bytes=about["database_bytes"],
        counts=counts,
        spool_files=spool_files,
        spool_bytes=spool_bytes,
        members=dict(archive.members),
    )


def _pg_dump(programs: Programs, *, snapshot: str, without: list[str]) -> list[str]:
    # An extension belongs to the server, and only its superuser could make it again; we use none.
    extensions = ["--exclude-extension=*"] if programs.major >= 17 else []
    quoted = ['"' + name.replace('"', '""') + '"' for name in without]
    return [
        *(programs["pg_dump"], "--no-password", f"--snapshot={snapshot}"),
        # gzip: every pg_restore can read it; 3: a small box has better things to do
        *("--format=custom", "--compress=3", "--lock-wait-timeout=120s"),
        # whoever restores owns what is restored
        *("--no-owner", "--no-privileges", "--no-security-labels", "--no-tablespaces"),
        *("--no-publications", "--no-subscriptions", *extensions),
        *(f"--exclude-schema={name}" for name in quoted),
    ]


async def _dump(archive: Writing, arguments: list[str], where: Target, say: Say) -> None:
    async with program([*arguments, f"--dbname={where.url}"], where) as running:
        await archive.add(DUMP, _reported(running.output(), say))


async def _reported(chunks: AsyncIterator[bytes], say: Say) -> AsyncIterator[bytes]:
    done, reported = 0, time.monotonic()
    async for chunk in chunks:
        done += len(chunk)
        if time.monotonic() - reported > _REPORT_EVERY_S:
            reported = time.monotonic()
            say(f"[BACKUP] {size(done)} dumped")
        yield chunk
        await asyncio.sleep(0)


def size(count: int) -> str:
    """A number of bytes for a person."""
    amount, unit = float(count), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if amount < 1000:
            break
        amount, unit = amount / 1000, larger
    return f"{amount:.0f} {unit}" if unit == "B" or amount >= 10 else f"{amount:.1f} {unit}"


def _told(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}. Make room there, or set REPRISE_BACKUP_DIR to another disk"
    return str(error) or type(error).__name__
