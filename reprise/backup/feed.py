"""Restore a dump in one transaction, on servers of other releases and other builds than the one it's from."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from reprise.backup.archive import DUMP, Reading
from reprise.backup.programs import Programs
from reprise.backup.running import Running, program
from reprise.libpq import target

_SECTIONS = ("pre-data", "data", "post-data")
# pg_restore of 17 and newer begins with it, and no older server knows it.
_NEWER_SETTING = b"SET transaction_timeout = 0;\n"
# Debian's 15.20 notes an option of its own (pg_attver) at every column, and no other server takes it. We set none.
_FOREIGN_OPTION = re.compile(rb"^ALTER TABLE ONLY \S+ ALTER COLUMN \S+ SET \((?!n_distinct)[^)]*\);\n", re.MULTILINE)


async def feed_dump(archive: Reading, programs: Programs, url: str, *, server_major: int) -> None:
    """Restore the dump: all of it or nothing. Raises ProgramFailed.

    By way of SQL, so that what a server can't know is left out; never from the rows, only from what stands around them.
    The transaction is ours: psql's own would be committed at the end of its input, which may be our end, too.
    """
    where = target(url, name="reprise restore")
    psql = [programs["psql"], "--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1"]
    async with program([*psql, "--output=/dev/null", f"--dbname={where.url}"], where) as writer:
        await writer.feed(b"BEGIN;\n")
        for section in _SECTIONS:
            async with _as_sql(archive, programs, section) as script:
                understood = _rows(script, server_major) if section == "data" else _schema(script, server_major)
                async for chunk in understood:
                    if not await writer.feed(chunk):
                        await writer.end()
        await writer.feed(b"COMMIT;\n")


async def fill(reader: Running, archive: Reading) -> None:
    """Hand the dump to a pg_restore, until it has read all it wants."""
    for chunk in archive.chunks(DUMP):
        if not await reader.feed(chunk):
            return
    await reader.no_more()


@asynccontextmanager
async def _as_sql(archive: Reading, programs: Programs, section: str) -> AsyncIterator[AsyncIterator[bytes]]:
    """What pg_restore makes of a part of the dump. Leaving the block raises ProgramFailed if that wasn't all of it."""
    reading = [programs["pg_restore"], "--file=-", f"--section={section}", "--no-owner", "--no-privileges"]
    async with program(reading) as reader:
        filling = asyncio.create_task(fill(reader, archive))
        try:
            yield reader.output()
            await filling
        finally:
            filling.cancel()


async def _schema(script: AsyncIterator[bytes], server_major: int) -> AsyncIterator[bytes]:
    whole = _FOREIGN_OPTION.sub(b"", b"".join([chunk async for chunk in script]))
    yield _head(whole, server_major)


async def _rows(script: AsyncIterator[bytes], server_major: int) -> AsyncIterator[bytes]:
    head: bytes | None = b""
    async for chunk in script:
        if head is None:
            yield chunk
            continue
        head += chunk
        if b"set_config('search_path'" in head:  # the last line before what is restored
            yield _head(head, server_major)
            head = None
    if head:
        yield _head(head, server_major)


def _head(script: bytes, server_major: int) -> bytes:
    return script.replace(_NEWER_SETTING, b"", 1) if server_major < 17 else script
