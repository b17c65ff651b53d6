"""Notice a busy port before anything starts, and find out who has it."""

from __future__ import annotations

import errno
import os
import socket
from dataclasses import dataclass
from pathlib import Path

_LISTENING = "0A"  # TCP_LISTEN in /proc/net/tcp (include/net/tcp_states.h)


@dataclass(frozen=True, slots=True)
class Occupant:
    """The process that listens on a port."""

    pid: int
    command: str

    def __str__(self) -> str:
        return f"{self.command} (pid {self.pid})"


@dataclass(frozen=True, slots=True)
class BusyPort:
    """A port that can't be had, and why. `occupant` is None where it can't be found out."""

    port: int
    reason: str
    occupant: Occupant | None

    def __str__(self) -> str:
        if self.occupant is None:
            return f"port {self.port} can't be used ({self.reason})"
        return f"port {self.port} is in use by {self.occupant}"


def busy_port(host: str, port: int) -> BusyPort | None:
    """What is in the way of listening on `host`:`port`, or None. Port 0 is never busy."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # as the receiver does it: connections of an earlier run that linger must not count
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError as error:
            occupant = _occupant(port) if error.errno == errno.EADDRINUSE else None
            return BusyPort(port, error.strerror or str(error), occupant)
    return None


def free_port(host: str) -> int:
    """Any port that is free at this moment."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def _occupant(port: int) -> Occupant | None:
    """Search Linux's socket table, then the open files of every process that we may look into."""
    sockets = {f"socket:[{inode}]" for table in ("tcp", "tcp6") for inode in _listeners(table, port)}
    for process in Path("/proc").glob("[0-9]*") if sockets else ():
        try:
            if any(os.readlink(fd) in sockets for fd in (process / "fd").iterdir()):  # noqa: PTH115 - not a path
                words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                return Occupant(int(process.name), words.strip()[:120] or "a process without a name")
        except OSError:  # it ended meanwhile, or belongs to another user
            continue
    return None


def _listeners(table: str, port: int) -> list[str]:
    path = Path("/proc/net") / table
    if not path.exists():
        return []
    rows = (line.split() for line in path.read_text().splitlines()[1:])
    return [row[9] for row in rows if row[3] == _LISTENING and int(row[1].rsplit(":", 1)[1], 16) == port]
