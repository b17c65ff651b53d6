"""Steady load that remembers everything: each delivery with its answer, each album asked for with its job."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any
from uuid import UUID, uuid4

import aiohttp
from aiohttp import web

from reprise.simulator import LidarrSimulator
from tests.faults.bodies import Bodies, Body

_TICK_S = 0.02
_PATIENCE = aiohttp.ClientTimeout(total=20)
_ASK_AGAIN_S = 0.5


@dataclass(frozen=True, slots=True)
class Pace:
    """How much of what comes in a second; `doubled` is the share of deliveries that come twice."""

    deliveries: float = 100.0
    asked: float = 2.0
    grabs: float = 1.0
    doubled: float = 0.3
    shuffled_within_s: float = 0.4
    padding: int = 0


@dataclass(frozen=True, slots=True)
class Sent:
    """One delivery that was sent, and how it was answered; without `status` no answer came."""

    body: Body
    began: float
    took_s: float
    status: int | None
    event_id: UUID | None = None
    duplicate: bool = False
    spooled: bool = False

    @property
    def acknowledged(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


@dataclass(slots=True)
class Load:
    """Sends mixed, doubled and shuffled webhooks to the receivers, and asks for albums as people do."""

    urls: list[str]
    secret: str
    token: str
    lidarr: LidarrSimulator | None = None
    pace: Pace = field(default_factory=Pace)
    seed: int = 1
    sent: list[Sent] = field(default_factory=list)
    asked: dict[UUID, set[UUID]] = field(default_factory=dict)
    asks: Counter[UUID] = field(default_factory=Counter)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _http: aiohttp.ClientSession | None = None
    _ending: bool = False
    _receivers: Iterator[str] = field(default_factory=lambda: iter(()))
    _random: random.Random = field(default_factory=lambda: random.Random(1))

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Load]:
        """Ready to send, and to take what Lidarr sends. At the end all that was sent has its answer, or gets none."""
        async with aiohttp.ClientSession(timeout=_PATIENCE, connector=aiohttp.TCPConnector(limit=0)) as self._http:
            self._receivers = cycle(self.urls)
            office = await self._open_post_office()
            try:
                yield self
            finally:
                await self.all_answered()
                await office.cleanup()

    @asynccontextmanager
    async def flowing(self) -> AsyncIterator[None]:
        """Under load within the block; afterwards nothing new is sent, and who was told to ask again gives up."""
        flow = asyncio.create_task(self._flow())
        try:
            yield
        finally:
            flow.cancel()
            self._ending = True
            await asyncio.gather(flow, return_exceptions=True)
            await self.all_answered()

    @property
    def acknowledged(self) -> int:
        """How many were answered 2xx so far."""
        return sum(one.acknowledged for one in self.sent)

    @property
    def idle(self) -> bool:
        """Whether everything sent has its answer."""
        return not self._tasks

    async def all_answered(self) -> None:
        """Wait until idle."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _flow(self) -> None:
        bodies, began = Bodies(self.seed), time.monotonic()
        made = {"deliveries": 0, "asked": 0, "grabs": 0}
        work: dict[str, Callable[[], None]] = {
            "deliveries": lambda: self._post(bodies.next(padding=self.pace.padding)),
            "asked": self._ask,
            "grabs": self._grab,
        }
        while True:
            passed = time.monotonic() - began
            for name, do in work.items():
                while made[name] < passed * getattr(self.pace, name):
                    made[name] += 1
                    do()
            await asyncio.sleep(_TICK_S)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _post(self, body: Body) -> None:
        """Once or twice, each at some moment soon: so order is lost and doubles are common."""
        for _ in range(2 if self._random.random() < self.pace.doubled else 1):
            self._spawn(
                self.deliver(next(self._receivers), body, after_s=self._random.uniform(0, self.pace.shuffled_within_s))
            )

    async def deliver(self, url: str, body: Body, *, after_s: float = 0.0) -> None:
        """Send one delivery, and remember what became of it. Nothing is sent again: Lidarr doesn't either."""
        assert self._http is not None
        await asyncio.sleep(after_s)
        began = time.monotonic()
        try:
            async with self._http.post(
                f"{url}/webhooks/{body.source}", data=body.content, headers={"X-Webhook-Secret": self.secret}
            ) as answer:
                status = answer.status
                told: dict[str, Any] = await answer.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError):
            self.sent.append(Sent(body, began, time.monotonic() - began, None))
            return
        took_s = time.monotonic() - began
        if status >= 300:
            self.sent.append(Sent(body, began, took_s, status))
            return
        event_id = UUID(told["event_id"])
        self.sent.append(Sent(body, began, took_s, status, event_id, told["duplicate"], told.get("spooled", False)))

    async def _open_post_office(self) -> web.AppRunner:
        """Where the simulated Lidarr posts its webhooks: from there they go on, doubled and shuffled."""

        async def take(request: web.Request) -> web.Response:
            self._post(Body("lidarr", await request.read()))
            return web.Response()

        app = web.Application()
        app.router.add_post("/", take)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        if self.lidarr is not None:
            self.lidarr.control(webhooks={"url": f"http://127.0.0.1:{runner.addresses[0][1]}/"}, back_off=False)
        return runner

    def _grab(self) -> None:
        """Lidarr grabs an album by itself."""
        if self.lidarr is not None:
            self.lidarr.control(grab={"album_mbid": str(uuid4())})

    def _ask(self) -> None:
        """A person asks for an album; one in four asks twice, and one in six albums fails at first."""
        if self.lidarr is None:
            return
        album = uuid4()
        if self._random.random() < 0.17:
            self.lidarr.control(plan={"album_mbid": str(album), "attempts": ["fail", "import"]})
        self.asked[album] = set()
        for _ in range(2 if self._random.random() < 0.25 else 1):
            self._spawn(self._ask_until_answered(next(self._receivers), album))

    async def _ask_until_answered(self, url: str, album: UUID) -> None:
        assert self._http is not None
        wish = {"album_mbid": str(album), "artist_name": f"Artist {album.hex[:6]}", "album_title": f"Album {album}"}
        headers = {"Authorization": f"Bearer {self.token}"}
        while not self._ending:
            self.asks[album] += 1
            try:
                async with self._http.post(f"{url}/api/v1/jobs", json=wish, headers=headers) as answer:
                    if answer.status in (200, 201):
                        self.asked[album].add(UUID((await answer.json())["id"]))
                        return
            except (aiohttp.ClientError, TimeoutError):
                pass  # asked again, as a person would
            await asyncio.sleep(_ASK_AGAIN_S)
