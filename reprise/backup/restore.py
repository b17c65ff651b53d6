"""Put a backup into an empty database, and the deliveries it holds back before a receiver."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from reprise.backup import spooled
from reprise.backup.archive import Reading
from reprise.backup.counts import count_rows
from reprise.backup.feed import feed_dump
from reprise.backup.manifest import Manifest
from reprise.backup.problems import BackupDamaged, CannotRestore
from reprise.backup.running import ProgramFailed
from reprise.backup.verify import programs_for
from shared.acquisition import rebuild
from shared.postgres.exclusive import exclusive
from shared.postgres.migrate import migrate, migrations
from shared.postgres.pool import connect, create_pool
from shared.postgres.queries import load
from shared.sources import interpret

Say = Callable[[str], None]

_Q = load("backup")
_NAMED_AT_MOST = 8


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back. differences are those of `rebuild --check`: none means that the log explains every row."""

    manifest: Manifest
    spool_files: int
    differences: tuple[str, ...]


async def restore(path: Path, url: str, *, spool: Path, cure: str = "", say: Say = lambda line: None) -> Restored:
    """Restore the backup at `path` into the empty database at `url`, and bring it up to this release.

    Raises BackupDamaged or CannotRestore before anything is changed. Interrupted, it leaves the database empty or
    whole, with a mark; doing it again goes on from there. `cure` says how to get an empty one.
    """
    with Reading(path) as archive:
        say(f"[RESTORE] reading {path}")
        await asyncio.to_thread(archive.check)
        _refuse_newer(archive)
        try:
            await _database(archive, url, cure, say)
            files = spooled.put_back(archive, spool)
        except OSError as error:
            raise CannotRestore(f"{error.strerror or error}: {error.filename or ''}. Then restore again") from error
        if files:
            say(f"[RESTORE] {files} files of the spool are in {spool}; the next receiver takes them in")
        await migrate(url, say)
        connection = await connect(url, application_name="reprise restore")
        try:
            await connection.execute(_Q["analyze"], timeout=None)
            await connection.execute(_Q["unmark"])
        finally:
            await connection.close()
        say("[RESTORE] folding the log again, to compare")
        return Restored(archive.manifest, files, await _differences(url))


def _refuse_newer(archive: Reading) -> None:
    newest = migrations()[-1].version
    if archive.manifest.schema_version > newest:
        raise CannotRestore(
            f"{archive.path} was made by a newer release ({archive.manifest.release}, schema "
            f"{archive.manifest.schema_version:04d}; this one has {newest:04d}). Install that release"
        )


async def _database(archive: Reading, url: str, cure: str, say: Say) -> None:
    """The dump, all of it or nothing; the migrators' lock keeps every starting process out meanwhile."""
    keeper = await connect(url, application_name="reprise restore lock")
    connection = await connect(url, application_name="reprise restore")
    try:
        async with exclusive(keeper, say):
            await keeper.execute(_Q["stay"])
            if await _is_done(archive, connection, cure):
                say("[RESTORE] the database was restored by an earlier, interrupted run: going on")
                return
            server_major = connection.get_server_version().major
            programs = programs_for(archive)
            await connection.execute(_Q["mark"])
            await connection.execute(await connection.fetchval(_Q["mark_text"], archive.identity()))
            total = sum(archive.manifest.counts.values())
            say(f"[RESTORE] {total} rows of {len(archive.manifest.counts)} tables")
            await feed_dump(archive, programs, url, server_major=server_major)
            counts = await count_rows(connection)
            if counts != archive.manifest.counts:
                raise BackupDamaged(f"restored are {counts}, but it should be {archive.manifest.counts}")
    except ProgramFailed as error:
        raise CannotRestore(
            f"{archive.path} wasn't restored, and the database is as empty as before: {error}"
        ) from error
    except asyncpg.InsufficientPrivilegeError as error:
        raise CannotRestore(f"{error}. Use the user that owns the database") from error
    finally:
        await connection.close()
        await keeper.close()


async def _is_done(archive: Reading, connection: Any, cure: str) -> bool:
    """Whether an interrupted run of this same backup got as far as the database. Raises CannotRestore."""
    mark = await connection.fetchval(_Q["marked"])
    held = await _held(connection)
    if not held:
        return False
    if mark == archive.identity():
        return True
    if mark is not None:
        raise CannotRestore(
            "the database holds what an interrupted restore of another backup left. Restore that one again, or "
            "empty it: psql -c 'DROP SCHEMA public CASCADE; CREATE SCHEMA public; DROP SCHEMA reprise_restore_underway'"
        )
    raise CannotRestore(f"the database isn't empty: it holds {held}. {cure}".strip())


async def _held(connection: Any) -> str:
    """What is in our schema, in words; nothing if it's empty."""
    counts = sorted((await count_rows(connection)).items(), key=lambda item: -item[1])
    named = [f"{name} ({rows} rows)" for name, rows in counts]
    named += [row["relname"] for row in await connection.fetch(_Q["others"])]
    more = f" and {len(named) - _NAMED_AT_MOST} more" if len(named) > _NAMED_AT_MOST else ""
    return ", ".join(named[:_NAMED_AT_MOST]) + more


async def _differences(url: str) -> tuple[str, ...]:
    pool = await create_pool(url, max_size=2, application_name="reprise restore", command_timeout=None)
    async with pool:
        report = await rebuild.check(pool, interpret)
    return tuple(report.differences)
