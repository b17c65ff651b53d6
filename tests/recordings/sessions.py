"""The sessions that are recorded for the tests, each through the command itself, in front of a simulated peer."""

from __future__ import annotations

import asyncio
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID, uuid4

from ingest.api import add_api
from ingest.serve import listening
from reprise.simulator import LidarrSimulator, SlskdSimulator
from shared.config import Config, Secret
from shared.postgres.pool import Pool
from tests.harness.processes import clean_environment, environ_of, free_port
from tests.harness.waiting import until
from tests.journeys.stage import Json, Stage
from tests.recordings.stage import staged
from worker.clients.slskd import SlskdClient
from worker.clients.slskd_transfers import Transfer

_ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")

LIDARR_KEY, SLSKD_KEY = "key-of-the-simulated-lidarr", "key-of-the-simulated-slskd"
ARTIST, TITLE = "Mirela Tandoş Quartet", "Evenings in Reykjavík"
TRACKS = ["Harbour Lamps", "Ninth Swell", "Salt & Snow"]
USER = "vinyl_hoarder77"
HOST = "nas-klrk.example.org"
ROOT = "/volume9/klrktunes"
REASON = "Not enough repair blocks"
FOLDER = f"@@mhqxa\\Music\\{ARTIST}\\{TITLE} (2017) [FLAC]"


async def record_lidarr(config: Config, pool: Pool, to: Path, *options: str) -> Json:
    """An album is asked for and grabbed; the download fails; the next one is imported. Returns how it ended."""
    album = uuid4()
    config = replace(config, port=free_port())
    lidarr = LidarrSimulator(api_key=LIDARR_KEY)
    async with lidarr.serve() as url:
        lidarr.control(
            album={"album_mbid": str(album), "title": TITLE, "artist_name": ARTIST, "tracks": TRACKS},
            plan={"album_mbid": str(album), "attempts": ["fail", "import"], "reason": REASON},
            auto_redownload_failed=False,
            pace=0.3,
            root_folders=[ROOT],
            application_url=f"http://{HOST}:8686",
        )
        told = replace(config, lidarr_url=url, lidarr_api_key=Secret(LIDARR_KEY))
        async with recorder("lidarr", told, to, *options) as address:
            assert config.webhook_secret
            hooks = {"url": f"{address}/webhooks/lidarr", "secret": config.webhook_secret.reveal()}
            lidarr.control(webhooks=hooks)
            async with staged(config, pool, lidarr=lidarr, url=address, key=LIDARR_KEY) as stage:
                await stage.ask(album)
                return await end_of(stage, album)


async def end_of(stage: Stage, album: UUID) -> Json:
    """How it ended, in words that are no names: the job, what was done at Lidarr, what was told and what it meant."""
    job = await stage.job_in(album, "completed", "failed")
    for _ in range(2):
        await stage.settled()
        await stage.look()
    await stage.settled()
    history = (await stage.get(f"/api/v1/jobs/{job['id']}"))["history"]
    events = (await stage.get("/api/v1/events?source=lidarr&limit=200"))["items"]
    return {
        **{name: job[name] for name in ("state", "attempts", "source", "reason")},
        "acts": [f"{call.method} {call.path}" for call in stage.mutations()],
        "events": sorted(f"{one['type']} {one['state']}" for one in events),
        "signals": sorted({one["signal"] for one in history}),
    }


async def record_slskd(config: Config, to: Path, *options: str) -> Downloaded:
    """An album is searched for, and downloaded from the one who has it."""
    config = replace(config, port=free_port())
    slskd = SlskdSimulator(api_key=SLSKD_KEY)
    async with slskd.serve() as url, listening(config, add_api):
        names = [f"{number:02d} - {title}.flac" for number, title in enumerate(TRACKS, 1)]
        slskd.control(
            peer={"username": USER, "folders": [{"path": FOLDER, "files": names}]}, downloads_dir=f"{ROOT}/soulseek"
        )
        told = replace(config, slskd_url=url, slskd_api_key=Secret(SLSKD_KEY))
        async with recorder("slskd", told, to, *options) as address:
            assert config.webhook_secret
            secret = config.webhook_secret.reveal()
            slskd.control(webhooks={"url": f"{address}/webhooks/slskd", "secret": secret})
            done = await download(address, SLSKD_KEY, f"{ARTIST} {TITLE}")
            await slskd.quiet()
            return done


@dataclass(frozen=True, slots=True)
class Downloaded:
    """What came of a download, in words that are no names."""

    offered: int
    taken: int
    in_destination: bool
    states: tuple[str, ...]
    events: tuple[str, ...]


async def download(url: str, key: str, text: str) -> Downloaded:
    """Search, enqueue everything that the first peer has, wait for it, read the events. Ids are new every time."""
    client = SlskdClient(url, Secret(key))
    search_id, batch_id = uuid4(), uuid4()
    try:
        assert (await client.server()).is_logged_in
        await client.start_search(search_id, text)

        async def searched() -> bool:
            search = await client.search(search_id)
            return search is not None and search.is_complete

        await until(searched, what="the end of the search")
        (response, *_) = await client.responses(search_id)
        files = [(file.filename, file.size) for file in response.files]
        enqueued = await client.enqueue(
            response.username, files, batch_id=batch_id, destination="job-1", search_id=search_id
        )

        async def over() -> tuple[Transfer, ...]:
            transfers = await client.batch(batch_id) or ()
            return transfers if transfers and all(one.is_over for one in transfers) else ()

        transfers = await until(over, what="the end of the transfers")
        assert await client.delete_search(search_id)
        page = await client.events()
    finally:
        await client.close()
    return Downloaded(
        offered=len(files),
        taken=len(enqueued.taken),
        in_destination=enqueued.in_destination,
        states=tuple(sorted(one.state for one in transfers)),
        events=tuple(sorted(event.type for event in page.events)),
    )


@asynccontextmanager
async def recorder(peer: str, config: Config, to: Path, *options: str) -> AsyncIterator[str]:
    """`reprise record` as a process of its own, until the context ends; yields its address."""
    words = ("record", peer, "--to", str(to), "--port", "0", *options)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "reprise", *words),
        env=clean_environment() | environ_of(config),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout
    assert process.stderr
    try:
        said = ""
        while not (found := _ADDRESS.search(said)):
            line = await process.stderr.readline()
            assert line, f"the recorder ended: {said}"
            said += line.decode()
        yield found[0]
        process.send_signal(signal.SIGINT)
        out, rest = await process.communicate()
        assert process.returncode == 0, said + rest.decode()
        assert b"Scrubbed" in out
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
