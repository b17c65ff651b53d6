"""Have slskd download the files of an attempt."""

from __future__ import annotations

import re
from typing import NamedTuple
from uuid import UUID

from shared.acquisition.commands import EnqueueDownload
from shared.acquisition.findings import DownloadEnqueued
from shared.acquisition.model import Acquisition, Attempt, AttemptState
from shared.eventlog.identity import derived_id
from worker.clients.http import MAX_CHANGE_S
from worker.effects.effect import Found, Tools
from worker.handover.paths import mark_of
from worker.lease import Claimed

_NOT_IN_NAMES = re.compile(r'[\x00-\x1f<>:"/\\|?*]+')
_LONGEST_NAME = 80


async def enqueue_download(command: EnqueueDownload, claimed: Claimed, tools: Tools) -> Found:
    """Twice is once: slskd knows the batch by its id, and a file that it downloads already is as good as taken."""
    slskd = tools.need_slskd()
    found = await tools.attempt(command, AttemptState.DOWNLOADING)
    if found is None or found[1].peer is None:
        return Found()
    acquisition, attempt = found
    taken, refused = 0, []
    for part in _parts(attempt, command.batch_id, own_folder(acquisition, attempt.number)):
        claimed.must_outlast(MAX_CHANGE_S)
        enqueued = await slskd.enqueue(found[1].peer, part.files, batch_id=part.batch_id, destination=part.destination)
        taken += len(part.files) - len(enqueued.refused)
        refused += [f"{filename}: {message}"[:300] for filename, message in enqueued.refused.items()]
        if refused:
            break
    told = DownloadEnqueued(acquisition_id=acquisition.id, attempt=attempt.number, taken=taken, refused=tuple(refused))
    return Found((told,))


class _Part(NamedTuple):
    """What is enqueued in one call: slskd puts all files of a batch side by side, so discs go by themselves."""

    batch_id: UUID
    destination: str
    files: list[tuple[str, int]]


def _parts(attempt: Attempt, batch_id: UUID, folder: str) -> list[_Part]:
    """The files of an attempt by their remote folder; with several (discs) each has its own folder and batch."""
    by_folder: dict[str, list[tuple[str, int]]] = {}
    for file in attempt.files:
        by_folder.setdefault(file.filename.rpartition("\\")[0], []).append((file.filename, file.size_bytes))
    if len(by_folder) == 1:
        return [_Part(batch_id, folder, files) for files in by_folder.values()]
    parts = []
    for remote, files in sorted(by_folder.items()):
        disc = _legal(remote.rpartition("\\")[2])
        parts.append(_Part(derived_id(batch_id, "disc", remote), f"{folder}/{disc}", files))
    return parts


def own_folder(acquisition: Acquisition, attempt: int) -> str:
    """The folder of an attempt below slskd's downloads folder: readable, its own, and a legal name everywhere."""
    name = f"{acquisition.artist_name} - {acquisition.album_title}"
    return f"{_legal(name)} {mark_of(acquisition.id, attempt)}"


def _legal(name: str) -> str:
    return _NOT_IN_NAMES.sub("_", name)[:_LONGEST_NAME].strip(" .") or "album"
