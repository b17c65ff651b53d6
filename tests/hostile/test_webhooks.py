"""Webhooks of every shape: each is kept with its exact bytes or refused, and nothing is ever our fault."""

from __future__ import annotations

import asyncio
import gzip
import json
from typing import Any
from uuid import UUID

from hypothesis import given, seed, settings
from hypothesis import strategies as st

from tests.hostile.conftest import HOSTILE, REQUESTS, Target
from tests.hostile.wire import Header, Wire, request, shout
from tests.ingest.conftest import payloads

_TYPES = [
    "Grab",
    "Download",
    "DownloadFailure",
    "ImportFailure",
    "AlbumDelete",
    "ArtistAdd",
    "Rename",
    "Test",
    "Health",
]
_SLSKD_TYPES = ["DownloadFileComplete", "DownloadDirectoryComplete", "Noop", "PrivateMessageReceived"]
_NAMES = ["eventType", "type", "id", "downloadId", "album", "albums", "artist", "mbId", "trackFiles", "transfer"]
_NAMES += ["batchId", "release", "size", "dateAdded", "username", "filename", "timestamp", "instanceName", "\x00", ""]
_TEXT = st.text(max_size=12) | st.sampled_from([*_TYPES, *_SLSKD_TYPES, "\x00", "\ud800", "x" * 70_000, "1e400000"])
_NUMBER = st.integers() | st.sampled_from([2**63, -(2**63) - 1, 10**400, 2**53 + 1]) | st.floats()
_LEAF = st.none() | st.booleans() | _NUMBER | _TEXT
_TREE = st.recursive(
    _LEAF,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(_NAMES) | _TEXT, inner, max_size=5),
    max_leaves=12,
)


def _encode(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


_SAMPLES = [body for source in ("lidarr", "slskd") for body in payloads(source).values()]


@st.composite
def _bent(draw: st.DrawFn) -> bytes:
    """A real webhook with one of its values replaced by something else."""
    value = json.loads(draw(st.sampled_from(_SAMPLES)))
    at = value
    while isinstance(at, dict) and at:
        name = draw(st.sampled_from(sorted(at)))
        if not isinstance(at[name], dict) or draw(st.booleans()):
            at[name] = draw(_TREE)
            break
        at = at[name]
    return _encode(value)


_DEEP = st.builds(
    lambda n, mark: b'{"eventType":"Grab","x":' + mark * n, st.integers(1, 20_000), st.sampled_from([b"[", b'{"a":'])
)
_JSON = st.builds(
    lambda kind, rest: _encode({**rest, **kind}),
    st.sampled_from([{"eventType": one} for one in _TYPES] + [{"type": one} for one in _SLSKD_TYPES]),
    st.dictionaries(st.sampled_from(_NAMES), _TREE, max_size=6),
)
_BODY = st.one_of(_bent(), _JSON, _TREE.map(_encode), st.binary(max_size=300), _DEEP, st.sampled_from(_SAMPLES))

# Any byte but those that end a header line.
_VALUE = st.binary(max_size=30).map(lambda raw: raw.translate(None, b"\r\n\x00"))
_HEADER = st.one_of(
    st.tuples(st.sampled_from([b"Content-Type", b"User-Agent", b"X-Anything", b"Cookie", b"Accept"]), _VALUE),
    st.sampled_from([
        (b"Content-Type", b"application/json; charset=utf-7"),
        (b"Content-Type", b"multipart/form-data; boundary=x"),
        (b"Content-Type", b"text/plain; charset=\xff"),
        (b"Authorization", b"Basic \xff\xfe"),
        (b"Authorization", b"Bearer " + b"x" * 4000),
        (b"Accept-Encoding", b"br;q=nonsense"),
        (b"Expect", b"200-maybe"),
        (b"Expect", b"100-continue"),
        (b"Content-Encoding", b"gzip"),
        (b"Content-Encoding", b"nonsense"),
        (b"X-Forwarded-For", b"127.0.0.1, \xff"),
        (b"Range", b"bytes=0-"),
        (b"Upgrade", b"websocket"),
    ]),
)  # fmt: skip
_PATH = st.sampled_from([b"/webhooks/lidarr", b"/webhooks/slskd", b"/webhooks/soulseek/", b"/api/webhooks/lidarr"])


async def test_a_webhook_is_kept_exactly_or_refused(target: Target, pool: Any) -> None:
    loop = asyncio.get_running_loop()
    wire = Wire(target.port)
    kept: dict[UUID, bytes] = {}
    statuses: set[int] = set()

    async def deliver(path: bytes, headers: list[Header], body: bytes, chunks: int, admitted: bool) -> None:
        secret = (b"X-Webhook-Secret", target.secret.encode() if admitted else b"guess\xff")
        answer = await wire.ask(request(path, [secret, *headers], body, chunks=chunks))
        statuses.add(answer.status)
        # A body that claims to be compressed and isn't can't be read, and an Expect that nobody knows isn't met.
        assert answer.status in (200, 400, 401, 417, 429), answer
        if answer.status == 200:
            said = json.loads(answer.body)
            assert admitted
            assert not said.get("spooled")
            if not said["duplicate"]:
                kept[UUID(said["event_id"])] = body

    @seed(7)
    @settings(HOSTILE, max_examples=REQUESTS // 2)
    @given(_PATH, st.lists(_HEADER, max_size=3), _BODY, st.sampled_from([0, 0, 1, 3]), st.integers(0, 9))
    def attack(path: bytes, headers: list[Header], body: bytes, chunks: int, luck: int) -> None:
        asyncio.run_coroutine_threadsafe(deliver(path, headers, body, chunks, luck > 0), loop).result(30)

    await asyncio.to_thread(attack)
    await wire.close()
    assert {200, 401} <= statuses
    stored = {
        row["id"]: row["body"] for row in await pool.fetch("SELECT id, body FROM events WHERE id <> ALL ($1)", [])
    }
    assert stored == kept
    assert await pool.fetchval("SELECT count(*) FROM event_history") == len(kept)
    await target.lets_go()


_VALID = [
    request(b"/webhooks/lidarr", [(b"X-Webhook-Secret", b"guess")], b'{"eventType": "Test"}'),
    request(b"/webhooks/lidarr", [(b"X-Webhook-Secret", b"guess")], b'{"eventType": "Test"}' * 9, chunks=3),
    request(b"/api/v1/events?limit=3", [(b"Authorization", b"Bearer guess")], method=b"GET"),
    request(b"/readyz", method=b"GET") + request(b"/metrics", method=b"GET"),
    b"GET http://elsewhere/webhooks/lidarr HTTP/1.1\r\nHost: elsewhere\r\n\r\n",
    b"CONNECT elsewhere:443 HTTP/1.1\r\nHost: elsewhere:443\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"GET /docs HTTP/1.0\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)),
]
_SPLINTERS = [
    b"\r\n",
    b"\r\n\r\n",
    b"\n",
    b"\x00",
    b"\xff",
    b": ",
    b"%",
    b"%00",
    b"..",
    b" ",
    b"-1",
    b"99999999999999999999",
]
_SPLINTERS += [
    b"Content-Length: 5\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"ffffffffffffffff\r\n",
    b"HTTP/9.9",
    b"x" * 9000,
]


