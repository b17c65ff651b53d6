"""What Lidarr sends, one shape after the other, and what is made of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from shared.acquisition.signals import (
    AlbumDeleted,
    AlbumRef,
    DownloadDropped,
    DownloadFailed,
    DownloadFailureHinted,
    Grabbed,
    Imported,
    ImportFailureHinted,
    ImportIncomplete,
    Signal,
    Unheeded,
)
from shared.eventlog.event import Event
from shared.eventlog.identity import uuid7
from shared.sources import SOURCES, interpret
from shared.sources.lidarr import HISTORY_TYPES, history_identity

PAYLOADS = Path(__file__).parents[2] / "payloads" / "lidarr"
AT = datetime(2026, 1, 2, tzinfo=UTC)
TORRENT = "83F64DC507F346FF1AFDF2E3337FAA8737DDEE44"
ALBUMS = [UUID(f"00000000-0000-4000-8000-000000000{number}") for number in (501, 502, 503)]

# name of the payload → type, whether it has a natural key, download id, the names of its signals
SHAPES: dict[str, tuple[str, bool, str | None, tuple[str, ...]]] = {
    "album_delete": ("AlbumDelete", False, None, ("AlbumDeleted",)),
    "application_update": ("ApplicationUpdate", False, None, ()),
    "artist_add": ("ArtistAdd", True, None, ()),
    "artist_delete": ("ArtistDelete", False, None, ()),
    "download_failure": ("DownloadFailure", False, "SABnzbd_nzo_k3x9q2vz", ("DownloadFailureHinted",)),
    "download_manual_no_download_id": ("Download", True, None, ("Imported",)),
    "download_pack_album_1of3": ("Download", True, TORRENT, ("Imported",)),
    "download_pack_album_2of3": ("Download", True, TORRENT, ("Imported",)),
    "download_pack_album_3of3": ("Download", True, TORRENT, ("Imported",)),
    "download_partial": ("Download", True, TORRENT, ("Imported",)),
    "download_upgrade": ("Download", True, TORRENT, ("Imported",)),
    "grab_blackhole_no_download_id": ("Grab", False, None, ("Grabbed",)),
    "grab_discography_pack": ("Grab", False, TORRENT, ("Grabbed",) * 3),
    "grab_single": ("Grab", False, "SABnzbd_nzo_k3x9q2vz", ("Grabbed",)),
    "health": ("Health", False, None, ()),
    "health_restored": ("HealthRestored", False, None, ()),
    "import_failure": ("ImportFailure", False, None, ("ImportFailureHinted",)),
    "rename": ("Rename", False, None, ()),
    "retag": ("Retag", False, None, ()),
    "test": ("Test", False, None, ()),
}


def body_of(name: str) -> bytes:
    return (PAYLOADS / f"{name}.json").read_bytes()


def meaning(body: bytes, type: str | None = None) -> tuple[Signal, ...] | Unheeded:
    found = SOURCES["lidarr"].identify({}, body)
    return interpret(Event(uuid7(), "lidarr", type or found.type, body, AT))


def changed(name: str, **changes: Any) -> bytes:
    """A payload with other values; None leaves the key out, as Lidarr does."""
    data = {**json.loads(body_of(name)), **changes}
    return json.dumps({key: value for key, value in data.items() if value is not None}).encode()


def test_every_payload_has_its_row_here() -> None:
    assert {path.stem for path in PAYLOADS.glob("*.json")} == set(SHAPES)


@pytest.mark.parametrize("name", SHAPES)
def test_each_shape_is_identified_and_understood(name: str) -> None:
    type, keyed, download_id, signals = SHAPES[name]
    found = SOURCES["lidarr"].identify({}, body_of(name))
    assert (found.type, found.dedupe_key is not None, found.correlation_id) == (type, keyed, download_id)
    said = meaning(body_of(name))
    if isinstance(said, Unheeded):
        assert signals == ()
        assert said.reason.startswith(("kept for history", "a test"))
    else:
        assert tuple(one.__class__.__name__ for one in said) == signals


def test_a_packs_grab_speaks_of_each_of_its_albums() -> None:
    said = meaning(body_of("grab_discography_pack"))
    assert isinstance(said, tuple)
    assert [one.album.mbid for one in said if isinstance(one, Grabbed)] == ALBUMS
    assert said[0] == Grabbed(
        album=AlbumRef(ALBUMS[0], "First Light", 501),
        artist_name="Example Ensemble",
        artist_mbid=UUID("00000000-0000-4000-8000-0000000000a1"),
        download_id=TORRENT,
        release_title="Example Ensemble Discography 2019-2023 FLAC",
        indexer="Example (Prowlarr)",
        size_bytes=1512345678,
        at=AT,
    )


def test_imports_say_what_they_know() -> None:
    first = Imported(album=AlbumRef(ALBUMS[0], "First Light", 501), download_id=TORRENT, files=3, at=AT)
    assert meaning(body_of("download_pack_album_1of3")) == (first,)
    manual = Imported(album=AlbumRef(ALBUMS[1], "Second Wind", 502), files=3, at=AT)
    assert meaning(body_of("download_manual_no_download_id")) == (manual,)
    (upgrade,) = meaning(body_of("download_upgrade"))  # type: ignore[misc]
    assert upgrade.upgrade


def test_failures_are_hints_with_the_little_that_they_bear() -> None:
    hint = DownloadFailureHinted(
        download_id="SABnzbd_nzo_k3x9q2vz", release_title="Example Ensemble - First Light (2019) [FLAC]", at=AT
    )
    assert meaning(body_of("download_failure")) == (hint,)
    assert meaning(changed("download_failure", downloadId=None, releaseTitle=None)) == (
        DownloadFailureHinted(download_id=None, release_title=None, at=AT),
    )
    assert meaning(body_of("import_failure")) == (ImportFailureHinted(),)
    assert meaning(body_of("album_delete")) == (AlbumDeleted(album=AlbumRef(ALBUMS[1], "Second Wind", 502)),)


@pytest.mark.parametrize(
    ("name", "without"),
    [
        ("grab_single", ("artist",)),
        ("grab_single", ("release",)),
        ("grab_single", ("downloadId", "downloadClient", "downloadClientType", "instanceName", "applicationUrl")),
        ("download_partial", ("artist", "tracks", "trackFiles")),
        ("download_upgrade", ("deletedFiles", "isUpgrade")),
        ("album_delete", ("artist", "deletedFiles")),
    ],
)
def test_what_lidarr_leaves_out_is_not_missed(name: str, without: tuple[str, ...]) -> None:
    said = meaning(changed(name, **dict.fromkeys(without)))
    assert isinstance(said, tuple)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "unreadable: "),
        (b"[]", "unreadable: the body is list, not an object"),
        (b"{}", "unreadable: eventType is missing"),
        (b'{"eventType": null}', "unreadable: eventType is missing"),
        (b'{"eventType": "Sabotage"}', "unknown type"),
        (b'{"eventType": "DownloadFailed"}', "unknown type"),
        (b'{"eventType": "Grab"}', "unreadable: a Grab without albums"),
        (b'{"eventType": "Grab", "albums": [{"title": "X"}]}', "unreadable: the album bears no MusicBrainz id"),
        (b'{"eventType": "Grab", "albums": 7}', "unreadable: "),
        (b'{"eventType": "Download"}', "unreadable: a Download without album"),
        (b'{"eventType": "AlbumDelete", "album": {"mbId": "nonsense"}}', "unreadable: "),
    ],
)
def test_what_cannot_be_understood_says_why(body: bytes, reason: str) -> None:
    said = meaning(body)
    assert isinstance(said, Unheeded)
    assert said.reason.startswith(reason)


def row(kind: str, **more: Any) -> bytes:
    plain = {
        "id": 77,
        "albumId": 501,
        "date": "2026-01-02T00:00:00Z",
        "downloadId": TORRENT,
        "eventType": kind,
        "sourceTitle": "A release",
        "album": {"id": 501, "foreignAlbumId": str(ALBUMS[0]), "title": "First Light"},
        "artist": {"artistName": "Example Ensemble", "foreignArtistId": "00000000-0000-4000-8000-0000000000a1"},
        "data": {},
    }
    return json.dumps({**plain, **more}).encode()


ALBUM = AlbumRef(ALBUMS[0], "First Light", 501)


@pytest.mark.parametrize(
    ("kind", "data", "signal"),
    [
        (
            "grabbed",
            {"indexer": "Usenet", "size": "1234"},
            Grabbed(
                album=ALBUM,
                artist_name="Example Ensemble",
                artist_mbid=UUID("00000000-0000-4000-8000-0000000000a1"),
                download_id=TORRENT,
                release_title="A release",
                indexer="Usenet",
                size_bytes=1234,
                at=AT,
                history_id=77,
            ),
        ),
        (
            "downloadFailed",
            {"message": "Aborted, too many missing articles"},
            DownloadFailed(
                album=ALBUM,
                download_id=TORRENT,
                message="Aborted, too many missing articles",
                at=AT,
                history_id=77,
            ),
        ),
        (
            "albumImportIncomplete",
            {"statusMessages": '[{"title": "x", "messages": []}]'},
            ImportIncomplete(
                album=ALBUM, download_id=TORRENT, message='[{"title": "x", "messages": []}]', at=AT, history_id=77
            ),
        ),
        ("downloadImported", {}, Imported(album=ALBUM, download_id=TORRENT, whole=True, at=AT, history_id=77)),
        ("trackFileImported", {}, Imported(album=ALBUM, download_id=TORRENT, at=AT, history_id=77)),
        ("downloadIgnored", {}, DownloadDropped(album=ALBUM, download_id=TORRENT, at=AT, history_id=77)),
    ],
)
def test_rows_of_history_mean_what_their_webhooks_mean(kind: str, data: dict[str, str], signal: Signal) -> None:
    body = row(kind, data=data)
    found = history_identity(json.loads(body))
    assert found == (HISTORY_TYPES[kind], "history:lidarr:77@" + json.loads(body)["date"], TORRENT)
    assert meaning(body, found.type) == (signal,)


@pytest.mark.parametrize(
    "more",
    [
        {"id": 2**63},
        {"date": "2026-01-02T00:00:00"},
        {"album": {"id": 2**80, "foreignAlbumId": str(ALBUMS[0])}},
        {"album": {"id": 501}},
    ],
    ids=["an id beyond bigint", "a time without zone", "an album id beyond bigint", "an album without MBID"],
)
def test_a_row_that_the_tables_could_not_keep_is_unreadable(more: dict[str, Any]) -> None:
    said = meaning(row("grabbed", **more), "HistoryGrabbed")
    assert isinstance(said, Unheeded)
