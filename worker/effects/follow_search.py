"""Wait for the end of a search that Lidarr runs, and read how it ended."""

from __future__ import annotations

import re
from datetime import timedelta

from shared.acquisition.commands import FollowSearch
from shared.acquisition.findings import SearchFinished
from shared.errors import StepAside
from worker.clients.lidarr import LidarrClient
from worker.clients.lidarr_answers import Command
from worker.effects.effect import Found, Tools
from worker.lease import Claimed

_LONGEST_SEARCH = timedelta(minutes=15)
_POLL = timedelta(seconds=2)
# The message is the only sign of an empty search that Lidarr gives: the result says "successful" all the same.
_DOWNLOADED = re.compile(r"(\d+)\s+reports?\s+downloaded", re.IGNORECASE)


async def follow_search(command: FollowSearch, claimed: Claimed, tools: Tools) -> Found:
    """Only looks, so it may run any number of times."""
    lidarr = tools.need_lidarr()
    search = await lidarr.command(command.command_id)
    if search is None:
        return _finished(command, None, "Lidarr forgot the search")
    match search.status:
        case "queued" | "started" if claimed.age < _LONGEST_SEARCH:
            raise StepAside("Lidarr is searching", after=_POLL)
        case "completed":
            return _finished(command, await _found(lidarr, search, command.lidarr_album_id), search.message or "")
        case status:
            return _finished(command, None, f"{status}: {search.message or search.exception or ''}"[:300])


async def _found(lidarr: LidarrClient, search: Command, album_id: int) -> int:
    match = _DOWNLOADED.search(search.message or "")
    count = int(match[1]) if match else None
    if count:
        return count
    # A release that a delay profile holds back is found, too: it waits in the queue.
    return len(await lidarr.queue_details([album_id]))


def _finished(command: FollowSearch, found: int | None, message: str) -> Found:
    return Found(
        (SearchFinished(acquisition_id=command.acquisition_id, attempt=command.attempt, found=found, message=message),)
    )
