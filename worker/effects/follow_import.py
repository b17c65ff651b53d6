"""Wait for the end of an import that Lidarr runs, and look what it brought."""

from __future__ import annotations

from datetime import timedelta

from shared.acquisition.commands import FollowImport
from shared.acquisition.model import AttemptState
from shared.acquisition.signals import AlbumDeleted, AlbumRef
from shared.errors import StepAside
from worker.clients.lidarr_answers import Command
from worker.effects.effect import Found, Tools
from worker.effects.import_album import album_at_lidarr, import_ended
from worker.lease import Claimed

_POLL = timedelta(seconds=2)


async def follow_import(command: FollowImport, claimed: Claimed, tools: Tools) -> Found:
    """Only looks, so it may run any number of times.

    What Lidarr says of its own command is no proof: it calls one successful that brought nothing. Tracks are counted.
    """
    found = await tools.attempt(command, AttemptState.IMPORTING)
    if found is None:
        return Found()
    lidarr = tools.need_lidarr()
    running = await lidarr.command(command.command_id)
    settings = tools.settings()
    # The import's own deadline is kept elsewhere, and counts only while Lidarr answers; this is for when it isn't kept.
    patience = timedelta(seconds=max(settings.deadline_import, settings.deadline_absolute))
    if running is not None and not running.over and claimed.age < patience:
        raise StepAside("Lidarr is importing", after=_POLL)
    acquisition, _ = found
    album = await album_at_lidarr(acquisition, lidarr)
    if album is None and acquisition.lidarr_album_id is not None:
        return Found((AlbumDeleted(album=AlbumRef(acquisition.album_mbid)),))
    complete = album is not None and album.complete
    successful = complete or (running is not None and running.succeeded)
    return import_ended(command, album, successful=successful, message=_words(running))


def _words(running: Command | None) -> str:
    """All that Lidarr says of its import."""
    if running is None:
        return "Lidarr has forgotten the import"
    if not running.over:
        return f"Lidarr is still importing ({running.status})"
    if running.status.lower() == "orphaned":
        return "orphaned: Lidarr was restarted while it imported"
    said = ", ".join(dict.fromkeys(word for word in (running.status, running.result) if word))
    told = "; ".join(dict.fromkeys(text for text in (running.message, running.exception) if text))
    return f"{said}: {told}" if told else said
