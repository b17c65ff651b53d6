"""A whole Reprise in one process, with a simulated Lidarr: every word between them goes over real HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

import aiohttp

from ingest.api import add_api
from ingest.serve import listening
from reprise.simulator import Disk, LidarrSimulator, SlskdSimulator
from reprise.simulator.peer import Call
from shared.acquisition.commands import ObservePeer, coalesce_key
from shared.config import Config, Secret
from shared.postgres.pool import Pool
from shared.redis import RedisLink
from shared.taskqueue import WakeUps
from tests.harness.waiting import until
from worker.serve import Worker, working

Json = dict[str, Any]

# Ordered for a week from now: journeys don't wait for it.
_FOR_DAYS = "RemoveLeftovers"


@dataclass(slots=True)
class Stage:
    """The hands of a journey: ask through the API, turn Lidarr's knobs, wait for what must come."""

    url: str
    http: aiohttp.ClientSession
    lidarr: LidarrSimulator
    slskd: SlskdSimulator
    pool: Pool
    secret: str
    wake_ups: WakeUps
    workers: list[Worker]

    async def ask(self, album: UUID, *, user: str = "me", title: str = "First Light", status: int = 201) -> Json:
        """Ask for an album."""
        wish = {
            "user_id": user,
            "album_mbid": str(album),
            "artist_name": "Example Ensemble",
            "album_title": title,
        }
        async with self.http.post("/api/v1/jobs", json=wish) as answer:
            assert answer.status == status, await answer.text()
            job: Json = await answer.json()
            return job

    async def get(self, path: str) -> Json:
        """GET from the API."""
        async with self.http.get(path) as answer:
            assert answer.status == 200, await answer.text()
            found: Json = await answer.json()
            return found

    async def send(self, path: str, body: Json | None = None, *, status: int) -> Json:
        """POST to the API."""
        async with self.http.post(path, json=body or {}) as answer:
            assert answer.status == status, await answer.text()
            found: Json = await answer.json()
            return found

    async def job(self, album: UUID) -> Json | None:
        """The newest job for an album, or None."""
        found = await self.get(f"/api/v1/jobs?album_mbid={album}")
        return found["items"][0] if found["items"] else None

    async def job_in(self, album: UUID, *states: str) -> Json:
        """Wait until the album's newest job is in one of these states."""

        async def check() -> Json | None:
            await self.hurry()
            job = await self.job(album)
            return job if job and job["state"] in states else None

        return await until(check, what=f"job {' or '.join(states)}")

    async def settled(self) -> None:
        """Wait until Lidarr is quiet and nothing is left to fold or to do."""

        async def check() -> bool:
            await self.lidarr.quiet()
            await self.slskd.quiet()
            await self.hurry()
            return not await self.pool.fetchval(
                "SELECT EXISTS (SELECT 1 FROM event_status WHERE state = 'waiting')"
                " OR EXISTS (SELECT 1 FROM commands WHERE state IN ('waiting', 'running') AND kind <> $1"
                # A look at a peer that is away waits for it without end.
                " AND (kind <> 'ObservePeer' OR last_error IS NULL))",
                _FOR_DAYS,
            )

        await until(check, what="everything to be settled")

    async def hurry(self) -> None:
        """Let everything that waits for its time be due: journeys have no patience."""
        hurried = await self.pool.execute(
            "UPDATE commands SET due_at = now() WHERE state = 'waiting' AND due_at > now() AND kind <> $1", _FOR_DAYS
        )
        if hurried != "UPDATE 0":
            self.wake_ups.offer("execute")

    async def look(self) -> None:
        """Have a worker look at both peers now, as it does every minute."""
        for peer in ("lidarr", "slskd"):
            look = ObservePeer(peer=peer)
            await self.pool.execute(
                "INSERT INTO commands (id, kind, coalesce_key, args, due_at, created_at) VALUES "
                "(gen_random_uuid(), 'ObservePeer', $1, $2, now(), now())"
                " ON CONFLICT (coalesce_key) WHERE state = 'waiting' DO NOTHING",
                coalesce_key(look),
                look,
            )
        self.wake_ups.offer("execute")

    async def set(self, **settings: Any) -> None:
        """Change settings through the API, and wait until the worker in this process has taken them over."""
        for name, value in settings.items():
            async with self.http.put(f"/api/v1/settings/{name}", json={"value": value}) as answer:
                assert answer.status == 200, await answer.text()
        for worker in self.workers:
            assert worker.settings
            await worker.settings.refresh()

    def searches(self) -> list[Call]:
        """The searches that we asked Lidarr for."""
        return [call for call in self.mutations("/api/v1/command") if call.body["name"] == "AlbumSearch"]

    def mutations(self, *paths: str) -> list[Call]:
        """The calls that changed Lidarr, by method and path; that it tries a connection changes nothing."""
        return [
            call
            for call in self.lidarr.calls
            if call.method != "GET" and (call.path in paths if paths else call.path != "/api/v1/notification/test")
        ]


@asynccontextmanager
async def staged(config: Config, pool: Pool, *, workers: int = 1, soulseek: bool = False) -> AsyncIterator[Stage]:
    """A stage with a receiver and workers, and a Lidarr that sends its webhooks here.

    soulseek: a slskd is configured, too, and what it downloads Lidarr sees.
    """
    disk = Disk()
    lidarr = LidarrSimulator(api_key="key-of-the-simulated-lidarr", disk=disk)
    slskd = SlskdSimulator(api_key="key-of-the-simulated-slskd", disk=disk)
    async with AsyncExitStack() as stack:
        lidarr_url = await stack.enter_async_context(lidarr.serve(port=0))
        slskd_url = await stack.enter_async_context(slskd.serve(port=0))
        config = replace(config, lidarr_url=str(lidarr_url), lidarr_api_key=Secret("key-of-the-simulated-lidarr"))
        if soulseek:
            config = replace(config, slskd_url=str(slskd_url), slskd_api_key=Secret("key-of-the-simulated-slskd"))
        port = await stack.enter_async_context(listening(config, add_api))
        url = f"http://127.0.0.1:{port}"
        assert config.webhook_secret
        assert config.admin_token
        secret = config.webhook_secret.reveal()
        lidarr.control(webhooks={"url": f"{url}/webhooks/lidarr", "secret": secret})
        slskd.control(webhooks={"url": f"{url}/webhooks/slskd", "secret": secret})
        fleet = [await stack.enter_async_context(working(config, stopping=asyncio.Event())) for _ in range(workers)]
        headers = {"Authorization": f"Bearer {config.admin_token.reveal()}"}
        http = await stack.enter_async_context(aiohttp.ClientSession(url, headers=headers))
        link = RedisLink(config.redis_url)
        stack.push_async_callback(link.close)
        wake_ups = WakeUps(link)
        stack.push_async_callback(wake_ups.close)
        yield Stage(
            url=url, http=http, lidarr=lidarr, slskd=slskd, pool=pool, secret=secret, wake_ups=wake_ups, workers=fleet
        )


def new_album() -> UUID:
    """An album nobody has asked for yet; the simulated Lidarr knows any."""
    return uuid4()
