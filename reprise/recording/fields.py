"""What is known of the fields of Lidarr, slskd and Reprise; the text of a field that isn't here is scrubbed."""

from __future__ import annotations

import re
from enum import StrEnum

from reprise.recording.vocabulary import of_the_trade


class Kind(StrEnum):
    """What a field holds, and so what may stay of it."""

    SECRET = "secret"  # noqa: S105 - nothing of it stays
    TERM = "term"  # a word that the peer has from a list
    LABEL = "label"  # words of the trade; others get a pseudonym
    FIGURE = "figure"  # a number, or the id of a row
    VERSION = "version"
    MESSAGE = "message"  # a sentence of the peer's
    PERSON = "person"  # nothing of a user's name
    NAME = "name"  # of an artist, album, track, folder or file: pseudonyms, unless names are kept
    OTHER = "other"  # nobody knows: pseudonyms


_SECRET = re.compile(
    r"pass(?:wor[dt]|wd|phrase|key)|secret|token|api_?-?key|authorization|cookie|credential|private_?key|jwt|signature",
    re.IGNORECASE,
)
_HARMLESS = frozenset({"tokentype"})
_FIGURE = re.compile(
    r"(?:^|[a-z])(?:ids?|count|size|sizeleft|number|page|limit|offset|age|score|flags|hours|minutes)$", re.IGNORECASE
)


def _named(kind: Kind, fields: str) -> dict[str, Kind]:
    return dict.fromkeys(fields.lower().split(), kind)


_KINDS = {
    **_named(
        Kind.TERM,
        """
        eventType type status state result priority trigger protocol trackedDownloadStatus
        trackedDownloadState albumType secondaryTypes secondaryAlbumTypes artistType coverType level severity
        errorCode propertyName implementation configContract direction presence appName branch databaseType
        importMode monitorNewItems monitor addType authentication packageUpdateMechanism downloadClientType
        sortKey sortDirection format mediumFormat country tokenType runtimeName osName releaseStatus
        defaultMonitorOption defaultNewItemMonitorOption
        """,
    ),
    **_named(
        Kind.LABEL,
        """
        quality instanceName downloadClient downloadClientName implementationName commandName extension source
        mode order privacy
        """,
    ),
    **_named(
        Kind.VERSION,
        "version previousVersion newVersion full current runtimeVersion osVersion databaseVersion trackNumber",
    ),
    **_named(
        Kind.MESSAGE,
        """
        message messages error errorMessage exception reason description detailedDescription completionMessage
        rejections detail
        """,
    ),
    **_named(Kind.PERSON, "username user users uploader sender author owner"),
    **_named(
        Kind.NAME,
        """
        name title artistName albumTitle sortName cleanName sourceTitle releaseTitle releaseGroup
        disambiguation term query searchText filename localFilename remoteFilename directory
        localDirectoryName remoteDirectoryName folder path previousPath droppedPath importedPath outputPath
        destination
        """,
    ),
}
# Where `name` is a word of the API: a quality, a setting of a connection, what a command carries.
_NAMES_A_TERM = frozenset({"quality", "fields", "body", "command"})


def kind_of(name: str, within: str = "") -> Kind:
    """What a field holds, by its name and that of the object that it stands in."""
    lower = name.lower()
    if is_secret(name) or (lower == within.lower() == "message"):  # a chat: {"message": {"message": "…"}}
        return Kind.SECRET
    if lower == "name" and within.lower() in _NAMES_A_TERM:
        return Kind.LABEL
    if (known := _KINDS.get(lower)) is not None:
        return known
    return Kind.FIGURE if _FIGURE.search(name) else Kind.OTHER


def is_secret(name: str) -> bool:
    """Whether a name says that what it names is a secret."""
    return bool(_SECRET.search(name)) and name.lower() not in _HARMLESS


def is_known(name: str) -> bool:
    """Whether a field's own name may stay; others may be names, as in an object keyed by users."""
    return of_the_trade(name) or name.lower() in _KINDS


# The segment of a path after one of these is a user or a room, except for these words.
_BEFORE_PEOPLE = frozenset({"users", "downloads", "uploads", "conversations", "joined", "members"})
_NO_PEOPLE = frozenset({"batches", "all", "directories", "files", "completed"})


def names_a_person(segment: str, *, after: str) -> bool:
    """Whether a segment of a path is somebody: `/transfers/downloads/somebody`."""
    return after.lower() in _BEFORE_PEOPLE and segment.lower() not in _NO_PEOPLE and not segment.isdecimal()
