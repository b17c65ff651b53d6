"""Lidarr's API v1: the endpoints that we call and the shapes of their answers."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Generic, TypeVar

import msgspec
from msgspec.json import Decoder

from worker.clients.http import Endpoint, get
from worker.clients.lidarr_answers import (
    Album,
    Command,
    DownloadClientConfig,
    HistoryItem,
    Notification,
    Profile,
    QueueItem,
    RootFolder,
    SystemStatus,
)

T = TypeVar("T")


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
_PROFILES = Decoder(tuple[Profile, ...])

PING = get("/ping", _ANYTHING)
STATUS = get("/api/v1/system/status", Decoder(SystemStatus))
LOOKUP_ALBUM = get("/api/v1/album/lookup", Decoder(tuple[Album, ...]))
ALBUMS = get("/api/v1/album", Decoder(tuple[Album, ...]))
ALBUM = get("/api/v1/album/{}", _ALBUM)
ADD_ALBUM = Endpoint("POST", "/api/v1/album", _ALBUM, repeatable=False)
MONITOR_ALBUMS = Endpoint("PUT", "/api/v1/album/monitor", _ANYTHING, repeatable=True)
EDIT_ARTISTS = Endpoint("PUT", "/api/v1/artist/editor", _ANYTHING, repeatable=True)
# An identical command that still waits is coalesced, one that runs is not: so it isn't repeatable.
START_COMMAND = Endpoint("POST", "/api/v1/command", _COMMAND, repeatable=False)
COMMAND = get("/api/v1/command/{}", _COMMAND)
QUEUE = get("/api/v1/queue", Decoder(Page[QueueItem]))
QUEUE_DETAILS = get("/api/v1/queue/details", Decoder(tuple[QueueItem, ...]))
DROP = Endpoint("DELETE", "/api/v1/queue/{}", _ANYTHING, repeatable=True)
HISTORY = get("/api/v1/history", Decoder(Page[HistoryItem]))
HISTORY_SINCE = get("/api/v1/history/since", Decoder(tuple[HistoryItem, ...]))
WHOLE_HISTORY_SINCE = get("/api/v1/history/since", Decoder(tuple[dict[str, Any], ...]))
ROOT_FOLDERS = get("/api/v1/rootfolder", Decoder(tuple[RootFolder, ...]))
QUALITY_PROFILES = get("/api/v1/qualityprofile", _PROFILES)
METADATA_PROFILES = get("/api/v1/metadataprofile", _PROFILES)
DOWNLOAD_CLIENT_CONFIG = get("/api/v1/config/downloadclient", Decoder(DownloadClientConfig))
NOTIFICATIONS = get("/api/v1/notification", Decoder(tuple[Notification, ...]))
# The same, with everything that Lidarr wants back when one is tested or saved.
WHOLE_NOTIFICATIONS = get("/api/v1/notification", Decoder(tuple[dict[str, Any], ...]))
TEST_NOTIFICATION = Endpoint("POST", "/api/v1/notification/test", _ANYTHING, repeatable=True)
