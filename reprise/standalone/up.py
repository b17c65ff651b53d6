"""`reprise up`: everything on one machine, started in order, kept running, stopped in the opposite order."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import aiohttp
import asyncpg
import structlog

from reprise.backup.before import migrate_after_backup
from reprise.standalone import attach, ports
from reprise.standalone.addresses import addresses
from reprise.standalone.cluster import is_founded
from reprise.standalone.instance import only_instance
from reprise.standalone.layout import Layout, prepare, write_private
from reprise.standalone.postgres import Postgres
from reprise.standalone.problems import CannotStart
from reprise.standalone.program import Program, end_orphans
from reprise.standalone.secrets import complete
from reprise.standalone.supervisor import Supervisor
from reprise.standalone.valkey import Valkey
from reprise.standalone.welcome import welcome
from shared.config import Config, Secret
from shared.errors import Unavailable
from shared.telemetry.logging import protect

if TYPE_CHECKING:
    from reprise.standalone.demo import Demo

log = structlog.get_logger(__name__)

_POLL_S = 0.05
_REPORT_EVERY_S = 10.0
_DIRECT_WITHIN_S = 10.0
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


async def up(
    config: Config,
    *,
    workers: int = 1,
    demo: bool = False,
    environ: Mapping[str, str] | None = None,
    say: Callable[[str], None] = print,
) -> int:
    """Run until a signal comes, and return the exit code: 0 stopped, 78 if the children refuse the config.

    Raises CannotStart for what a person must put right. Embedded servers stand in for DATABASE_URL and REDIS_URL
    where these are unset. The demo has servers and a folder of its own, and touches nothing else. `environ` goes on to
    the children. A second signal hurries. Call it in the main thread, with logging configured.
    """
    environ = dict(os.environ if environ is None else environ)
    if demo:
        config = replace(config, data_dir=attach.demo_folder(config.data_dir), database_url=None, redis_url=None)
        for name in ("DATABASE_URL", "DATABASE_URL_FILE", "REDIS_URL", "REDIS_URL_FILE"):
            environ.pop(name, None)
    stop, hurry = asyncio.Event(), asyncio.Event()

    def asked(sig: signal.Signals) -> None:
        log.info("up.stopping" if not stop.is_set() else "up.hurrying", signal=sig.name)
        (hurry if stop.is_set() else stop).set()

    loop = asyncio.get_running_loop()
    for sig in _STOP_SIGNALS:
        loop.add_signal_handler(sig, asked, sig)
    try:
        layout = prepare(config.data_dir)
        with only_instance(layout):
            house = _House(
                layout,
                config,
                workers=workers,
                demo=demo,
                environ=environ,
                say=say,
            )
            return await house.run(stop, hurry)
    finally:
        for sig in _STOP_SIGNALS:
            loop.remove_signal_handler(sig)


class _House:
    """What one run of `up` holds together."""

    def __init__(
        self,
        layout: Layout,
        config: Config,
        *,
        workers: int,
        demo: bool,
        environ: dict[str, str],
        say: Callable[[str], None],
    ) -> None:
        self._layout = layout
        self._config = config
        self._workers = workers
        self._demo = demo
        self._environ = environ
        self._say = say
        self._supervisor = Supervisor()
        self._story: asyncio.Task[None] | None = None

    async def run(self, stop: asyncio.Event, hurry: asyncio.Event) -> int:
        """Bring everything up, wait for the end of it, and take it down again."""
        opening = asyncio.create_task(self._open())
        stopped = asyncio.create_task(stop.wait())
        given_up = asyncio.create_task(self._supervisor.given_up())
        try:
            await asyncio.wait({opening, stopped, given_up}, return_when=asyncio.FIRST_COMPLETED)
            if opening.done():
                await opening
                await asyncio.wait({stopped, given_up}, return_when=asyncio.FIRST_COMPLETED)
            return given_up.result() if given_up.done() else 0
        finally:
            for task in (opening, stopped, given_up):
                task.cancel()
            await asyncio.wait({opening})
            if self._story is not None:
                self._story.cancel()
            attach.withdraw(self._layout)
            await self._supervisor.stop(hurry)
            self._layout.tidy()
            log.info("up.stopped")

    async def _open(self) -> None:
        completed = complete(self._config, self._layout)
        protect(*completed.config.secret_values())
        await end_orphans(self._layout)
        port = self._config.port or ports.free_port(self._config.host)
        self._check_ports(port)
        servers = self._servers()
        urls: dict[str, Any] = {name: url for name, (_, url) in servers.items()}
        config = replace(completed.config, **urls)
        environment = self._environ | completed.environment | self._addressed(config, port)
        demo: Demo | None = None
        if self._demo:
            from reprise.standalone.demo import Demo  # here: the simulators take their time to import

            demo = Demo(config, url=f"http://{_probed(config.host)}:{port}", say=self._say)
            await self._supervisor.start(*demo.parts)
            environment = demo.environment(environment)
            config = demo.config(config)
        receiver = Program("ingest", ["ingest"], layout=self._layout, environment=environment)
        newborn = "database_url" in servers and not is_founded(self._layout)
        if not newborn:
            # First of all, so that no webhook is lost while Postgres recovers: until then it keeps them on disk.
            await self._supervisor.start_front(receiver)
        for server, _ in servers.values():
            await self._supervisor.start(server)
        migrated = await self._migrate(
            replace(self._config, database_url=config.database_url, data_dir=self._layout.data_dir)
        )
        if newborn:  # of which no Lidarr knows yet
            await self._supervisor.start_front(receiver)
        attach.publish(self._layout, config, addresses(config.host, port).here)
        programs = []
        for number, metrics_port in enumerate(self._metrics_ports(), start=1):
            own = environment | {"REPRISE_METRICS_PORT": str(metrics_port)}
            programs.append(Program(f"worker-{number}", ["worker"], layout=self._layout, environment=own))
        await self._supervisor.start(*programs)
        await self._receiver_ready(port, direct=migrated)
        if backup := self._backup(environment):
            await self._supervisor.start(backup)  # after what a newcomer waits for
        self._say(welcome(completed, self._layout, port))
        if demo is not None:
            self._story = asyncio.create_task(demo.play())

    def _check_ports(self, port: int) -> None:
        wanted = [
            (port, "REPRISE_PORT"),
            *((p, "REPRISE_METRICS_PORT") for p in [*self._metrics_ports(), self._backup_port()]),
        ]
        for number, variable in wanted:
            if busy := ports.busy_port(self._config.host, number):
                raise CannotStart(f"{busy}. Free it, or set {variable} to another one")

    def _metrics_ports(self) -> list[int]:
        """One for each worker: consecutive ones, or 0 (any free) for all."""
        first = self._config.metrics_port
        return [first + n if first else 0 for n in range(self._workers)]

    def _backup(self, environment: dict[str, str]) -> Program | None:
        """The child that backs up every night, unless that is turned off; its metrics are beside the workers'."""
        if self._config.backup_hour is None:
            return None
        own = environment | {"REPRISE_METRICS_PORT": str(self._backup_port())}
        return Program("backup", ["backup", "--nightly"], layout=self._layout, environment=own)

    def _backup_port(self) -> int:
        return self._config.metrics_port and self._config.metrics_port + self._workers

    def _servers(self) -> dict[str, tuple[Postgres | Valkey, Secret]]:
        """The servers to start here with their URLs, by the part of the config that they stand in for."""
        servers: dict[str, tuple[Postgres | Valkey, Secret]] = {}
        if self._config.database_url is None:
            postgres = Postgres(self._layout)
            servers["database_url"] = postgres, Secret(postgres.dsn)
        if self._config.redis_url is None:
            valkey = Valkey(self._layout)
            servers["redis_url"] = valkey, Secret(valkey.url)
        return servers

    async def _migrate(self, config: Config) -> bool:
        """Bring the schema up, and say whether it is."""
        try:
            await migrate_after_backup(config, lambda line: log.info("up.migrating", says=line))
        except (OSError, asyncpg.CannotConnectNowError) as error:
            # A server of somebody else's may come later; the children wait for it, and migrate too.
            log.warning("up.database_away", error=str(error))
        except Unavailable as error:
            # Only a running database can be looked at and mended; until then the receiver keeps webhooks on disk.
            log.error("up.schema_refused", error=error.message, hint="see `reprise migrate baseline`")
        except (asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
            raise CannotStart(f"the database can't be brought up to this release: {error}") from error
        else:
            return True
        return False

    def _addressed(self, config: Config, port: int) -> dict[str, str]:
        """The environment by which children find everything. URLs go by file, as they hold passwords."""
        found = {
            "REPRISE_PORT": str(port),
            "REPRISE_DATA_DIR": str(self._layout.data_dir),
            "REPRISE_UP_DATA_DIR": str(self._layout.data_dir),  # by which a later `up` knows its orphans
            # Where we couldn't, the child that makes backups migrates, after one.
            "REPRISE_MIGRATE": "auto" if self._config.backup_hour is None else "wait",
        }
        for name in ("database_url", "redis_url"):
            if getattr(self._config, name) is None:
                path = self._layout.run / name
                path.unlink(missing_ok=True)
                write_private(path, getattr(config, name).reveal())
                found[f"{name.upper()}_FILE"] = str(path)
        return found

    async def _receiver_ready(self, port: int, *, direct: bool) -> None:
        """Wait until it would keep a delivery, for as long as it takes: the supervisor restarts it meanwhile.

        direct: until it keeps it in the database, unless that takes longer than what it has kept on disk explains.
        """
        reported = began = time.monotonic()
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
            while True:
                try:
                    async with session.get(f"http://{_probed(self._config.host)}:{port}/readyz") as answer:
                        late = time.monotonic() - began > _DIRECT_WITHIN_S
                        if answer.status == 200 and (not direct or late or (await answer.json())["status"] == "ready"):
                            return
                        says = f"{answer.status} {(await answer.text())[:200]}"
                except (aiohttp.ClientError, TimeoutError) as error:
                    says = str(error)
                if time.monotonic() - reported > _REPORT_EVERY_S:
                    reported = time.monotonic()
                    log.warning("up.receiver_not_ready", says=says)
                await asyncio.sleep(_POLL_S)


def _probed(host: str) -> str:
    """Where we ourselves reach a server that listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
