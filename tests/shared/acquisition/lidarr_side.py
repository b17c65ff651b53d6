"""Lidarr's side of a story, where its API is asked: what its history holds, and what our effects would find there.

The effects themselves are tested elsewhere, against the simulator; here their findings are fed in by hand.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from uuid import UUID

import msgspec

from shared.acquisition.commands import (
    AbandonDownload,
    CheckAlbum,
    Command,
    EnsureAlbum,
    FollowSearch,
    ObservePeer,
    RollUpBatch,
    SearchAlbum,
)
from shared.acquisition.findings import AlbumChecked, AlbumReady, DownloadAbandoned, SearchFinished, SearchStarted
from shared.acquisition.model import Acquisition
from shared.acquisition.signals import Signal
from shared.acquisition.store import read_acquisitions
from shared.eventlog.event import Delivery
from shared.eventlog.identity import uuid7
from tests.shared.acquisition.ledger import Ledger, own
from tests.shared.acquisition.slskd_side import SlskdSide


@dataclass(frozen=True, slots=True)
class Brought:
    """What a search of Lidarr's brings: tracks that are there then, what its history says, and what its webhooks do."""

    tracks: int
    rows: list[Delivery]
    webhooks: list[Delivery] = field(default_factory=list)


@dataclass(slots=True)
class LidarrSide:
    """files: how many of ten tracks of an album are there by now. finds: what the next searches find.

    brings: what each search that finds something leads to, instead. soulseek: who plays slskd. What webhooks say comes
    through `hears`, which may lose, double or shuffle it.
    """

    rows: list[Delivery] = field(default_factory=list)
    files: dict[UUID, int] = field(default_factory=dict)
    finds: dict[UUID, list[int]] = field(default_factory=dict)
    brings: dict[UUID, list[Callable[[], Brought]]] = field(default_factory=dict)
    said: list[Delivery] = field(default_factory=list)
    floor: int = 0
    soulseek: SlskdSide | None = None
    hears: Callable[[list[Delivery]], list[Delivery]] = list

    async def serve(
        self,
        ledger: Ledger,
        *,
        sizes: Sequence[int] = (200,),
        dice: random.Random | None = None,
        holding: Sequence[str] = (),
    ) -> None:
        """Fold and carry out commands until nothing is left to do but what is held back, by kind."""
        for _ in range(60):
            await ledger.drain(sizes)
            rows = await ledger.pool.fetch(
                """UPDATE commands SET state = 'done', finished_at = now()
                WHERE state = 'waiting' AND kind <> ALL ($1::text[]) RETURNING args""",
                list(holding),
            )
            commands = [msgspec.convert(row["args"], Command) for row in rows]
            if not commands:
                return
            if dice:
                dice.shuffle(commands)
            for command in commands:
                await ledger.post(*self.answer(command, *await _known(command, ledger)))
                if said := self.hears(self.take_said()):
                    await ledger.post(*(replace(one, id=uuid7(), received_at=datetime.now(UTC)) for one in said))
        raise AssertionError("it goes on and on")

    def take_said(self) -> list[Delivery]:
        """What webhooks of both peers have told since this was asked last."""
        said, self.said = self.said, []
        if self.soulseek:
            said, self.soulseek.said = said + self.soulseek.said, []
        return said

    def answer(self, command: Command, known: Acquisition | None, blocked: set[tuple[str, str]]) -> list[Delivery]:
        """What the effect of a command would append. known: what it's about; blocked: (peer, folder) to leave out."""
        match command:
            case EnsureAlbum(acquisition_id=of, album_mbid=album):
                return self._say(
                    AlbumReady(
                        acquisition_id=of,
                        lidarr_album_id=int(str(album)[-3:]),
                        track_file_count=self.files.get(album, 0),
                        track_count=10,
                        history_floor=self.floor,
                    )
                )
            case SearchAlbum(acquisition_id=of, attempt=attempt):
                return self._say(SearchStarted(acquisition_id=of, attempt=attempt, command_id=attempt))
            case FollowSearch(acquisition_id=of, attempt=attempt):
                assert known is not None
                album = known.album_mbid
                if coming := self.brings.get(album):
                    brought = coming.pop(0)()
                    self.files[album] = max(brought.tracks, self.files.get(album, 0))
                    self.rows += brought.rows
                    self.said += brought.webhooks
                    return self._say(SearchFinished(acquisition_id=of, attempt=attempt, found=1))
                finds = self.finds.get(album, [])
                return self._say(SearchFinished(acquisition_id=of, attempt=attempt, found=finds.pop(0) if finds else 0))
            case CheckAlbum(acquisition_id=of, album_mbid=album):
                return self._say(
                    AlbumChecked(acquisition_id=of, track_file_count=self.files.get(album, 0), track_count=10)
                )
            case AbandonDownload(acquisition_id=of, attempt=attempt):
                return self._say(DownloadAbandoned(acquisition_id=of, attempt=attempt, dropped=False))
            case ObservePeer(peer="lidarr"):
                return list(self.rows)
            case RollUpBatch():
                return []
        assert self.soulseek is not None
        return self.soulseek.answer(command, known, blocked)

    def _say(self, signal: Signal) -> list[Delivery]:
        return [own(signal)]


async def _known(command: Command, ledger: Ledger) -> tuple[Acquisition | None, set[tuple[str, str]]]:
    """The acquisition that a command is about, and what is never tried again for its album."""
    of = getattr(command, "acquisition_id", None)
    if of is None:
        return None, set()
    async with ledger.pool.acquire() as connection:
        (known,) = await read_acquisitions(connection, [of])
        rows = await connection.fetch("SELECT peer, folder FROM blocklist WHERE album_mbid = $1", known.album_mbid)
    return known, {(row["peer"], row["folder"]) for row in rows}
