"""One row of the matrix as it is played: real processes, load, a fault, and the time until all is well."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import structlog
from redis.asyncio import Redis

from reprise.simulator import LidarrSimulator
from tests.faults.cutting import Cutter, cutter
from tests.faults.fleet import Member, Servers
from tests.faults.load import Load, Pace
from tests.faults.logs import complaints_in
from tests.faults.reckoning import Reckoning, reckon
from tests.harness.network import Relay, relay_to

# Judged is what is settled 30 s after the fault; who needs longer is watched a little longer, to say how long.
WATCHED_S = 45.0
_POLL_S = 0.25
_KEY, _SECRET, _TOKEN = "key-of-the-simulated-lidarr", "webhook-secret", "admin-token"
_SETTLED = """
SELECT (SELECT count(*) FROM event_status WHERE event_id = ANY ($1) AND state IN ('processed', 'ignored', 'dead'))
    + (SELECT count(*) FROM folded_deliveries WHERE id = ANY ($1)) AS settled,
    (SELECT count(*) FROM event_status WHERE state = 'waiting')
    + (SELECT count(*) FROM download_jobs WHERE finished_at IS NULL)
    + (SELECT count(*) FROM commands WHERE state = 'running' AND kind <> 'ObservePeer') AS open
"""

log = structlog.get_logger("faults")


@dataclass(frozen=True, slots=True)
class Row:
    """A fault and the scene that it needs. `fault` takes as long as the fault lasts."""

    name: str
    fault: Callable[[Scene], Awaitable[None]]
    receivers: int = 1
    workers: int = 2
    pace: Pace = field(default_factory=Pace)
    cut: bool = False
    relayed: bool = False
    before: Callable[[Scene], Awaitable[None]] | None = None
    needs: Callable[[], str | None] = lambda: None
    may_refuse: bool = False
    judge: Callable[[Scene], Awaitable[list[str]]] | None = None
    lasts_s: float = 8.0
    around_s: float = 2.0


@dataclass(slots=True)
class Outcome:
    """What came of a row. Times are in seconds after the fault's end; None means not within WATCHED_S."""

    row: Row
    reckoning: Reckoning
    settled_in_30_s: float
    recovered_s: float | None
    all_done_s: float | None
    p99_ms: float
    log_complaints: dict[str, int]
    notes: list[str] = field(default_factory=list)
    skipped: str | None = None

    @classmethod
    def left_out(cls, row: Row, why: str) -> Outcome:
        """The row can't be played here."""
        return cls(row, Reckoning(), 0.0, None, None, 0.0, {}, skipped=why)

    @property
    def failures(self) -> list[str]:
        """Why the row doesn't keep the promise; nothing where it does."""
        if self.skipped:
            return []
        found = list(self.reckoning.complaints)
        if self.all_done_s is None:
            found.append(f"work was left after {WATCHED_S:.0f} s")
        if self.settled_in_30_s < 0.95:
            found.append(f"{self.settled_in_30_s:.1%} settled within 30 s")
        return found + [f"log: {count} x {event}" for event, count in self.log_complaints.items()]


@dataclass(slots=True)
class Scene:
    """What a fault can lay its hands on."""

    servers: Servers
    dsn: str
    folder: Path
    lidarr: LidarrSimulator
    receivers: list[Member]
    workers: list[Member]
    load: Load
    cutter: Cutter | None = None
    relay: Relay | None = None
    cleanup: AsyncExitStack = field(default_factory=AsyncExitStack)
    notes: list[str] = field(default_factory=list)
    figures: dict[str, float] = field(default_factory=dict)
    lasts_s: float = 8.0

    @property
    def data_dir(self) -> Path:
        return self.folder / "data"

    async def query(self, statement: str, *arguments: object) -> list[asyncpg.Record]:
        """Ask the row's own database."""
        return await self.servers.query(self.dsn, statement, *arguments)


