"""What one reading of slskd's list of transfers says of an attempt. Pure.

Only a file's event proves that it arrived: a transfer that succeeded, or is gone from the list, completes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeAlias

from shared.acquisition.candidate import WantedFile
from shared.acquisition.model import AttemptState
from worker.clients.slskd_answers import instant
from worker.clients.slskd_transfers import Transfer
from worker.observe.timed import Timed, searching
from worker.observe.watch import ABSENT, FAILED, HELD, UNDER_WAY, WAITING, Reading, Watch

# slskd ends with this what ran when it was shut down, and enqueues it anew once it's logged in again.
_SHUT_DOWN = "application shut down"
# As long as a watch was only in these, no file has been on the list.
_NEVER_SEEN = frozenset({"no_source", "materialise", WAITING})

Name: TypeAlias = tuple[str, str]
"""User and full remote name of a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """The file events that a look has read: all of those after read_from, if it is up_to_date."""

    transfers: frozenset[str] = frozenset()
    names: frozenset[Name] = frozenset()
    read_from: datetime | None = None
    up_to_date: bool = True

    def would_show(self, transfer: Transfer) -> bool:
        """Whether the event of a transfer that ended would be among them."""
        ended = instant(transfer.ended_at)
        return self.up_to_date and ended is not None and (self.read_from is None or self.read_from < ended)


@dataclass(slots=True)
class _Files:
    """Wanted files that haven't arrived, by how they stand."""

    failed: list[tuple[WantedFile, str]] = field(default_factory=list)
    missing: list[WantedFile] = field(default_factory=list)
    doubtful: list[tuple[WantedFile, str]] = field(default_factory=list)
    remote: list[WantedFile] = field(default_factory=list)
    local: list[WantedFile] = field(default_factory=list)
    moving: list[WantedFile] = field(default_factory=list)
    bytes: int = 0


class Transfers:
    """slskd's whole list, the release of slskd, and whether it's logged in to Soulseek."""

    def __init__(
        self, transfers: Iterable[Transfer], arrivals: Arrivals, *, release: tuple[int, ...], logged_in: bool
    ) -> None:
        self._newest: dict[Name, Transfer] = {}
        for one in sorted((one for one in transfers if not one.removed), key=_requested):
            self._newest[one.username, one.filename] = one
        self._busy = any(one.in_progress for one in self._newest.values())
        self._arrivals = arrivals
        self._release = release
        self._logged_in = logged_in

    def reading(self, one: Timed, before: Watch | None) -> Reading:
        """Where an attempt stands."""
        if one.state is AttemptState.SEARCHING and one.searched_at is None:
            return searching(one)
        if not self._logged_in:
            return Reading(phase=HELD, detail="slskd is not logged in to Soulseek")
        if one.state is AttemptState.SEARCHING:
            return searching(one)
        if one.in_line:
            return Reading(phase=WAITING)
        return self._of(one, self._sorted(one), before)

    def _of(self, one: Timed, files: _Files, before: Watch | None) -> Reading:
        if files.failed:
            why, names = files.failed[0][1], _names(file for file, _ in files.failed)
            return Reading(phase=FAILED, detail=f"{why} ({len(names)} of {len(one.files)} files)", files=names)
        seen = before is not None and before.phase not in _NEVER_SEEN
        if files.missing and (seen or len(files.missing) < len(one.files)):
            gone = f"gone_from_slskds_list: {len(files.missing)} of {len(one.files)} files"
            return Reading(phase=ABSENT, detail=gone, files=_names(files.missing))
        if files.missing:
            return Reading(phase="materialise", detail="not on slskd's list")
        if files.remote and not files.moving:
            return Reading(phase="remote_queue", mark=files.bytes, detail=f"queued at {one.peer}")
        if files.moving or (files.local and not self._busy):
            return Reading(phase="no_bytes", mark=files.bytes, detail=f"not a byte came from {one.peer}")
        if files.local:
            # In slskd's own line, behind what it downloads just now.
            return Reading(phase=UNDER_WAY, mark=files.bytes)
        if files.doubtful:
            why, names = files.doubtful[0][1], _names(file for file, _ in files.doubtful)
            return Reading(phase="materialise", mark=files.bytes, detail=why, files=names)
        return Reading(phase=UNDER_WAY, mark=files.bytes)  # all has arrived, and the events are on their way

    def _sorted(self, one: Timed) -> _Files:
        files = _Files(bytes=sum(file.size_bytes for file in one.files if file.local is not None))
        for file in one.files:
            if file.local is not None:
                continue
            name = (one.peer or "", file.filename)
            transfer = self._newest.get(name)
            if transfer is None:
                if name not in self._arrivals.names:
                    files.missing.append(file)
                continue
            files.bytes += transfer.bytes_transferred
            self._sort(file, transfer, files)
        return files

    def _sort(self, file: WantedFile, transfer: Transfer, files: _Files) -> None:
        if transfer.succeeded:
            if transfer.id in self._arrivals.transfers:
                return
            if transfer.exception and self._arrivals.would_show(transfer):
                files.failed.append((file, f"transfer_not_moved: {transfer.exception}"))
            else:
                files.doubtful.append((file, "never_arrived: slskd told of no file though the transfer succeeded"))
        elif transfer.is_failed:
            why = f"transfer_failed: {', '.join(transfer.words)}: {transfer.exception or 'without a reason'}"
            may_go_on = transfer.may_revive(self._release) or _SHUT_DOWN in (transfer.exception or "").casefold()
            (files.doubtful if may_go_on else files.failed).append((file, why))
        elif transfer.waits_remotely:
            files.remote.append(file)
        elif transfer.waits_locally:
            files.local.append(file)
        else:
            files.moving.append(file)


def _names(files: Iterable[WantedFile]) -> tuple[str, ...]:
    return tuple(file.filename for file in files)


def _requested(transfer: Transfer) -> datetime:
    return instant(transfer.requested_at) or datetime.min.replace(tzinfo=UTC)
