"""Downloads of a simulated slskd: queued, acknowledged, transferred and moved, step by step."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import assert_never

from reprise.simulator.clock import Clock, ticks
from reprise.simulator.disk import Disk, DiskFile
from reprise.simulator.knobs import Json
from reprise.simulator.pace import Pace
from reprise.simulator.slskd.events import Events
from reprise.simulator.slskd.network import Network, Outcome

TOOK = timedelta(seconds=30)
QUEUE_PLACE = 17
RETRY_DELAY = timedelta(seconds=5)


@dataclass(slots=True, kw_only=True, eq=False)
class Transfer:
    id: str
    username: str
    filename: str
    size: int
    outcome: Outcome
    requested_at: datetime
    batch_id: str | None = None
    destination: str | None = None
    state: str = "Queued, Locally"
    enqueued_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    next_attempt_at: datetime | None = None
    transferred: int = 0
    place: int | None = None
    exception: str | None = None
    attempts: int = 1
    removed: bool = False

    @property
    def done(self) -> bool:
        return self.state.startswith("Completed")

    @property
    def folder(self) -> str:
        return self.filename.rpartition("\\")[0]

    def to_json(self) -> Json:
        """All fields, nulls included, in the order of the wire; the API leaves the nulls out."""
        took = None if self.started_at is None else (self.ended_at or self.started_at + TOOK) - self.started_at
        speed = self.transferred / took.total_seconds() if took and self.transferred else 0.0
        return {
            "batchId": self.batch_id,
            "id": self.id,
            "username": self.username,
            "direction": "Download",
            "filename": self.filename,
            "size": self.size,
            "state": self.state,
            "requestedAt": ticks(self.requested_at).removesuffix("Z"),  # as slskd writes it: no zone here
            "enqueuedAt": _optional(self.enqueued_at),
            "startedAt": _optional(self.started_at),
            "endedAt": _optional(self.ended_at),
            "bytesTransferred": self.transferred,
            "averageSpeed": speed,
            "placeInQueue": self.place,
            "exception": self.exception,
            "attempts": self.attempts,
            "nextAttemptAt": _optional(self.next_attempt_at),
            "removed": self.removed,
            "bytesRemaining": self.size - self.transferred,
            "elapsedTime": None if took is None else _span(took),
            "percentComplete": 100 * self.transferred / self.size if self.size else 0,
            "remainingTime": _span(timedelta(seconds=(self.size - self.transferred) / speed)) if speed else None,
        }


def _optional(at: datetime | None) -> str | None:
    return None if at is None else ticks(at)


def _span(length: timedelta) -> str:
    hours, rest = divmod(int(length.total_seconds()), 3600)
    return f"{hours:02d}:{rest // 60:02d}:{rest % 60:02d}" + (
        f".{length.microseconds:06d}2" if length.microseconds else ""
    )


Act = Callable[[Transfer], None]


@dataclass(slots=True, kw_only=True)
class Settings:
    downloads_dir: str = "/downloads"
    attempts: int = 1
    directory_events: bool = True
    empty_lists: int = 0
    broken_batches: int = 0
    files_moved: int = 0


class Transfers:
    """Every download, oldest first."""

    def __init__(self, *, clock: Clock, pace: Pace, network: Network, events: Events, disk: Disk) -> None:
        self._clock = clock
        self._pace = pace
        self._network = network
        self._events = events
        self._disk = disk
        self.reset()

    def reset(self) -> None:
        self.all: dict[str, Transfer] = {}
        self.settings = Settings()

    def enqueue(
        self,
        username: str,
        files: Iterable[tuple[str, int]],
        *,
        batch_id: str | None = None,
        destination: str | None = None,
    ) -> tuple[list[Transfer], list[tuple[str, str]]]:
        """Queue files; returns the new transfers, and (filename, message) of those that were not taken."""
        enqueued, failed = [], []
        for filename, size in files:
            same = [one for one in self.all.values() if (one.username, one.filename) == (username, filename)]
            if any(not one.done for one in same):
                failed.append((filename, "Skipped: Already in progress"))
                continue
            for old in same:
                old.removed = True
            transfer = Transfer(
                id=str(uuid.uuid4()),
                username=username,
                filename=filename,
                size=size,
                outcome=self._network.outcome(username, filename),
                requested_at=self._clock.now(),
                batch_id=batch_id,
                destination=destination,
            )
            self.all[transfer.id] = transfer
            enqueued.append(transfer)
            self._later(transfer, self._acknowledge)
        return enqueued, failed

    def shown(self, username: str | None = None, *, removed: bool = False) -> list[Transfer]:
        return [one for one in self.all.values() if (removed or not one.removed) and username in (None, one.username)]

    def cancel(self, transfer: Transfer) -> None:
        if not transfer.done:
            self._end(transfer, "Cancelled", "Cancelled")

    def _later(self, transfer: Transfer, step: Act) -> None:
        self._pace.schedule(partial(self._unless_done, transfer, step))

    async def _unless_done(self, transfer: Transfer, step: Act) -> None:
        revives = transfer.outcome is Outcome.TIMEOUT_THEN_REVIVE and transfer.state == "Completed, TimedOut"
        if not transfer.done or revives:
            step(transfer)

    def _acknowledge(self, transfer: Transfer) -> None:
        """The peer answered the request, or didn't."""
        match transfer.outcome:
            case Outcome.REJECT:
                self._end(transfer, "Rejected", "Transfer rejected: File not shared.")
            case Outcome.CANCEL:
                self._end(transfer, "Cancelled", "Cancelled")
            case Outcome.TIMEOUT:
                self._fail(transfer, "TimedOut", "The peer did not acknowledge the download in time")
            case Outcome.TIMEOUT_THEN_REVIVE:
                self._end(transfer, "TimedOut", "The peer did not acknowledge the download in time")
                self._later(transfer, self._start)
            case Outcome.QUEUED:
                transfer.state, transfer.place = "Queued, Remotely", QUEUE_PLACE
                transfer.enqueued_at = self._clock.now()
            case Outcome.SUCCEED | Outcome.STALL | Outcome.ERROR | Outcome.MOVED_FILE_MISSING:
                transfer.state, transfer.enqueued_at = "Queued, Remotely", self._clock.now()
                self._later(transfer, self._start)
            case _:
                assert_never(transfer.outcome)

    def _start(self, transfer: Transfer) -> None:
        transfer.state, transfer.exception, transfer.ended_at = "InProgress", None, None
        transfer.started_at = self._clock.now()
        transfer.transferred = transfer.size * 2 // 5
        if transfer.outcome is not Outcome.STALL:
            self._later(transfer, self._finish)

    def _finish(self, transfer: Transfer) -> None:
        if transfer.outcome is Outcome.ERROR:
            self._fail(transfer, "Errored", "The peer closed the connection")
            return
        transfer.transferred = transfer.size
        missing = transfer.outcome is Outcome.MOVED_FILE_MISSING
        self._end(transfer, "Succeeded", "The file could not be moved: access denied" if missing else None)
        if not missing:
            self._deliver(transfer)

    def _fail(self, transfer: Transfer, word: str, reason: str) -> None:
        """End a transfer, or with attempts left, queue it again as slskd 0.26 does."""
        if transfer.attempts >= self.settings.attempts:
            self._end(transfer, word, reason)
            return
        transfer.attempts += 1
        transfer.state, transfer.exception = "Queued, Locally", reason
        transfer.next_attempt_at = self._clock.now() + RETRY_DELAY
        transfer.outcome = self._network.outcome(transfer.username, transfer.filename)
        self._later(transfer, self._acknowledge)

    def _end(self, transfer: Transfer, word: str, reason: str | None) -> None:
        transfer.state, transfer.exception = f"Completed, {word}", reason
        transfer.ended_at, transfer.place = self._clock.now(), None

    def _deliver(self, transfer: Transfer) -> None:
        """Move the file to where downloads go, and say so."""
        folder, _, name = transfer.filename.rpartition("\\")
        last = transfer.destination or folder.rpartition("\\")[2]
        directory = f"{self.settings.downloads_dir}/{last}"
        path = f"{directory}/{name}"
        if self._disk.get(path) is not None:
            stem, dot, extension = path.rpartition(".")
            self.settings.files_moved += 1
            path = f"{stem}_{638_912_345_678_901_234 + self.settings.files_moved}{dot}{extension}"
        found = self._network.find(transfer.username, transfer.filename)
        tags = (found[0].album_mbid, found[2], found[0].bad) if found is not None else ("", 0, False)
        self._disk.put(DiskFile(path=path, size=transfer.size, album_mbid=tags[0], track=tags[1], bad=tags[2]))
        own = {"localFilename": path, "remoteFilename": transfer.filename, "transfer": transfer.to_json()}
        self._events.emit("DownloadFileComplete", own, at=transfer.ended_at)
        others = [one for one in self.all.values() if one.username == transfer.username and one.folder == folder]
        if self.settings.directory_events and all(one.done for one in others):
            own = {
                "localDirectoryName": directory,
                "remoteDirectoryName": folder,
                "username": transfer.username,
            }
            self._events.emit("DownloadDirectoryComplete", own, at=transfer.ended_at)