@asynccontextmanager
async def staged(row: Row, servers: Servers, folder: Path) -> AsyncIterator[Scene]:
    """Everything that a row needs, not yet started but for servers and peer."""
    async with AsyncExitStack() as stack:
        dsn = await stack.enter_async_context(servers.databases.new_database())
        async with Redis.from_url(servers.valkey.url) as redis:
            await redis.flushall()
        lidarr = LidarrSimulator(api_key=_KEY)
        lidarr.control(pace=0.3)
        lidarr_url = await stack.enter_async_context(lidarr.serve())
        cut = await stack.enter_async_context(cutter(_postgres_socket(servers))) if row.cut else None
        relay = await stack.enter_async_context(relay_to(str(servers.valkey.socket))) if row.relayed else None
        environment = {
            "DATABASE_URL": _through(cut, dsn) if cut else dsn,
            "REDIS_URL": _relayed(relay, servers.valkey.url) if relay else servers.valkey.url,
            "REPRISE_HOST": "127.0.0.1",
            "REPRISE_DATA_DIR": str(folder / "data"),
            "REPRISE_ADMIN_TOKEN": _TOKEN,
            "REPRISE_WEBHOOK_SECRET": _SECRET,
            "REPRISE_SECRET_KEY": "secret-key-of-the-fault-matrix-012345",
            "REPRISE_LOG_FORMAT": "json",
            "REPRISE_SETTING_OBSERVE_INTERVAL": "5",
            "LIDARR_URL": lidarr_url,
            "LIDARR_API_KEY": _KEY,
        }
        receivers = [Member("ingest", dict(environment), folder / f"ingest-{n}.log") for n in range(row.receivers)]
        workers = [Member("worker", dict(environment), folder / f"worker-{n}.log") for n in range(row.workers)]
        load = Load([one.url for one in receivers], _SECRET, _TOKEN, lidarr, row.pace)
        cleanup = await stack.enter_async_context(AsyncExitStack())
        yield Scene(servers, dsn, folder, lidarr, receivers, workers, load, cut, relay, cleanup, lasts_s=row.lasts_s)


async def play(row: Row, servers: Servers, folder: Path) -> Outcome:
    """Load, fault, load; then wait until all is well, stop everybody, and reckon."""
    if missing := row.needs():
        return Outcome.left_out(row, missing)
    async with staged(row, servers, folder) as scene:
        members = [*scene.receivers, *scene.workers]
        try:
            if row.before:
                await row.before(scene)
            for member in members:
                if not member.running:
                    member.start()
            await asyncio.gather(*(member.ready() for member in members))
            async with scene.load.opened():
                async with scene.load.flowing():
                    await asyncio.sleep(row.around_s)
                    await row.fault(scene)
                    flowed = asyncio.Event()
                    watching = asyncio.create_task(_watch(scene, flowed))
                    await asyncio.sleep(row.around_s)
                flowed.set()
                share, recovered_s, all_done_s = await watching
        finally:
            codes = await asyncio.gather(*(member.stop() for member in members))
        reckoning = await reckon(scene.dsn, scene.load)
        if row.judge:
            reckoning.complaints += await row.judge(scene)
        if any(codes):
            reckoning.complaints.append(f"exit codes {codes}")
        refused = [one.status for one in scene.load.sent if one.status is not None and not one.acknowledged]
        if refused and not row.may_refuse:
            reckoning.complaints.append(f"{len(refused)} refused: {sorted(set(refused))}")
        took = sorted(one.took_s for one in scene.load.sent if one.acknowledged)
        p99_ms = took[int(len(took) * 0.99)] * 1000 if took else 0.0
        logs = complaints_in([member.log for member in members])
        return Outcome(row, reckoning, share, recovered_s, all_done_s, p99_ms, logs, scene.notes)


async def every(seconds: float, lasts_s: float, do: Callable[[], Awaitable[object]]) -> None:
    """Do it every so often until the fault is over."""
    loop = asyncio.get_running_loop()
    ends = loop.time() + lasts_s
    while loop.time() < ends:
        await do()
        await asyncio.sleep(seconds)


async def _watch(scene: Scene, flowed: asyncio.Event) -> tuple[float, float | None, float | None]:
    """From now, when the fault is over: the share of what is acknowledged by now that was settled within 30 s, when
    it reached 95 %, and when nothing at all was left to do."""
    ended, share, recovered_s = time.monotonic(), 0.0, None
    promised = {one.event_id for one in scene.load.sent if one.event_id}
    while (passed := time.monotonic() - ended) < WATCHED_S:
        try:
            row = (await scene.query(_SETTLED, list(promised)))[0]
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            await asyncio.sleep(_POLL_S)
            continue
        now = row["settled"] / max(1, len(promised))
        if passed <= 30:
            share = now
        if recovered_s is None and now >= 0.95:
            recovered_s = passed
        if now >= 1 and not row["open"] and flowed.is_set() and scene.load.idle:
            return share, recovered_s, passed
        await asyncio.sleep(_POLL_S)
    return share, recovered_s, None


def _postgres_socket(servers: Servers) -> str:
    return str(servers.layout.sockets / ".s.PGSQL.5432")


def _through(cut: Cutter, dsn: str) -> str:
    parts = urlsplit(dsn)
    return parts._replace(netloc=f"{parts.netloc.split('@')[0]}@127.0.0.1:{cut.port}", query="").geturl()


def _relayed(relay: Relay, url: str) -> str:
    return f"redis://{urlsplit(url).netloc.split('@')[0]}@127.0.0.1:{relay.port}/0"
