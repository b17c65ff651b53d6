"""The line between the receiver and its Postgres, which tests cut, jam, and rob of answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit, urlunsplit

_READY_FOR_QUERY = b"Z\x00\x00\x00\x05I"


class Line:
    """Relays a loopback TCP port to the unix socket of a Postgres."""

    def __init__(self, dsn: str) -> None:
        parts = urlsplit(dsn)
        where = parse_qs(parts.query)
        self._socket = f"{where['host'][0]}/.s.PGSQL.{where['port'][0]}"
        self._parts = parts
        self._server: asyncio.Server | None = None
        self._port = 0
        self._open: set[asyncio.StreamWriter] = set()
        self._passing = asyncio.Event()
        self._passing.set()
        self._robbed: bytes | None = None
        self.lost = asyncio.Event()
        self.connections = 0

    @property
    def dsn(self) -> str:
        """The DSN that leads over this line."""
        user, _, _ = self._parts.netloc.rpartition("@")
        return urlunsplit(self._parts._replace(netloc=f"{user}@127.0.0.1:{self._port}", query=""))

    async def admit(self) -> None:
        """Take connections, on the same port every time, and let bytes pass."""
        self._passing.set()
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
            self._port = self._server.sockets[0].getsockname()[1]

    async def refuse(self) -> None:
        """As if Postgres weren't there: connections end, and new ones are refused."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.cut()
        await asyncio.sleep(0)

    def cut(self) -> None:
        """End all connections; new ones are taken."""
        for writer in list(self._open):
            writer.transport.abort()

    def jam(self) -> None:
        """As if Postgres hung: connections are taken, and nothing passes."""
        self._passing.clear()

    def rob(self, marker: bytes) -> None:
        """Deliver the next message with marker in it, wait until Postgres has committed it, and lose the answer."""
        self.lost.clear()
        self._robbed = marker

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._open.add(writer)
        robbed = asyncio.Event()
        try:
            near, far = await asyncio.open_unix_connection(self._socket)
            self._open.add(far)
            to_postgres = asyncio.create_task(self._to_postgres(reader, far, robbed))
            await self._from_postgres(near, writer, robbed)
            to_postgres.cancel()
            await asyncio.gather(to_postgres, return_exceptions=True)
        except OSError:
            pass
        finally:
            writer.transport.abort()
            far.transport.abort()
            self._open -= {writer, far}

    async def _to_postgres(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, robbed: asyncio.Event
    ) -> None:
        try:
            while data := await reader.read(65536):
                await self._passing.wait()
                if self._robbed is not None and self._robbed in data:
                    self._robbed = None
                    robbed.set()
                writer.write(data)
                await writer.drain()
        finally:
            writer.transport.abort()

    async def _from_postgres(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, robbed: asyncio.Event
    ) -> None:
        while data := await reader.read(65536):
            await self._passing.wait()
            if robbed.is_set():
                if data.endswith(_READY_FOR_QUERY):
                    self.lost.set()
                    return
                continue
            writer.write(data)
            await writer.drain()


@asynccontextmanager
async def line_to(dsn: str) -> AsyncIterator[Line]:
    """An open line to a Postgres on a unix socket."""
    line = Line(dsn)
    await line.admit()
    try:
        yield line
    finally:
        await line.refuse()