@st.composite
def _mangled(draw: st.DrawFn) -> bytes:
    """A request with some of its bytes lost, doubled or replaced."""
    raw = draw(st.sampled_from(_VALID))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(raw)))
        end = draw(st.integers(start, min(len(raw), start + 20)))
        middle = draw(st.sampled_from([*_SPLINTERS, raw[start:end] * 2, b""]) | st.binary(max_size=8))
        raw = raw[:start] + middle + raw[end:]
    return raw


async def test_whatever_the_bytes_the_connection_ends(target: Target) -> None:
    loop = asyncio.get_running_loop()
    statuses: set[int] = set()

    async def send(raw: bytes) -> None:
        statuses.update(await shout(target.port, raw))

    @seed(11)
    @settings(HOSTILE, max_examples=REQUESTS - REQUESTS // 5 - REQUESTS // 2)
    @given(_mangled() | st.binary(max_size=200))
    def attack(raw: bytes) -> None:
        asyncio.run_coroutine_threadsafe(send(raw), loop).result(30)

    await asyncio.to_thread(attack)
    assert {400, 401} <= statuses
    assert not {status for status in statuses if status >= 500}, statuses
    await target.lets_go()


async def test_what_claims_to_be_compressed_is_kept_as_it_came(target: Target, pool: Any) -> None:
    wire = Wire(target.port)
    bodies = [b"\xe3", b"", b"{}", gzip.compress(b'{"eventType": "Test"}')]
    for claim in (b"gzip", b"deflate", b"br", b"nonsense"):
        for body in bodies:
            headers = [(b"X-Webhook-Secret", target.secret.encode()), (b"Content-Encoding", claim)]
            assert (await wire.ask(request(b"/webhooks/lidarr", headers, body))).status == 200
    await wire.close()
    stored = [row["body"] for row in await pool.fetch("SELECT body FROM events ORDER BY id")]
    assert stored == bodies * 4
