"""The file of a recording: lines of JSON that only its owner may read, compressed if its name ends in .gz."""

from __future__ import annotations

import gzip
import json
import os
import zlib
from collections.abc import Iterator
from contextlib import suppress
from io import BufferedReader, BufferedWriter
from pathlib import Path

import msgspec

from reprise.recording.form import EXCHANGE, FORMAT, HEADER, Exchange, Header, Recording
from reprise.recording.leaks import Leaks
from reprise.recording.problems import CannotRecord, RecordingDamaged
from reprise.recording.redaction import MASK

MOST_BYTES = 1 << 30


class Writing:
    """A recording that is being written; every line is on its way to the disk before the next begins."""

    def __init__(self, path: Path, header: Header, leaks: Leaks) -> None:
        """Raises CannotRecord where a file of that name exists, or none can be made."""
        self.path = path
        self.lines = 0
        self.withheld = 0
        self._leaks = leaks
        try:
            raw = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except FileExistsError:
            raise CannotRecord(f"there is {path} already. Give another name with --to") from None
        except OSError as error:
            raise CannotRecord(f"{path} can't be written ({error.strerror}). Give another name with --to") from error
        self._file = os.fdopen(raw, "wb")
        # Neither the name nor the time stands in the file.
        packed = gzip.GzipFile(filename="", mode="wb", fileobj=self._file, mtime=0) if path.suffix == ".gz" else None
        self._packed: gzip.GzipFile | BufferedWriter = packed or self._file
        self._write(_line(header))

    def add(self, exchange: Exchange) -> None:
        """One call or webhook. Raises OSError as the disk has it."""
        line = _line(exchange)
        if self._leaks.found(line):
            self.withheld += 1
            line = _line(_hollow(exchange))
        self._write(line)
        self.lines += 1

    def close(self) -> int:
        """Make it durable; returns its size in bytes."""
        self._packed.close()
        if not self._file.closed:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
        return self.path.stat().st_size

    def discard(self) -> None:
        """Remove the file."""
        with suppress(OSError):  # closing flushes, which a full disk refuses
            self.close()
        self.path.unlink(missing_ok=True)

    def _write(self, line: str) -> None:
        self._packed.write(line.encode("ascii") + b"\n")
        self._packed.flush()
        self._file.flush()


def _line(content: Header | Exchange) -> str:
    # ASCII alone: nothing in it can steer a terminal or hide from a search.
    return json.dumps(msgspec.to_builtins(content), ensure_ascii=True, separators=(",", ":"))


def _hollow(exchange: Exchange) -> Exchange:
    """That there was something, and nothing of what it was."""
    return Exchange(
        n=exchange.n,
        direction=exchange.direction,
        at_s=exchange.at_s,
        took_s=exchange.took_s,
        method=exchange.method,
        path="/" + MASK,
        fault="withheld",
    )


def read(path: Path) -> Recording:
    """A recording in the order in which its requests began. What a killed recorder left unfinished is left out.

    Raises RecordingDamaged when it isn't one, is of a newer form, or unpacks to more than a GiB.
    """
    lines = _lines(path)
    try:
        header = HEADER.decode(next(lines))
    except (StopIteration, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RecordingDamaged(f"{path} is no recording of Reprise") from error
    if header.reprise_recording != FORMAT:
        raise RecordingDamaged(f"{path} is of another form ({header.reprise_recording}): use a newer Reprise")
    exchanges = []
    for number, line in enumerate(lines, start=2):
        try:
            exchanges.append(EXCHANGE.decode(line))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise RecordingDamaged(f"line {number} of {path} can't be read ({error})") from error
    return Recording(header=header, exchanges=tuple(sorted(exchanges, key=lambda one: one.n)))


def _lines(path: Path) -> Iterator[bytes]:
    """Whole lines; the last one may lack its end."""
    taken = 0
    try:
        with path.open("rb") as plain:
            packed = plain.peek(2)[:2] == b"\x1f\x8b"
            source: gzip.GzipFile | BufferedReader = gzip.GzipFile(fileobj=plain) if packed else plain
            while line := source.readline(MOST_BYTES - taken + 1):
                taken += len(line)
                if taken > MOST_BYTES:
                    raise RecordingDamaged(f"{path} is larger than recordings are")
                if line.endswith(b"\n"):
                    yield line
    except EOFError:
        return  # killed while it was packed: what came out was whole
    except FileNotFoundError:
        raise RecordingDamaged(f"there is no file {path}") from None
    except (OSError, zlib.error) as error:
        raise RecordingDamaged(f"{path} can't be read ({error})") from error
