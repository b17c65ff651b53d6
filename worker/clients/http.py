"""How every peer is called: one session each, few requests at once, short patience, retries that can't do harm."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar
from urllib.parse import quote

import aiohttp
import msgspec
import structlog
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_random_exponential
from yarl import URL

from shared.config import Secret
from shared.telemetry.metrics import PEER_CALLS, PEER_ENDPOINTS, PEER_SECONDS, installed_version
from worker.clients.answers import AWAY_FOR, PeerAway, PeerFailed, failure_of

TRY_LIMIT_S = 20.0
CONNECT_LIMIT_S = 5.0
MAX_CALL_S = 45.0
"""No call of a client method takes longer, retries, pages and waiting in line included, unless its endpoint is known
to be slow and has a patience of its own."""
MAX_CHANGE_S = 12.0
"""The same for a call that changes something at the peer. A lease must last longer. If the peer needs more time than
this, it goes on all the same, and the next look finds what it did."""

_TRIES = 3
_LARGEST_ANSWER_BYTES = 64 * 1024 * 1024
_WORTH_A_RETRY = frozenset({502, 503, 504})

T = TypeVar("T")
Query = Sequence[tuple[str, str | int]]

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Endpoint(Generic[T]):
    """One call of a peer's API; its `template` is what metrics and messages show, never the path with its ids.

    `shape` decodes the answer. `repeatable`: sending it twice does no harm, so that may be done when the first
    one's outcome isn't known. `patience_s`: how long the peer may take for it where that's longer than usual.
    """

    method: Literal["GET", "POST", "PUT", "DELETE"]
    template: str
    shape: msgspec.json.Decoder[T]
    repeatable: bool
    patience_s: float = 0.0

    def __post_init__(self) -> None:
        PEER_ENDPOINTS.add(str(self))

    def __str__(self) -> str:
        return f"{self.method} {self.template}"


def get(template: str, shape: msgspec.json.Decoder[T], *, patience_s: float = 0.0) -> Endpoint[T]:
    return Endpoint("GET", template, shape, repeatable=True, patience_s=patience_s)


class _TryFailed(Exception):  # noqa: N818 - not a fault yet
    """One try came to nothing: `error` is what it means if no other follows."""

    def __init__(self, error: PeerAway, *, sent: bool) -> None:
        super().__init__(error.message)
        self.error = error
        self.sent = sent


class Peer:
    """A peer at its address. Bodies are JSON; errors are those of `answers.py`, and no other."""

    def __init__(self, name: Literal["lidarr", "slskd"], url: str, key: Secret | None, *, at_once: int = 4) -> None:
        self.name = name
        self._base = URL(url.rstrip("/"))
        self._key = key
        self._line = asyncio.Semaphore(at_once)
        self._at_once = at_once
        self._session: aiohttp.ClientSession | None = None
        self._said_away = False

    async def fetch(self, endpoint: Endpoint[T], *ids: int | str, query: Query = (), body: object = None) -> T:
        """The decoded 2xx answer. Raises PeerFailed when it isn't what the peer's API promises."""
        content, _ = await self.fetch_with_headers(endpoint, *ids, query=query, body=body)
        return content

    async def fetch_with_headers(
        self, endpoint: Endpoint[T], *ids: int | str, query: Query = (), body: object = None
    ) -> tuple[T, Mapping[str, str]]:
        """As `fetch`, with the headers of the answer."""
        answer, headers = await self._send(endpoint, ids, query, body)
        try:
            return endpoint.shape.decode(answer), headers
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            PEER_CALLS.inc(peer=self.name, endpoint=str(endpoint), status="unreadable")
            hint = f"; is {self.name.upper()}_URL right?" if answer.lstrip()[:1] == b"<" else ""
            raise PeerFailed(f"{self.name}'s answer to {endpoint} can't be read ({error}){hint}") from error

    async def call(self, endpoint: Endpoint[Any], *ids: int | str, query: Query = (), body: object = None) -> None:
        """As `fetch`, for who doesn't care what exactly is answered; `ids` fill the `{}` of the template."""
        await self._send(endpoint, ids, query, body)

    async def _send(
        self, endpoint: Endpoint[Any], ids: Sequence[int | str], query: Query, body: object
    ) -> tuple[bytes, Mapping[str, str]]:
        # Names of people and folders are among the ids: a slash in one is no step of the path.
        path = endpoint.template.format(*(quote(str(part), safe="") for part in ids))
        url = self._base.joinpath(path.lstrip("/"), encoded=True).with_query(list(query))
        async with self.bounded(endpoint):
            try:
                async for attempt in AsyncRetrying(
                    retry=retry_if_exception(
                        lambda e: isinstance(e, _TryFailed) and (endpoint.repeatable or not e.sent)
                    ),
                    stop=stop_after_attempt(_TRIES),
                    wait=wait_random_exponential(multiplier=0.2, max=3),
                    reraise=True,
                ):
                    with attempt:
                        async with self._line:
                            answer = await self._try(endpoint, url, body)
            except _TryFailed as failed:
                self._note_away(failed.error)
                raise failed.error from failed.__cause__
        self._note_back()
        return answer

    @asynccontextmanager
    async def bounded(self, endpoint: Endpoint[Any]) -> AsyncIterator[None]:
        """Let several calls together take no longer than one may; ends with PeerAway."""
        limit_s = max(MAX_CALL_S, endpoint.patience_s) if endpoint.method == "GET" else MAX_CHANGE_S
        try:
            async with asyncio.timeout(limit_s):
                yield
        except TimeoutError as error:
            raise PeerAway(
                f"{self.name} took more than {limit_s:.0f} s for {endpoint}",
                outcome_unknown=endpoint.method != "GET",
            ) from error

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _try(self, endpoint: Endpoint[Any], url: URL, body: object) -> tuple[bytes, Mapping[str, str]]:
        began, status = time.monotonic(), "unreachable"
        try:
            async with self._open_session().request(
                endpoint.method,
                url,
                data=None if body is None else msgspec.json.encode(body),
                # Lidarr answers 415 without it
                headers={} if body is None else {"Content-Type": "application/json"},
                allow_redirects=False,
                timeout=_patience(endpoint),
            ) as response:
                status = str(response.status)
                content = await self._read(endpoint, response)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise _TryFailed(PeerAway(f"{self.name} unreachable ({_why(error)})"), sent=False) from error
        except TimeoutError as error:
            status = "timeout"
            unanswered = PeerAway(f"{self.name} took too long for {endpoint}", AWAY_FOR, endpoint.method != "GET")
            raise _TryFailed(unanswered, sent=True) from error
        except (aiohttp.ClientError, OSError) as error:
            status = "unreachable"
            broken = PeerAway(f"{self.name} broke the connection ({_why(error)})", AWAY_FOR, endpoint.method != "GET")
            raise _TryFailed(broken, sent=True) from error
        except PeerFailed:
            status = "too_large"
            raise
        finally:
            PEER_CALLS.inc(peer=self.name, endpoint=str(endpoint), status=status)
            PEER_SECONDS.observe(time.monotonic() - began, peer=self.name, endpoint=str(endpoint))
        if 200 <= response.status < 300:
            return content, response.headers
        failure = failure_of(
            response.status,
            content,
            peer=self.name,
            call=str(endpoint),
            retry_after_s=_seconds(response.headers.get("Retry-After", "")),
            location=response.headers.get("Location", ""),
        )
        if response.status in _WORTH_A_RETRY and isinstance(failure, PeerAway):
            # A proxy's 502 and 504 tell nothing about what became of the request; 503 is said before doing it.
            failure.outcome_unknown = response.status != 503 and endpoint.method != "GET"
            raise _TryFailed(failure, sent=True)
        raise failure

    async def _read(self, endpoint: Endpoint[Any], response: aiohttp.ClientResponse) -> bytes:
        content = bytearray()
        async for chunk in response.content.iter_chunked(65536):
            content += chunk
            if len(content) > _LARGEST_ANSWER_BYTES:
                raise PeerFailed(f"{self.name}'s answer to {endpoint} is larger than we read")
        return bytes(content)

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            headers = {"Accept": "application/json", "User-Agent": f"Reprise/{installed_version()}"}
            if self._key is not None:
                headers["X-Api-Key"] = self._key.reveal()
            self._session = aiohttp.ClientSession(
                headers=headers,
                connector=aiohttp.TCPConnector(limit=self._at_once),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session

    def _note_away(self, error: PeerAway) -> None:
        if not self._said_away:
            self._said_away = True
            log.warning("peer.away", peer=self.name, reason=error.message)

    def _note_back(self) -> None:
        if self._said_away:
            self._said_away = False
            log.info("peer.back", peer=self.name)


def _patience(endpoint: Endpoint[Any]) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=max(TRY_LIMIT_S, endpoint.patience_s), sock_connect=CONNECT_LIMIT_S)


def _why(error: BaseException) -> str:
    return str(error) or type(error).__name__


def _seconds(retry_after: str) -> float | None:
    return float(retry_after) if retry_after.isascii() and retry_after.isdigit() else None
