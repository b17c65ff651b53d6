"""Remove what a failed attempt left in slskd's downloads folder."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import NamedTuple

from shared.acquisition.candidate import WantedFile
from shared.acquisition.commands import RemoveLeftovers
from shared.acquisition.findings import LeftoversRemoved
from shared.acquisition.model import Attempt, AttemptState
from shared.acquisition.soulseek import LEFTOVERS_AGAIN_S
from shared.errors import StepAside
from shared.postgres.queries import load
from worker.clients.http import MAX_CHANGE_S
from worker.clients.slskd import SlskdClient
from worker.clients.slskd_server import Removal
from worker.effects.effect import Found, Tools
from worker.handover.paths import below, folder_of, mark_of, own_folder_of
from worker.lease import Claimed

_Q = load("soulseek")


class _Folder(NamedTuple):
    """A folder by its path below slskd's downloads, and our files in it by their paths below the folder.

    A folder of our own goes whole.
    """

    path: str
    own: bool
    files: dict[str, WantedFile]


class _Removed(NamedTuple):
    removal: Removal
    size_bytes: int


async def remove_leftovers(command: RemoveLeftovers, claimed: Claimed, tools: Tools) -> Found:
    """Remove what arrived, where it still lies and is still ours. Twice is once: what is gone is gone.

    Raises StepAside where slskd still doesn't let us: that is told once, and looked at again from time to time.
    """
    found = await tools.attempt(command, AttemptState.FAILED, AttemptState.ABANDONED)
    if found is None or found[1].leftovers in (Removal.REMOVED, Removal.GONE):
        return Found()
    files = await _still_ours(command, found[1], tools)
    slskd = tools.need_slskd()
    root = (await slskd.options()).directories.downloads
    removed: list[_Removed] = []
    for folder in _folders(files, root, mark_of(command.acquisition_id, command.attempt)):
        removed += await _clear(folder, claimed, slskd)
    worst = next(
        (one for one in (Removal.NOT_ALLOWED, Removal.REMOVED) if any(each.removal is one for each in removed)),
        Removal.GONE,
    )
    if worst is Removal.NOT_ALLOWED and found[1].leftovers == worst.value:
        raise StepAside("slskd still doesn't let us remove them", after=timedelta(seconds=LEFTOVERS_AGAIN_S))
    told = LeftoversRemoved(
        acquisition_id=command.acquisition_id,
        attempt=command.attempt,
        outcome=worst.value,
        size_bytes=sum(each.size_bytes for each in removed if each.removal is worst),
    )
    return Found((told,))


async def _still_ours(command: RemoveLeftovers, attempt: Attempt, tools: Tools) -> list[WantedFile]:
    """Without what has been moved away since, so that a newer attempt's file has come to lie in its place."""
    places = [file.local for file in attempt.arrived]
    newer = await tools.pool.fetch(_Q["claimed_since"], command.acquisition_id, command.attempt, places)
    taken = {row["local"] for row in newer}
    return [file for file in attempt.arrived if file.local not in taken]


def _folders(files: Iterable[WantedFile], root: str, mark: str) -> list[_Folder]:
    """Where the files lie. What isn't in a folder below slskd's downloads (any more) is in one without a path."""
    found: dict[str, _Folder] = {}
    for file in files:
        local = file.local or ""
        own = own_folder_of(local, mark)
        folder = own or folder_of(local)
        path = "/".join(below(folder, root) or ())
        place = found.setdefault(folder, _Folder(path, own is not None, {}))
        place.files["/".join(below(local, folder) or ())] = file
    return list(found.values())


async def _clear(folder: _Folder, claimed: Claimed, slskd: SlskdClient) -> list[_Removed]:
    """Delete our files from a folder, or the folder if it's our own."""
    if not folder.path:
        return [_Removed(Removal.NOT_ALLOWED, _size(folder.files.values()))]
    there = await slskd.files_in(folder.path)
    if there is Removal.GONE:
        return [_Removed(Removal.GONE, 0)]
    if isinstance(there, Removal):
        return [_Removed(there, _size(folder.files.values()))]
    left = {path: file for path, file in folder.files.items() if path in there}
    if folder.own:
        claimed.must_outlast(MAX_CHANGE_S)
        return [_Removed(await slskd.delete_folder(folder.path), _size(left.values()))]
    removed = []
    for path, file in left.items():
        claimed.must_outlast(MAX_CHANGE_S)
        removed.append(_Removed(await slskd.delete_file(f"{folder.path}/{path}"), file.size_bytes))
    return removed


def _size(files: Iterable[WantedFile]) -> int:
    return sum(file.size_bytes for file in files)
