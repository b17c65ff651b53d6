"""Effects before simulated peers: an attempt as it stands in Postgres, its files on the disk, and the tools."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from msgspec.structs import replace

from reprise.simulator import Disk, DiskFile, LidarrSimulator, SlskdSimulator
from shared.acquisition.candidate import WantedFile
from shared.acquisition.commands import Command
from shared.acquisition.model import Acquisition
from shared.acquisition.store import read_acquisitions
from shared.settings.registry import Settings
from worker.clients.lidarr import LidarrClient
from worker.clients.lidarr_answers import Album
from worker.clients.slskd import SlskdClient
from worker.effects import EFFECTS
from worker.effects.effect import Found, Tools
from worker.lease import LEASE, Claimed, Term

ALBUM = UUID("00000000-0000-4000-8000-000000000501")
ARTIST, TITLE = "Example Ensemble", "First Light"
TITLES = ("Opening", "Slow Water", "Closing")
REMOTE = f"@@ann\\Music\\{ARTIST}\\{TITLE}"
PEER = "ann"


@dataclass(frozen=True)
class Scene:
    """What slskd saves under /downloads, Lidarr sees as its mounts say."""

    pool: Any
    disk: Disk
    lidarr: LidarrSimulator
    slskd: SlskdSimulator
    lidarr_client: LidarrClient
    slskd_client: SlskdClient

    async def perform(
        self, command: Command, *, age: timedelta = timedelta(), attempts: int = 0, **settings: Any
    ) -> Found:
        """Run the command's effect under a fresh lease, with these settings."""
        claimed = Claimed(
            id=uuid4(),
            command=command,
            acquisition_id=getattr(command, "acquisition_id", None),
            attempts=attempts,
            fence=1,
            age=age,
            term=Term(time.monotonic() + LEASE.total_seconds()),
        )
        tools = Tools(
            pool=self.pool,
            lidarr=self.lidarr_client,
            slskd=self.slskd_client,
            settings=lambda: replace(Settings(), **settings),
        )
        return await EFFECTS[type(command)](command, claimed, tools)

    async def attempt(
        self,
        files: Mapping[str, str | None] | Sequence[WantedFile],
        *,
        state: str = "importing",
        number: int = 1,
        acquisition: UUID | None = None,
        album: UUID = ALBUM,
        lidarr_album_id: int | None = 1,
        leftovers: str | None = None,
    ) -> UUID:
        """An attempt at Soulseek: remote names with the places where slskd has put them. Answers its acquisition."""
        if isinstance(files, Mapping):
            files = [WantedFile(name, 30_000_000, local) for name, local in files.items()]
        home = acquisition or uuid4()
        over = state in ("completed", "failed", "abandoned")
        await self.pool.execute(
            "INSERT INTO acquisitions (id, album_mbid, artist_name, album_title, origin, state, lidarr_album_id,"
            " sequence, created_at, updated_at, finished_at)"
            " VALUES ($1, $2, $3, $4, 'asked', $5, $6, 1, now(), now(), CASE WHEN $7 THEN now() END)"
            " ON CONFLICT (id) DO NOTHING",
            *(home, album, ARTIST, TITLE, "failed" if over else state, lidarr_album_id, over),
        )
        await self.pool.execute(
            "INSERT INTO attempts (acquisition_id, number, source, state, download_id, started_at, grabbed_at,"
            " finished_at, peer, folder, files, leftovers)"
            " VALUES ($1, $2, 'soulseek', $3, $4, now(), clock_timestamp(), CASE WHEN $5 THEN now() END, $6, $7, $8,"
            " $9)",
            *(home, number, state, str(uuid4()), over, PEER, REMOTE, files, leftovers),
        )
        return home

    async def read(self, acquisition: UUID) -> Acquisition:
        """An acquisition as it stands now."""
        async with self.pool.acquire() as connection:
            (found,) = await read_acquisitions(connection, [acquisition])
        return found

    def save(self, *paths: str, album: UUID | str = ALBUM, bad: bool = False, tracks: Sequence[int] = ()) -> None:
        """Files on the disk; their tags say that they are these tracks, or those of this order, of the album."""
        for number, path in zip(tracks or range(1, len(paths) + 1), paths, strict=True):
            self.disk.put(DiskFile(path=path, size=30_000_000, album_mbid=str(album), track=number, bad=bad))

    async def album(self) -> Album:
        """The album as Lidarr has it now."""
        found = await self.lidarr_client.album_by_mbid(str(ALBUM))
        assert found is not None
        return found

    def orders(self) -> list[dict[str, Any]]:
        """The commands that Lidarr was given, by their bodies."""
        return [call.body for call in self.lidarr.calls if (call.method, call.path) == ("POST", "/api/v1/command")]
