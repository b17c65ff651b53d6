"""Between a process and Postgres: lets a COMMIT through, and cuts the connection instead of passing on its answer."""

from __future__ import annotations

import asyncio
import random
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

_SSL_OR_GSS = (80877103, 80877104)


@dataclass(slots=True)
class _Link:
    """What is known of one connection: the text of its statements, and whether a transaction is open."""

    statements: dict[bytes, bytes] = field(default_factory=dict)
    bound: bytes = b""
    executed: bool = False
    status: bytes = b"I"
    swallowing: bool = False


@dataclass(slots=True)
class Cutter:
    """A TCP door to the Postgres at a unix socket. `share` of all commits lose their answer, though they happen."""

    socket: str
    port: int = 0
    share: float = 0.0
    cuts: int = 0
    _random: random.Random = field(default_factory=lambda: random.Random(1))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = _Link()
        try:
            far_reader, far_writer = await asyncio.open_unix_connection(self.socket)
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._forward(link, reader, writer, far_writer))
                    group.create_task(self._back(link, far_reader, writer))
            finally:
                far_writer.transport.abort()
        except (OSError, ExceptionGroup, asyncio.IncompleteReadError):
            pass  # whichever side ended it, the other is ended below
        finally:
            writer.transport.abort()

    async def _forward(
        self, link: _Link, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, far: asyncio.StreamWriter
    ) -> None:
        """From the process to Postgres, message by message (PostgreSQL: Message Formats)."""
        while True:
            head = await reader.readexactly(4)
            rest = await reader.readexactly(struct.unpack(">I", head)[0] - 4)
            if struct.unpack(">I", rest[:4])[0] not in _SSL_OR_GSS:
                far.write(head + rest)
                break
            writer.write(b"N")
        while True:
            head = await reader.readexactly(5)
            rest = await reader.readexactly(struct.unpack(">I", head[1:])[0] - 4)
            self._note(link, head[:1], rest)
            far.write(head + rest)
            await far.drain()

    def _note(self, link: _Link, kind: bytes, rest: bytes) -> None:
        commits = False
        match kind:
            case b"P":
                name, text, _ = rest.split(b"\0", 2)
                link.statements[name] = text.upper()
            case b"B":
                link.bound = rest.split(b"\0", 2)[1]
            case b"E":
                link.executed = True
            case b"S":
                text = link.statements.get(link.bound, b"")
                writes = any(word in text for word in (b"INSERT", b"UPDATE", b"DELETE"))
                commits = link.executed and link.status == b"I" and writes
                link.executed = False
            case b"Q":
                commits = rest.upper().startswith(b"COMMIT")
        if commits and self._random.random() < self.share:
            link.swallowing = True

    async def _back(self, link: _Link, far: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await far.readexactly(5)
            rest = await far.readexactly(struct.unpack(">I", head[1:])[0] - 4)
            if head[:1] == b"Z":
                link.status = rest
                if link.swallowing:
                    self.cuts += 1
                    raise ConnectionResetError("committed, and nobody is told")
            if not link.swallowing:
                writer.write(head + rest)
                await writer.drain()


@asynccontextmanager
async def cutter(socket: str) -> AsyncIterator[Cutter]:
    """A cutter on a free loopback port, which at first cuts nothing."""
    made = Cutter(socket)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
