"""The names under which signals wait for what they belong to, and folds of it wait for each other. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from uuid import UUID

from shared.acquisition.adopted import Adopted
from shared.acquisition.candidate import Candidate, WantedFile
from shared.acquisition.findings import SoulseekSearched
from shared.acquisition.model import plain_case
from shared.acquisition.signals import (
    AlbumDeleted,
    BatchRequested,
    DownloadDropped,
    DownloadFailed,
    DownloadFailureHinted,
    FileArrived,
    Grabbed,
    Imported,
    ImportIncomplete,
    JobRequested,
    Signal,
)
from shared.acquisition.soulseek import batch_id_for


def album_key(album: UUID) -> str:
    """Under this name signals wait for an album, and folds of it wait for each other."""
    return f"album:{album}"


def download_key(download_id: str) -> str:
    """Under this name signals wait for a download id, however it is spelled."""
    return f"download:{plain_case(download_id)}"


def file_keys(signal: FileArrived) -> tuple[str, ...]:
    """Under these names an arrived file waits for the attempt that wants it: its batch, if it has one, and itself."""
    own = _file_key(signal.username, signal.remote_filename)
    return (own,) if signal.batch_id is None else (download_key(str(signal.batch_id)), own)


def candidate_keys(username: str, files: Iterable[WantedFile]) -> tuple[str, ...]:
    """The names of the files of a candidate."""
    return tuple(_file_key(username, file.filename) for file in files)


def _file_key(username: str, filename: str) -> str:
    # A path may be longer than an index can hold.
    name = f"{username}\n{filename}".encode("utf-8", "surrogatepass")
    return download_key(f"file-{hashlib.blake2b(name, digest_size=16).hexdigest()}")


def keys_of(signal: Signal) -> tuple[str, ...]:
    """What a fold of this signal must hold still: albums and downloads, found or not."""
    match signal:
        case JobRequested(album=wish):
            return (album_key(wish.album_mbid),)
        case Adopted(acquisition=taken):
            return (album_key(taken.album_mbid),)
        case BatchRequested(albums=wishes):
            return tuple(album_key(wish.album_mbid) for wish in wishes)
        case Grabbed(album=album, download_id=download) | Imported(album=album, download_id=download):
            return (album_key(album.mbid), *((download_key(download),) if download else ()))
        case (
            DownloadFailed(album=album, download_id=download)
            | ImportIncomplete(album=album, download_id=download)
            | DownloadDropped(album=album, download_id=download)
        ):
            return (album_key(album.mbid), *((download_key(download),) if download else ()))
        case AlbumDeleted(album=album):
            return (album_key(album.mbid),)
        case DownloadFailureHinted(download_id=str(download)):
            return (download_key(download),)
        case FileArrived():
            return file_keys(signal)
        case SoulseekSearched(candidate=Candidate() as chosen):
            batch = batch_id_for(signal.acquisition_id, signal.attempt)
            return (download_key(str(batch)), *candidate_keys(chosen.username, chosen.files))
        case _:
            return ()
