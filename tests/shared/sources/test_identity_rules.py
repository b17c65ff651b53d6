"""What folds and what doesn't: the few natural keys there are, and all that may come again and mean something new."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.sources import SOURCES
from tests.shared.sources.test_lidarr import body_of, changed

identify = SOURCES["lidarr"].identify
of_slskd = SOURCES["slskd"].identify


def key(body: bytes) -> str | None:
    return identify({}, body).dedupe_key


@pytest.mark.parametrize(
    "name",
    [
        "import_failure",
        "test",
        "health",
        "health_restored",
        "rename",
        "retag",
        "grab_single",
        "grab_discography_pack",
        "download_failure",
        "application_update",
        "album_delete",
        "artist_delete",
    ],
)
def test_what_lidarr_may_say_twice_is_never_folded(name: str) -> None:
    assert key(body_of(name)) is None


def test_a_packs_three_downloads_are_three() -> None:
    keys = {key(body_of(f"download_pack_album_{number}of3")) for number in (1, 2, 3)}
    assert len(keys) == 3
    assert None not in keys


def files(*parts: dict[str, Any]) -> bytes:
    return changed("download_partial", trackFiles=list(parts))


def test_a_download_is_the_set_of_files_that_it_made() -> None:
    one, other = {"id": 1, "dateAdded": "2026-01-01T00:00:00Z"}, {"id": 2, "dateAdded": "2026-01-01T00:00:00Z"}
    assert key(files(one, other)) == key(files(other, one))
    assert key(files(one)) != key(files(one, other))
    assert key(files(one)) != key(files({**one, "dateAdded": "2026-06-01T00:00:00Z"})), "a restored Lidarr"
    assert key(files(one)) == key(files({**one, "path": "/elsewhere"}))
    assert key(files()) is None
    assert key(changed("download_partial", trackFiles=None)) is None
    assert key(files({"path": "/no/id"})) is None


def test_two_lidarrs_do_not_fold_into_one() -> None:
    assert key(changed("download_partial", instanceName="Lidarr 2")) != key(body_of("download_partial"))
    assert key(changed("artist_add", instanceName="Lidarr 2")) != key(body_of("artist_add"))


def test_an_artist_is_added_once() -> None:
    assert key(body_of("artist_add")) == key(body_of("artist_add")) is not None
    assert key(changed("artist_add", artist={"id": 43})) != key(body_of("artist_add"))
    assert key(changed("artist_add", artist={})) is None


def slskd_event(event_id: object) -> bytes:
    return json.dumps({"type": "Noop", "version": 0, "id": event_id}).encode()


def test_slskd_says_itself_which_event_it_is() -> None:
    guid = "11111111-1111-4111-8111-11111111111A"
    assert of_slskd({}, slskd_event(guid)).dedupe_key == f"event:{guid.lower()}"
    assert of_slskd({}, slskd_event(guid.lower())) == of_slskd({}, slskd_event(guid))


@pytest.mark.parametrize("event_id", ["00000000-0000-0000-0000-000000000000", "", None, 7, "no guid", ["a"]])
def test_slskds_samples_and_strange_ids_bear_no_key(event_id: object) -> None:
    assert of_slskd({}, slskd_event(event_id)).dedupe_key is None


def test_a_webhook_cannot_pass_for_a_row_of_history() -> None:
    body = b'{"eventType": "HistoryGrabbed", "id": 1, "date": "2026-01-01T00:00:00Z", "album": {}}'
    assert SOURCES["lidarr"].identify({}, body).type == "unreadable"
