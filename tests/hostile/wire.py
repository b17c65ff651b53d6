"""Requests as bytes on a socket, for what no HTTP client would send, and the answers to them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

Header = tuple[bytes, bytes]
_A_MOMENT_S = 0.02


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: status 0 means that the connection was closed without an answer."""

    status: int
    headers: dict[bytes, bytes]
    body: bytes

    @property
    def closes(self) -> bool:
        return self.status == 0 or self.headers.get(b"connection", b"").lower() == b"close"


def request(
    path: bytes, headers: Iterable[Header] = (), body: bytes = b"", *, method: bytes = b"POST", chunks: int = 0
) -> bytes:
    """A request with exactly these header bytes. chunks: so many pieces of a chunked body, 0 for a length."""
    lines = [b"%s %s HTTP/1.1" % (method, path), b"Host: reprise"]
    lines += [name + b": " + value for name, value in headers]
    if not chunks:
        return b"\r\n".join([*lines, b"Content-Length: %d" % len(body), b"", body])
    size = max(1, -(-len(body) // chunks))
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    sent = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return b"\r\n".join([*lines, b"Transfer-Encoding: chunked", b"", sent + b"0\r\n\r\n"])


class Wire:
    """One connection at a time, opened again whenever it was closed."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, sent: bytes, *, within_s: float = 10.0) -> Answer:
        """Send one well-formed request and read its answer. A kept connection that has gone is opened anew."""
        async with asyncio.timeout(within_s):
            for fresh in (self._streams is None, True):
                reader, writer = await self._open()
                try:
                    writer.write(sent)
                    await writer.drain()
                    answer = await read_answer(reader)
                except ConnectionError:
                    answer = Answer(0, {}, b"")
                if answer.closes:
                    await self.close()
                if answer.status or fresh:
                    return answer
        raise AssertionError("not reached")

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        return self._streams

    async def close(self) -> None:
        if self._streams is not None:
            self._streams[1].transport.abort()
            self._streams = None


async def read_answer(reader: asyncio.StreamReader) -> Answer:
    """The next answer on a connection. That we may go on sending is none."""
    while (first := await reader.readline()).startswith(b"HTTP/1.1 100 "):
        await reader.readline()
    if not first:
        return Answer(0, {}, b"")
    assert first.startswith(b"HTTP/"), first
    headers = {}
    while (line := await reader.readline()) not in (b"\r\n", b""):
        name, _, value = line.partition(b":")
        headers[name.strip().lower()] = value.strip()
    body = await reader.readexactly(int(headers.get(b"content-length", b"0")))
    return Answer(int(first.split()[1]), headers, body)


async def shout(port: int, sent: bytes, *, within_s: float = 15.0) -> list[int]:
    """Send any bytes, give a moment for an answer, end the sending side: the statuses of all answers until the end.

    Raises TimeoutError when the connection is left hanging.
    """
    statuses = []
    async with asyncio.timeout(within_s):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(sent)
            ended = asyncio.get_running_loop().call_later(_A_MOMENT_S, _end_sending, writer)
            while (answer := await read_answer(reader)).status:
                statuses.append(answer.status)
            ended.cancel()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # sent away
        finally:
            writer.transport.abort()
    return statuses


def _end_sending(writer: asyncio.StreamWriter) -> None:
    with suppress(OSError, RuntimeError):  # gone already
        writer.write_eof()
