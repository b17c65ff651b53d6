"""Post webhooks over kept connections as fast as they are answered; a process of its own that costs little.

Plain sockets: at some 20 µs a request it takes a fraction of what any of the measured services takes, and
what it took is part of its report, so that nobody has to believe it. Run as `python -m bench.load`, told on stdin.
"""

from __future__ import annotations

import itertools
import json
import math
import selectors
import socket
import sys
import time
from dataclasses import asdict, dataclass

from bench import bodies

_ANSWER_BYTES = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to post where. A round ends after its seconds, or when all prepared requests are sent: none is sent twice.

    first_serial keeps the bodies of different rounds apart.
    """

    port: int
    path: str
    header: str
    connections: int
    seconds: float
    first_serial: int
    prepared: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What came of it: acknowledged requests, latencies in milliseconds, and the generator's own share of a core."""

    acknowledged: int
    refused: int
    seconds: float
    p50_ms: float
    p99_ms: float
    own_core: float
    mean_bytes: float

    @property
    def per_second(self) -> float:
        return self.acknowledged / self.seconds


@dataclass(slots=True)
class _Line:
    socket: socket.socket
    sent_at: float = 0.0


def run(order: Order) -> Round:
    """Keep every connection busy until the end; what is under way then is awaited, but not counted."""
    requests = _requests(order)
    mean_bytes = sum(map(len, requests)) / len(requests)
    following = iter(requests)
    lines = [_Line(_connect(order.port)) for _ in range(order.connections)]
    ready = selectors.DefaultSelector()
    for line in lines:
        ready.register(line.socket, selectors.EVENT_READ, line)
    latencies: list[float] = []
    refused = 0
    clock = time.perf_counter
    began, cpu = clock(), time.process_time()
    ends = began + order.seconds
    for line in lines:
        _send(line, next(following), clock())
    under_way = len(lines)
    while under_way:
        for key, _ in ready.select():
            line = key.data
            answer = _receive(line.socket)
            now = clock()
            request = next(following, None) if now < ends else None
            if request is None:
                ends = min(ends, now)
                under_way -= 1
                continue
            if answer.startswith(b"HTTP/1.1 200"):
                latencies.append(now - line.sent_at)
            else:
                refused += 1
            _send(line, request, clock())
    took, own = clock() - began, time.process_time() - cpu
    for line in lines:
        line.socket.close()
    latencies.sort()
    return Round(
        acknowledged=len(latencies),
        refused=refused,
        seconds=ends - began,
        p50_ms=_quantile(latencies, 0.5) * 1000,
        p99_ms=_quantile(latencies, 0.99) * 1000,
        own_core=own / took,
        mean_bytes=mean_bytes,
    )


def _requests(order: Order) -> list[bytes]:
    head = (
        f"POST {order.path} HTTP/1.1\r\nHost: 127.0.0.1:{order.port}\r\nContent-Type: application/json\r\n"
        f"{order.header}\r\nContent-Length: "
    ).encode()
    texts = itertools.islice(bodies.deliveries(order.first_serial), order.prepared)
    return [b"%b%d\r\n\r\n%b" % (head, len(text), text) for text in texts]


def _connect(port: int) -> socket.socket:
    made = socket.create_connection(("127.0.0.1", port))
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


def _send(line: _Line, request: bytes, now: float) -> None:
    line.sent_at = now
    line.socket.sendall(request)


def _receive(line: socket.socket) -> bytes:
    """One whole answer; both services write theirs at once, so the loop hardly ever turns."""
    answer = line.recv(_ANSWER_BYTES)
    while True:
        head, found, body = answer.partition(b"\r\n\r\n")
        if found and len(body) >= _length(head):
            return answer
        more = line.recv(_ANSWER_BYTES)
        if not more:
            raise ConnectionError(f"the service closed a connection after {answer!r}")
        answer += more


def _length(head: bytes) -> int:
    for name in (b"Content-Length: ", b"content-length: "):
        at = head.find(name)
        if at >= 0:
            return int(head[at + len(name) :].split(b"\r\n", 1)[0])
    raise ValueError(f"an answer without length: {head!r}")


def _quantile(ascending: list[float], share: float) -> float:
    return ascending[min(len(ascending) - 1, math.ceil(share * len(ascending)) - 1)] if ascending else math.nan


if __name__ == "__main__":
    print(json.dumps(asdict(run(Order(**json.load(sys.stdin))))))
