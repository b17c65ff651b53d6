"""Webhooks on their way out: sent once, twice, shuffled, held back or lost, as the story wants it."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

import aiohttp

from reprise.simulator.clock import Clock, ticks
from reprise.simulator.knobs import Json, KnobError, Knobs

SENT_KEPT = 20_000
MODES = frozenset({"once", "doubled", "shuffled", "held", "lost"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One webhook as it is to be put on the wire."""

    event_type: str
    method: str
    url: str
    headers: dict[str, str]
    body: bytes
    timeout_s: float
    attempts: int = 1
    follow_redirects: bool = False
    succeeds_below: int = 400  # Lidarr counts a 3xx as success, slskd doesn't
    on_result: Callable[[bool], None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What became of one delivery; `status` is None when no answer came."""

    event_type: str
    url: str
    body: bytes
    status: int | None
    fault: str | None
    at: datetime

    def to_json(self) -> Json:
        body = self.body.decode("utf-8", "replace")
        return {
            "event_type": self.event_type,
            "url": self.url,
            "body": body,
            "status": self.status,
            "fault": self.fault,
            "at": ticks(self.at),
        }


class Outbox:
    """Sends webhooks in the mode that is set, and remembers the outcome of each."""

    def __init__(self, clock: Clock, knobs: Knobs) -> None:
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None
        self.sent: deque[Sent] = deque(maxlen=SENT_KEPT)
        self.reset()
        knobs.add("delivery", str | list[str], self.set_mode)
        knobs.add("lose", list[str], self._lose)
        knobs.add("seed", int, self._seed)

    def reset(self) -> None:
        self.modes: frozenset[str] = frozenset()
        self.losing: frozenset[str] = frozenset()
        self.held: list[Delivery] = []
        self.sent.clear()
        self._random = random.Random(0)  # noqa: S311 shuffles, keeps no secret

    def set_mode(self, value: str | Iterable[str]) -> None:
        words = value.replace("+", " ").split() if isinstance(value, str) else list(value)
        strange = [word for word in words if word not in MODES]
        if strange:
            raise KnobError(f"unknown delivery mode: {', '.join(strange)}; known: {', '.join(sorted(MODES))}")
        self.modes = frozenset(words) - {"once"}

    async def open(self) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), skip_auto_headers={"User-Agent", "Accept-Encoding"}
        )

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def send(self, delivery: Delivery) -> None:
        copies = [delivery] * (2 if "doubled" in self.modes else 1)
        if "lost" in self.modes or delivery.event_type in self.losing:
            self._note(delivery, status=None, fault="lost")
        elif self.modes & {"shuffled", "held"}:
            self.held.extend(copies)
        else:
            await asyncio.gather(*map(self.transmit, copies))

    async def release(self) -> None:
        """Send what was held back, in seeded random order."""
        held, self.held = self.held, []
        self._random.shuffle(held)
        for delivery in held:
            await self.transmit(delivery)

    async def transmit(self, delivery: Delivery) -> str | None:
        """Put one delivery on the wire now; returns what went wrong, if anything."""
        fault: str | None = None
        for _ in range(delivery.attempts):
            status, fault = await self._attempt(delivery)
            self._note(delivery, status=status, fault=fault)
            if fault is None:
                break
        if delivery.on_result is not None:
            delivery.on_result(fault is None)
        return fault

    async def _attempt(self, delivery: Delivery) -> tuple[int | None, str | None]:
        if self._session is None:
            raise RuntimeError("a simulator sends webhooks only while it is served")
        try:
            async with self._session.request(
                delivery.method,
                delivery.url,
                data=delivery.body,
                headers=delivery.headers,
                allow_redirects=delivery.follow_redirects,
                timeout=aiohttp.ClientTimeout(total=delivery.timeout_s),
            ) as answer:
                await answer.read()
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            return None, f"{type(error).__name__}: {error}"
        return status, None if status < delivery.succeeds_below else f"HTTP {status}"

    def _note(self, delivery: Delivery, *, status: int | None, fault: str | None) -> None:
        self.sent.append(
            Sent(
                event_type=delivery.event_type,
                url=delivery.url,
                body=delivery.body,
                status=status,
                fault=fault,
                at=self._clock.now(),
            )
        )

    def _lose(self, event_types: list[str]) -> None:
        self.losing = frozenset(event_types)

    def _seed(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311
