"""Lidarr's API v1: the endpoints that we call and the shapes of their answers."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Generic, TypeVar

import msgspec
from msgspec.json import Decoder

from worker.clients.http import Endpoint, get
from worker.clients.lidarr_answers import (
    Album,
    Artist,
    Command,
    DiskSpace,
    DownloadClientConfig,
    Health,
    HistoryItem,
    Notification,
    Profile,
    QueueItem,
    RootFolder,
    SystemStatus,
    Track,
)
from worker.clients.lidarr_candidates import AudioFile, Contents, ImportCandidate, ImportCommand
from worker.clients.lidarr_qualities import QualityProfile

T = TypeVar("T")

IMPORT_PATIENCE_S = 180.0
"""Lidarr reads the tags of every file of a folder, and may ask AcoustID about each."""


class HistoryType(IntEnum):
    """Lidarr's numbers for history's event types in queries (Sonarr's differ); rows bear them as words."""

    GRABBED = 1
    ARTIST_FOLDER_IMPORTED = 2
    TRACK_FILE_IMPORTED = 3
    DOWNLOAD_FAILED = 4
    TRACK_FILE_DELETED = 5
    TRACK_FILE_RENAMED = 6
    ALBUM_IMPORT_INCOMPLETE = 7
    DOWNLOAD_IMPORTED = 8
    TRACK_FILE_RETAGGED = 9
    DOWNLOAD_IGNORED = 10


class Page(msgspec.Struct, Generic[T], frozen=True, rename="camel"):
    """One page of a list; `total_records` counts all pages."""

    total_records: int
    records: tuple[T, ...]


_ANYTHING = Decoder(msgspec.Raw)
_ALBUM = Decoder(Album)
_COMMAND = Decoder(Command)

PING = get("/ping", _ANYTHING)
HEALTH = get("/api/v1/health", Decoder(tuple[Health, ...]))
STATUS = get("/api/v1/system/status", Decoder(SystemStatus))
LOOKUP_ALBUM = get("/api/v1/album/lookup", Decoder(tuple[Album, ...]))
ALBUMS = get("/api/v1/album", Decoder(tuple[Album, ...]))
ALBUM = get("/api/v1/album/{}", _ALBUM)
ADD_ALBUM = Endpoint("POST", "/api/v1/album", _ALBUM, repeatable=False)
MISSING = get("/api/v1/wanted/missing", Decoder(Page[Album]))
MONITOR_ALBUMS = Endpoint("PUT", "/api/v1/album/monitor", _ANYTHING, repeatable=True)
ARTIST = get("/api/v1/artist/{}", Decoder(Artist))
TRACKS = get("/api/v1/track", Decoder(tuple[Track, ...]))
EDIT_ARTISTS = Endpoint("PUT", "/api/v1/artist/editor", _ANYTHING, repeatable=True)
# An identical command that still waits is coalesced, one that runs is not: so it isn't repeatable.
START_COMMAND = Endpoint("POST", "/api/v1/command", _COMMAND, repeatable=False)
COMMAND = get("/api/v1/command/{}", _COMMAND)
# What waits, what runs, and what has ended within the last minutes.
COMMANDS = get("/api/v1/command", Decoder(tuple[ImportCommand, ...]))
QUEUE = get("/api/v1/queue", Decoder(Page[QueueItem]))
QUEUE_DETAILS = get("/api/v1/queue/details", Decoder(tuple[QueueItem, ...]))
DROP = Endpoint("DELETE", "/api/v1/queue/{}", _ANYTHING, repeatable=True)
HISTORY = get("/api/v1/history", Decoder(Page[HistoryItem]))
HISTORY_SINCE = get("/api/v1/history/since", Decoder(tuple[HistoryItem, ...]))
WHOLE_HISTORY_SINCE = get("/api/v1/history/since", Decoder(tuple[dict[str, Any], ...]))
# Without a slash at its end, Lidarr takes the path for the beginning of a name.
FILE_SYSTEM = get("/api/v1/filesystem", Decoder(Contents))
AUDIO_FILES = get("/api/v1/filesystem/mediafiles", Decoder(tuple[AudioFile, ...]))
CANDIDATES = get("/api/v1/manualimport", Decoder(tuple[ImportCandidate, ...]), patience_s=IMPORT_PATIENCE_S)
DISK_SPACE = get("/api/v1/diskspace", Decoder(tuple[DiskSpace, ...]))
ROOT_FOLDERS = get("/api/v1/rootfolder", Decoder(tuple[RootFolder, ...]))
QUALITY_PROFILES = get("/api/v1/qualityprofile", Decoder(tuple[QualityProfile, ...]))
QUALITY_PROFILE = get("/api/v1/qualityprofile/{}", Decoder(QualityProfile))
METADATA_PROFILES = get("/api/v1/metadataprofile", Decoder(tuple[Profile, ...]))
DOWNLOAD_CLIENT_CONFIG = get("/api/v1/config/downloadclient", Decoder(DownloadClientConfig))
NOTIFICATIONS = get("/api/v1/notification", Decoder(tuple[Notification, ...]))
# The same, with everything that Lidarr wants back when one is tested or saved.
WHOLE_NOTIFICATIONS = get("/api/v1/notification", Decoder(tuple[dict[str, Any], ...]))
TEST_NOTIFICATION = Endpoint("POST", "/api/v1/notification/test", _ANYTHING, repeatable=True)
