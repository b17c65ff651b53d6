"""What we read of Lidarr's answers; fields that Lidarr may leave out have defaults, and the rest is ignored."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec


class Answer(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Lidarr spells names in camelCase."""


class SystemStatus(Answer, frozen=True, kw_only=True):
    app_name: str = ""
    instance_name: str = ""
    version: str = ""
    branch: str = ""
    url_base: str = ""
    start_time: datetime | None = None


class Artist(Answer, frozen=True, kw_only=True):
    """An artist; `id` is 0 when it comes from a lookup and isn't in the library."""

    id: int = 0
    artist_name: str = ""
    foreign_artist_id: str = ""
    monitored: bool = False
    path: str = ""
    root_folder_path: str = ""
    quality_profile_id: int = 0
    metadata_profile_id: int = 0
    tags: tuple[int, ...] = ()


class Medium(Answer, frozen=True, kw_only=True):
    """A disc, or what else holds a part of a release; numbers begin with 1."""

    medium_number: int = 0
    medium_name: str = ""
    medium_format: str = ""


class AlbumRelease(Answer, frozen=True, kw_only=True):
    """One edition of an album (a MusicBrainz release)."""

    id: int = 0
    foreign_release_id: str = ""
    title: str = ""
    status: str = ""
    format: str = ""
    track_count: int = 0
    medium_count: int = 0
    media: tuple[Medium, ...] = ()
    country: tuple[str, ...] = ()
    monitored: bool = False


class AlbumStatistics(Answer, frozen=True, kw_only=True):
    track_file_count: int = 0
    track_count: int = 0
    total_track_count: int = 0
    size_on_disk: int = 0


class Album(Answer, frozen=True, kw_only=True):
    """An album; `foreign_album_id` is its release-group MBID, `id` is 0 when a lookup found it elsewhere."""

    id: int = 0
    title: str = ""
    foreign_album_id: str = ""
    artist_id: int = 0
    monitored: bool = False
    any_release_ok: bool = False
    album_type: str = ""
    release_date: datetime | None = None
    last_search_time: datetime | None = None
    releases: tuple[AlbumRelease, ...] = ()
    statistics: AlbumStatistics = AlbumStatistics()
    artist: Artist | None = None

    @property
    def tracks_wanted(self) -> int:
        """How many tracks the album has; 0 while Lidarr doesn't know them yet.

        Not `track_count` alone: for an unmonitored or unreleased album that counts only tracks with files.
        """
        return max(self.statistics.track_count, self.statistics.total_track_count)

    @property
    def complete(self) -> bool:
        """Whether every track has its file."""
        return 0 < self.tracks_wanted <= self.statistics.track_file_count


class Track(Answer, frozen=True, kw_only=True):
    """A track of one release; `duration` in milliseconds.

    `track_number` is what the sleeve says ("1", "A1") and begins anew on every medium, `absolute_track_number` doesn't.
    """

    id: int = 0
    title: str = ""
    album_id: int = 0
    artist_id: int = 0
    foreign_track_id: str = ""
    foreign_recording_id: str = ""
    track_number: str = ""
    absolute_track_number: int = 0
    medium_number: int = 0
    duration: int = 0
    has_file: bool = False
    track_file_id: int = 0


class Command(Answer, frozen=True, kw_only=True):
    """A command of Lidarr's; `status` is one of queued started completed failed aborted cancelled orphaned.

    `result` is one of unknown successful unsuccessful, and says little: what it means depends on the command.
    """

    id: int
    name: str = ""
    status: str = ""
    result: str = "unknown"
    message: str = ""
    exception: str = ""
    queued: datetime | None = None
    started: datetime | None = None
    ended: datetime | None = None

    @property
    def over(self) -> bool:
        """Whether Lidarr will do no more about it."""
        return self.status.lower() in {"completed", "failed", "aborted", "cancelled", "orphaned"}

    @property
    def succeeded(self) -> bool:
        """Whether it ended, and Lidarr knows of nothing that went wrong."""
        return self.status.lower() == "completed" and self.result.lower() != "unsuccessful"


class StatusMessage(Answer, frozen=True, kw_only=True):
    title: str = ""
    messages: tuple[str, ...] = ()


class QueueItem(Answer, frozen=True, kw_only=True):
    """One album of one download. Compare `download_id` regardless of case."""

    id: int
    artist_id: int | None = None
    album_id: int | None = None
    title: str = ""
    size: float = 0.0
    sizeleft: float = 0.0
    status: str = ""
    tracked_download_status: str = ""
    tracked_download_state: str = ""
    status_messages: tuple[StatusMessage, ...] = ()
    error_message: str = ""
    download_id: str = ""
    download_client: str = ""
    output_path: str = ""
    track_file_count: int = 0
    track_has_file_count: int = 0
    added: datetime | None = None


class HistoryItem(Answer, frozen=True, kw_only=True):
    """One row of Lidarr's history; `id` is unique for ever within an instance, `data` depends on `event_type`."""

    id: int
    album_id: int = 0
    artist_id: int = 0
    track_id: int = 0
    source_title: str = ""
    date: datetime
    download_id: str = ""
    event_type: str = ""
    data: dict[str, Any] = {}


class RootFolder(Answer, frozen=True, kw_only=True):
    id: int
    name: str = ""
    path: str = ""
    default_metadata_profile_id: int = 0
    default_quality_profile_id: int = 0
    accessible: bool = False
    free_space: int | None = None


class DiskSpace(Answer, frozen=True, kw_only=True):
    """A mount or root folder, and how many bytes are free there."""

    path: str = ""
    label: str = ""
    free_space: int = 0
    total_space: int = 0


class Health(Answer, frozen=True, kw_only=True):
    """Something that Lidarr finds wrong with itself; `type` is one of notice warning error."""

    source: str = ""
    type: str = ""
    message: str = ""
    wiki_url: str = ""


class Profile(Answer, frozen=True, kw_only=True):
    """A quality or metadata profile."""

    id: int
    name: str = ""


class DownloadClientConfig(Answer, frozen=True, kw_only=True):
    enable_completed_download_handling: bool = False
    auto_redownload_failed: bool = False


class Field(Answer, frozen=True, kw_only=True):
    name: str = ""
    value: Any = None


class Notification(Answer, frozen=True, kw_only=True):
    """A connection of Lidarr's; passwords among the fields come back masked."""

    id: int
    name: str = ""
    implementation: str = ""
    fields: tuple[Field, ...] = ()
    on_grab: bool = False
    on_release_import: bool = False
    on_upgrade: bool = False
    on_download_failure: bool = False
    on_import_failure: bool = False

    def field(self, name: str) -> Any:
        """The value of a field, or None."""
        return next((field.value for field in self.fields if field.name == name), None)


def free_bytes(path: str, spaces: Iterable[DiskSpace]) -> int | None:
    """What is free where an absolute path is: on the nearest disk above it. None if Lidarr shows none."""
    above = [space for space in spaces if _as_folder(path).startswith(_as_folder(space.path))]
    return max(above, key=lambda space: len(space.path)).free_space if above else None


def _as_folder(path: str) -> str:
    return path.replace("\\", "/").rstrip("/") + "/"
