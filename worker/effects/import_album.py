"""Have Lidarr import the files that an attempt brought: all of them, or none."""

from __future__ import annotations

from typing import TypeAlias, assert_never

from shared.acquisition.commands import FollowImport, ImportAlbum
from shared.acquisition.findings import ImportBlocked, ImportEnded, ImportRefused, ImportStarted
from shared.acquisition.model import Acquisition, AttemptState
from shared.acquisition.signals import AlbumDeleted, AlbumRef
from worker.clients.http import MAX_CHANGE_S
from worker.clients.lidarr import LidarrClient
from worker.clients.lidarr_answers import Album, Command
from worker.clients.lidarr_candidates import ImportCandidate, PathKind
from worker.effects.effect import Found, Tools
from worker.handover.arrived import Arrived, Delivered
from worker.handover.judging import Blocked, Refused, choose_tracks, objection, pair, releases_to_try
from worker.handover.paths import as_lidarr_sees, mark_of, name_of, same_place
from worker.lease import Claimed

_Verdict: TypeAlias = Command | Blocked | Refused


async def import_album(command: ImportAlbum, claimed: Claimed, tools: Tools) -> Found:
    """Twice is once: an import that was begun is in Lidarr's list of commands, and known there by its files."""
    found = await tools.attempt(command, AttemptState.IMPORTING)
    if found is None:
        return Found()
    acquisition, attempt = found
    lidarr = tools.need_lidarr()
    mappings = tools.settings().path_mappings
    files = tuple(Arrived(file.filename, as_lidarr_sees(file.local or "", mappings)) for file in attempt.arrived)
    delivered = Delivered(files, mark_of(acquisition.id, attempt.number))
    album = await album_at_lidarr(acquisition, lidarr)
    if album is None and acquisition.lidarr_album_id is not None:
        return Found((AlbumDeleted(album=AlbumRef(acquisition.album_mbid)),))
    if album is None:
        return _told(command, await _scan(delivered, claimed, lidarr))
    if album.complete:
        return import_ended(command, album, successful=True, message="every track has its file")
    return _told(command, await _import(album, delivered, claimed, lidarr))


async def album_at_lidarr(acquisition: Acquisition, lidarr: LidarrClient) -> Album | None:
    """The acquisition's album, by Lidarr's own number for it, or by its MBID where that number means nothing."""
    if acquisition.lidarr_album_id is not None and (album := await lidarr.album(acquisition.lidarr_album_id)):
        return album
    return await lidarr.album_by_mbid(str(acquisition.album_mbid))


def import_ended(command: ImportAlbum | FollowImport, album: Album | None, *, successful: bool, message: str) -> Found:
    """What came of an import, with the tracks that the album has now."""
    ended = ImportEnded(
        acquisition_id=command.acquisition_id,
        attempt=command.attempt,
        successful=successful,
        message=message[:500],
        track_file_count=album.statistics.track_file_count if album else 0,
        track_count=album.tracks_wanted if album else 0,
    )
    return Found((ended,))


def _told(command: ImportAlbum, verdict: _Verdict) -> Found:
    about, attempt = command.acquisition_id, command.attempt
    match verdict:
        case Command(id=command_id):
            return Found((ImportStarted(acquisition_id=about, attempt=attempt, command_id=command_id),))
        case Blocked(reason=reason):
            return Found((ImportBlocked(acquisition_id=about, attempt=attempt, reason=reason[:1000]),))
        case Refused(reason=reason):
            return Found((ImportRefused(acquisition_id=about, attempt=attempt, reason=reason[:1000]),))
        case _:
            assert_never(verdict)


async def _import(album: Album, delivered: Delivered, claimed: Claimed, lidarr: LidarrClient) -> _Verdict:
    """Of an album that Lidarr has: each file as the tracks that it is."""
    if under_way := await _begun(delivered, lidarr, over=False):
        return under_way
    if hidden := await _hidden(delivered, lidarr):
        return hidden
    candidates: list[ImportCandidate] = []
    for folder in delivered.folders:
        candidates += await lidarr.manual_import_candidates(folder, artist_id=album.artist_id)
    pairs, missing = pair(delivered.files, candidates)
    if missing:
        unseen = f"Lidarr sees the folder, but not {name_of(missing[0].path)} in it ({len(missing)} files are missing)"
        return await _begun(delivered, lidarr, over=True) or Blocked(
            f"path_not_visible_to_lidarr: {delivered.folders[0]}: {unseen}; may it read them?"
        )
    if against := objection(pairs, album):
        return against
    tracks = {release: await lidarr.tracks(album_release_id=release) for release in releases_to_try(pairs, album)}
    chosen = choose_tracks(pairs, album, tracks)
    if isinstance(chosen, Refused):
        return chosen
    claimed.must_outlast(MAX_CHANGE_S)
    return await lidarr.start_manual_import(chosen)


async def _scan(delivered: Delivered, claimed: Claimed, lidarr: LidarrClient) -> _Verdict:
    """Of an album that Lidarr was never told of: it may yet recognise it by itself."""
    if begun := await _begun(delivered, lidarr, over=False) or await _begun(delivered, lidarr, over=True):
        return begun
    if hidden := await _hidden(delivered, lidarr):
        return hidden
    folder, *more = delivered.folders
    inside = {same_place(path) for path in await lidarr.audio_files(folder)}
    if more or not inside <= delivered.places:
        # A scan would bring in whatever else is there.
        return Blocked("album_not_in_lidarr: add it there, and its files are imported from where they are")
    claimed.must_outlast(MAX_CHANGE_S)
    return await lidarr.start_scan(folder)


async def _begun(delivered: Delivered, lidarr: LidarrClient, *, over: bool) -> Command | None:
    """Lidarr's newest import of any of these files, among those that are over or among the others."""
    ours = delivered.places
    for one in await lidarr.imports():
        if one.over is over and any(same_place(path) in ours for path in one.paths):
            return one
    return None


async def _hidden(delivered: Delivered, lidarr: LidarrClient) -> Command | Blocked | None:
    """The folder that Lidarr doesn't see, and what to do about it; or the import that has emptied it."""
    for folder in delivered.folders:
        if await lidarr.path_kind(folder) is not PathKind.FOLDER:
            return await _begun(delivered, lidarr, over=True) or Blocked(
                f"path_not_visible_to_lidarr: Lidarr doesn't see {folder}; give it the folder, or set path_mappings"
            )
    return None
