"""Soulseek's side of a story: who offers an album, what becomes of each one's files, and what slskd says of them.

Like Lidarr's side it plays what our effects would find; the effects themselves are tested elsewhere.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID, uuid5

from shared.acquisition.candidate import Candidate, WantedFile
from shared.acquisition.commands import (
    Command,
    DropTransfers,
    EnqueueDownload,
    FollowImport,
    FollowSoulseekSearch,
    ImportAlbum,
    ObservePeer,
    RemoveLeftovers,
    SearchSoulseek,
)
from shared.acquisition.findings import (
    DownloadEnqueued,
    ImportEnded,
    ImportRefused,
    ImportStarted,
    LeftoversRemoved,
    SoulseekSearched,
    SoulseekSearchStarted,
    TransfersDropped,
    TransfersFailed,
)
from shared.acquisition.model import Acquisition, Attempt
from shared.acquisition.signals import Signal
from shared.eventlog.event import Delivery
from tests.shared.acquisition.cast import Cast
from tests.shared.acquisition.ledger import own, webhook

_MIB = 1024**2
_NAMES = UUID(int=4)


class Fate(StrEnum):
    """What becomes of a peer's files."""

    WHOLE = "whole"  # they arrive and are the album
    HALF = "half"  # they arrive, and half of the tracks come in
    ANOTHER = "another"  # they arrive, and Lidarr finds that they are another album
    REJECTED = "rejected"  # one of them never arrives


@dataclass(slots=True)
class SlskdSide:
    """offers: (peer, fate) by album, the best first. said: what webhooks tell, until somebody takes it; slskd keeps it
    among its events. files: how many of ten tracks Lidarr has; rows: what its history says of our imports."""

    casts: dict[UUID, Cast]
    offers: dict[UUID, list[tuple[str, Fate]]]
    files: dict[UUID, int]
    rows: list[Delivery]
    batches: bool = True
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(500))
    said: list[Delivery] = field(default_factory=list)
    events: list[Delivery] = field(default_factory=list)
    enqueued: list[tuple[UUID, int]] = field(default_factory=list)
    dropped: set[tuple[UUID, int]] = field(default_factory=set)
    _rejected: list[TransfersFailed] = field(default_factory=list)

    def answer(self, command: Command, known: Acquisition | None, blocked: set[tuple[str, str]]) -> list[Delivery]:
        """What the effect of a command would append; blocked: (peer, folder) of what failed for the album before."""
        if isinstance(command, ObservePeer):
            return self.answer_look()
        assert known is not None
        found = self._found(command, known, blocked)
        return [] if found is None else [own(found)]

    def answer_look(self) -> list[Delivery]:
        """What a look at slskd finds: every event that it keeps, and the transfers that failed."""
        return [*self.events, *(own(one) for one in self._rejected)]

    def _found(self, command: Command, known: Acquisition, blocked: set[tuple[str, str]]) -> Signal | None:
        match command:
            case SearchSoulseek(acquisition_id=of, attempt=attempt, rung=rung):
                search = uuid5(of, f"{attempt} {rung}")
                return SoulseekSearchStarted(
                    acquisition_id=of, attempt=attempt, rung=rung, text=f"text {rung}", search_id=search
                )
            case FollowSoulseekSearch(acquisition_id=of, attempt=attempt, rung=rung, text=text, max_bytes=most):
                # Found by the last of its texts.
                best = self._best(known, blocked, most) if rung == 1 else None
                return SoulseekSearched(
                    acquisition_id=of, attempt=attempt, rung=rung, rungs=2, text=text, responses=1, candidate=best
                )
            case EnqueueDownload(acquisition_id=of, attempt=attempt):
                found = _attempt(known, attempt)
                self._download(known, found)
                return DownloadEnqueued(acquisition_id=of, attempt=attempt, taken=len(found.files))
            case ImportAlbum(acquisition_id=of, attempt=attempt):
                if self._fate(known, attempt) is Fate.ANOTHER:
                    return ImportRefused(acquisition_id=of, attempt=attempt, reason="another album")
                return ImportStarted(acquisition_id=of, attempt=attempt, command_id=attempt)
            case FollowImport(acquisition_id=of, attempt=attempt):
                return self._imported(known, attempt)
            case DropTransfers(acquisition_id=of, attempt=attempt):
                self.dropped.add((of, attempt))
                return TransfersDropped(acquisition_id=of, attempt=attempt, cancelled=0, removed=2)
            case RemoveLeftovers(acquisition_id=of, attempt=attempt):
                return LeftoversRemoved(acquisition_id=of, attempt=attempt, outcome="removed", size_bytes=0)
        return None

    def _best(self, known: Acquisition, blocked: set[tuple[str, str]], most: int | None) -> Candidate | None:
        offered = (candidate(self.casts[known.album_mbid], peer) for peer, _ in self.offers.get(known.album_mbid, []))
        fitting = (one for one in offered if most is None or one.size_bytes <= most)
        return next((one for one in fitting if (one.username, one.folder) not in blocked), None)

    def _fate(self, known: Acquisition, number: int) -> Fate:
        return dict(self.offers[known.album_mbid])[_attempt(known, number).peer or ""]

    def _download(self, known: Acquisition, attempt: Attempt) -> None:
        self.enqueued.append((known.id, attempt.number))
        wanted = list(attempt.files)
        if self._fate(known, attempt.number) is Fate.REJECTED:
            wanted.pop()
            failed = TransfersFailed(acquisition_id=known.id, attempt=attempt.number, reason="rejected")
            self._rejected.append(failed)
        told = [file_event(attempt, file, batch=self.batches) for file in wanted]
        self.events += told
        self.said += told

    def _imported(self, known: Acquisition, number: int) -> ImportEnded:
        album, cast = known.album_mbid, self.casts[known.album_mbid]
        came = 10 if self._fate(known, number) is Fate.WHOLE else 5
        self.files[album] = max(came, self.files.get(album, 0))
        # An import by hand leaves rows of its files alone, and they bear no id.
        self.rows.append(cast.row(next(self.numbers), "trackFileImported", None, int(str(album)[-3:])))
        return ImportEnded(
            acquisition_id=known.id,
            attempt=number,
            successful=True,
            message="",
            track_file_count=self.files[album],
            track_count=10,
        )


def _attempt(known: Acquisition, number: int) -> Attempt:
    return next(one for one in known.attempts if one.number == number)


def candidate(cast: Cast, peer: str, *, album: int = 501, tracks: int = 2) -> Candidate:
    """A peer's folder of the album."""
    folder = f"@@{peer}\\Example Ensemble\\Album {album} {cast.copy}"
    files = tuple(WantedFile(f"{folder}\\{number:02}.flac", 10 * _MIB) for number in range(1, tracks + 1))
    return Candidate(username=peer, folder=folder, files=files, format="flac", score=1.0, explanation=("the album",))


def file_event(attempt: Attempt, file: WantedFile, *, batch: bool = True) -> Delivery:
    """slskd's event for an arrived file of an attempt; the same one however often it's asked for."""
    event = uuid5(_NAMES, f"{attempt.download_id} {file.filename}")
    transfer = {"id": str(uuid5(event, "transfer")), "username": attempt.peer, "filename": file.filename}
    body = {
        "type": "DownloadFileComplete",
        "id": str(event),
        "localFilename": f"/downloads/{attempt.number}/{file.filename.rpartition(chr(92))[2]}",
        "remoteFilename": file.filename,
        "transfer": {**transfer, "size": file.size_bytes, **({"batchId": attempt.download_id} if batch else {})},
    }
    return webhook(json.dumps(body).encode(), "slskd")
