"""What one reading of Lidarr's queue says of an attempt. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.acquisition.choosing import LIDARR
from shared.acquisition.importing import TRACKS_UNKNOWN
from shared.acquisition.model import AttemptState, plain_case
from worker.clients.lidarr_answers import Health, QueueItem
from worker.observe.timed import Timed, searching
from worker.observe.watch import ABSENT, HELD, UNDER_WAY, WAITING, Reading, Watch

# With these rows of history a download leaves the queue.
_ENDS = frozenset({"downloadImported", "downloadFailed", "downloadIgnored"})
_IMPORTING = frozenset({"importblocked", "importpending", "importing", "importfailed"})
_LOADING = frozenset({"downloading", "warning"})
# Somebody paused it, or Lidarr can't ask its client.
_HELD = frozenset({"paused", "delay", "downloadclientunavailable"})
# Lidarr's own checks (the source of a problem) that say that it can't ask a client: then it shows no download of it.
_CLIENT_CHECKS = frozenset({"DownloadClientCheck", "DownloadClientStatusCheck"})
# As long as a watch was only in these, the download has never been in the queue.
_NEVER_SEEN = frozenset({"pending", "no_source", "materialise", WAITING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """The whole queue, with the rows of history that were read in the same look.

    blind: why Lidarr can't ask a download client, whose downloads its queue then lacks; None if it can. follows:
    whether it keeps a download in its queue when that is complete.
    """

    items: Sequence[QueueItem] = ()
    history: Sequence[Mapping[str, Any]] = ()
    blind: str | None = None
    follows: bool = True

    def rows_of(self, download_id: str) -> list[QueueItem]:
        """The download's items, one for each of its albums."""
        wanted = plain_case(download_id)
        return [item for item in self.items if plain_case(item.download_id) == wanted]

    def lacks(self, one: Timed) -> bool:
        """Whether a download that should be there isn't, and its history in this look knows no end."""
        return (
            one.state is AttemptState.DOWNLOADING
            and one.download_id is not None
            and not self.rows_of(one.download_id)
            and not self._ended(one, one.download_id)
        )

    def _ended(self, one: Timed, download_id: str) -> bool:
        """Whether its end has been written down: the row is on its way to be folded, or has been."""
        wanted = plain_case(download_id)
        return one.end_known or any(
            row.get("eventType") in _ENDS
            and plain_case(str(row.get("downloadId") or "")) == wanted
            and row["id"] > (one.grab_history_id or 0)
            for row in self.history
        )

    def reading(self, one: Timed, before: Watch | None) -> Reading:
        """Where an attempt stands. A download that has never been in the queue isn't gone, but still to come."""
        match one.state:
            case None:
                waits = "waited to be taken up"
                return Reading(phase=WAITING) if one.in_line else Reading(phase="pending", detail=waits)
            case AttemptState.SEARCHING:
                return searching(one)
            case AttemptState.IMPORTING if one.reason == TRACKS_UNKNOWN:
                return Reading(phase=UNDER_WAY)  # it is in; what it should be, Lidarr's metadata server will say
            case AttemptState.IMPORTING:
                rows = self.rows_of(one.download_id) if one.download_id and one.source == LIDARR else []
                return Reading(phase="import", detail=messages_of(rows) or "Lidarr didn't import it")
            case _ if one.download_id is None:
                return Reading(phase=UNDER_WAY)  # a blackhole: Lidarr itself doesn't see it
        rows = self.rows_of(one.download_id)
        if rows:
            return _of_row(next((row for row in rows if row.album_id == one.lidarr_album_id), rows[0]))
        if not self.lacks(one):
            return Reading(phase=UNDER_WAY)
        if self.blind:
            return Reading(phase=HELD, detail=self.blind)
        if not self.follows:
            return Reading(phase=UNDER_WAY, detail="Completed Download Handling is switched off in Lidarr")
        if before is None or before.phase in _NEVER_SEEN:
            return Reading(phase="materialise", detail="not in Lidarr's queue")
        return Reading(phase=ABSENT, detail="gone from Lidarr's queue")


def _of_row(row: QueueItem) -> Reading:
    status = row.status.casefold()
    why = messages_of([row])
    if row.tracked_download_state.casefold() in _IMPORTING:
        return Reading(phase="import", detail=why or f"Lidarr shows it as {row.tracked_download_state}")
    if status in _HELD:
        return Reading(phase=HELD, detail=status)
    if status in _LOADING:
        return Reading(phase="no_bytes", mark=int(row.sizeleft), detail=why or "not a byte came")
    return Reading(phase=UNDER_WAY, detail=why)


def messages_of(rows: Iterable[QueueItem]) -> str:
    """What Lidarr says about these rows, each sentence once."""
    found: dict[str, None] = {}
    for row in rows:
        for message in row.status_messages:
            found.update(dict.fromkeys(message.messages or ((message.title,) if message.title != row.title else ())))
        if row.error_message:
            found[row.error_message] = None
    return "; ".join(found)[:300]


def blindness(health: Iterable[Health]) -> str | None:
    """Why Lidarr can't ask one of its download clients, by its own checks; None if it can."""
    return next((one.message or one.source for one in health if one.source in _CLIENT_CHECKS), None)
