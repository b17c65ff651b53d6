"""The simulated Lidarr's webhooks: their bodies, their connections, and how it gives up on a bad one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reprise.simulator import KnobError, LidarrSimulator
from tests.reprise.simulator.stage import FIRST, SECOND, THIRD, Caller, Receiver, add_album

SAMPLES = Path(__file__).parents[2] / "payloads" / "lidarr"
# Whether a file knows its release group depends on the release: both ways are right.
OPTIONAL = {"releaseGroup"}


def shape(value: Any) -> Any:
    """Keys in order, lists by their first element, leaves by kind."""
    if isinstance(value, dict):
        return [(key, shape(inner)) for key, inner in value.items() if key not in OPTIONAL]
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return "number" if isinstance(value, int) and not isinstance(value, bool) else type(value).__name__


def loose(found: Any, wanted: Any) -> bool:
    """Alike, but for lists that are empty in one of the two (genres, tags)."""
    if isinstance(found, list) and isinstance(wanted, list):
        return not found or not wanted or (len(found) == len(wanted) and all(map(loose, found, wanted)))
    if isinstance(found, tuple) and isinstance(wanted, tuple):
        return found[0] == wanted[0] and loose(found[1], wanted[1])
    return bool(found == wanted)


def sample(name: str) -> Any:
    return json.loads((SAMPLES / f"{name}.json").read_text())


async def every_body(lidarr: LidarrSimulator, call: Caller, receiver: Receiver) -> dict[str, bytes]:
    """One body for each sample, as the simulator sends it."""
    lidarr.control(lose=[], application_url="http://lidarr.lan:8686")
    taken: dict[str, bytes] = {}

    async def take(*names: str) -> None:
        await lidarr.quiet()
        assert len(receiver.received) >= len(names), receiver.types
        taken.update({name: one.body for name, one in zip(names, receiver.received, strict=False)})
        receiver.received.clear()

    lidarr.control(plan={"album_mbid": FIRST, "attempts": ["fail", "partial", "upgrade"], "tracks": 1})
    lidarr.control(auto_redownload_failed=False)
    album = await add_album(call, FIRST)
    await take("artist_add")
    search = {"name": "AlbumSearch", "albumIds": [album["id"]]}
    await call("POST", "/api/v1/command", search)
    await take("grab_single", "download_failure")
    await call("POST", "/api/v1/command", search)
    await take("grab_single", "download_partial", "import_failure")
    (row,) = (await call.get("/api/v1/queue"))["records"]
    await call("DELETE", f"/api/v1/queue/{row['id']}")
    await call("POST", "/api/v1/command", search)
    await take("grab_single", "download_upgrade")
    lidarr.control(plan={"album_mbid": SECOND, "attempts": [{"pack": [THIRD]}], "client": "qBittorrent"})
    await add_album(call, SECOND, search=True)
    await take("artist_add", "grab_discography_pack", "download_pack_album_1of3")
    lidarr.control(manual_import={"album_mbid": "00000000-0000-4000-8000-000000000504"})
    await take("download_manual_no_download_id")
    fifth = "00000000-0000-4000-8000-000000000505"
    lidarr.control(plan={"album_mbid": fifth, "client": "Blackhole"})
    await add_album(call, fifth, search=True)
    await take("artist_add", "grab_blackhole_no_download_id")
    for event_type, name in [
        ("Health", "health"),
        ("HealthRestored", "health_restored"),
        ("ApplicationUpdate", "application_update"),
        ("Rename", "rename"),
        ("Retag", "retag"),
    ]:
        lidarr.control(announce={"type": event_type, "album_mbid": FIRST})
        await take(name)
    await call("DELETE", f"/api/v1/album/{album['id']}")
    await take("album_delete")
    await call("DELETE", f"/api/v1/artist/{album['artistId']}", deleteFiles=True)
    await take("artist_delete")
    (connection,) = await call.get("/api/v1/notification")
    await call("POST", "/api/v1/notification/test", connection)
    await take("test")
    return taken


async def test_bodies_have_the_shapes_of_the_samples(lidarr: LidarrSimulator, call: Caller, receiver: Receiver) -> None:
    taken = await every_body(lidarr, call, receiver)
    named = {path.stem for path in SAMPLES.glob("*.json")}
    assert set(taken) == named - {"download_pack_album_2of3", "download_pack_album_3of3"}
    for name, body in taken.items():
        found, wanted = shape(json.loads(body)), shape(sample(name))
        assert loose(found, wanted), f"{name}: {found} is not {wanted}"
        assert body.startswith(b'{\n  "')


async def test_the_envelope(lidarr: LidarrSimulator, call: Caller, receiver: Receiver) -> None:
    lidarr.control(album={"album_mbid": FIRST, "title": "Lumière", "artist_name": "Björk & Co"}, instance_name="Léon")
    await add_album(call, FIRST, search=True)
    await lidarr.quiet()
    first = receiver.received[0]
    assert first.method == "POST"
    assert first.headers["User-Agent"].startswith("Lidarr/2.14.")
    assert first.headers["X-Webhook-Secret"] == "s3cret"
    assert "Lumière".encode() in first.body
    assert list(first.json)[-3:] == ["eventType", "instanceName", "applicationUrl"]
    added = receiver.bodies("Download")[0]["trackFiles"][0]["dateAdded"]
    assert len(added) == len("2025-10-05T12:00:00.1234567Z")


async def test_delivery_modes(lidarr: LidarrSimulator, call: Caller, receiver: Receiver) -> None:
    lidarr.control(delivery="doubled")
    await add_album(call, FIRST, search=True)
    await lidarr.quiet()
    assert receiver.types == ["Grab", "Grab", "Download", "Download"]
    assert receiver.received[0].body == receiver.received[1].body

    receiver.received.clear()
    lidarr.control(delivery=["shuffled", "doubled"], seed=3)
    await add_album(call, SECOND, search=True)
    await lidarr.quiet()
    assert sorted(receiver.types) == ["Download", "Download", "Grab", "Grab"]
    assert receiver.types != ["Grab", "Grab", "Download", "Download"]

    receiver.received.clear()
    lidarr.control(delivery="held")
    await add_album(call, THIRD, search=True)
    await lidarr.quiet()
    assert receiver.types == []
    lidarr.control(release=True)
    await lidarr.quiet()
    assert sorted(receiver.types) == ["Download", "Grab"]

    receiver.received.clear()
    lidarr.control(delivery="lost")
    lidarr.control(announce={"type": "ImportFailure"})
    await lidarr.quiet()
    assert receiver.types == []
    assert lidarr.sent[-1].fault == "lost"
    with pytest.raises(KnobError, match="sometimes"):
        lidarr.control(delivery="sometimes")


async def test_single_types_can_be_lost(lidarr: LidarrSimulator, call: Caller, receiver: Receiver) -> None:
    lidarr.control(lose=["Grab", "ArtistAdd"])
    await add_album(call, FIRST, search=True)
    await lidarr.quiet()
    assert receiver.types == ["Download"]


def connection(url: str, **fields: Any) -> dict[str, Any]:
    values = {"url": url, "method": 2, "username": "reprise", "password": "pässword", "headers": []} | fields
    return {
        "name": "Second",
        "implementation": "Webhook",
        "implementationName": "Webhook",
        "configContract": "WebhookSettings",
        "tags": [],
        "fields": [{"name": name, "value": value} for name, value in values.items()],
        "onGrab": True,
        "onReleaseImport": True,
    }


async def test_a_registered_connection_is_honoured(lidarr: LidarrSimulator, call: Caller, receiver: Receiver) -> None:
    status, known = await call("POST", "/api/v1/notification", connection(f"{receiver.url}/two"))
    assert status == 201
    assert receiver.types == ["Test"]
    assert receiver.received[0].method == "PUT"
    assert receiver.received[0].headers["Authorization"].startswith("Basic ")
    assert {one["name"]: one.get("value") for one in known["fields"]}["password"] == "********"
    status, faults = await call("POST", "/api/v1/notification", connection(receiver.url))
    assert (status, faults[0]["propertyName"]) == (400, "Name")

    login = receiver.received[0].headers["Authorization"]
    status, _ = await call("PUT", f"/api/v1/notification/{known['id']}", known | {"onReleaseImport": False})
    assert status == 202
    assert receiver.received[1].headers["Authorization"] == login  # the mask didn't overwrite the password
    receiver.received.clear()
    await add_album(call, FIRST, search=True)
    await lidarr.quiet()
    assert [one.method for one in receiver.received] == ["POST", "PUT", "POST"]
    assert await call("DELETE", f"/api/v1/notification/{known['id']}") == (200, {})
    assert len(await call.get("/api/v1/notification")) == 1
    assert (await call.get("/api/v1/notification/schema"))[0]["implementation"] == "Webhook"
    assert (await call("GET", "/api/v1/notification/9"))[0] == 404


async def test_a_failing_receiver_refuses_a_connection(call: Caller, receiver: Receiver) -> None:
    receiver.status = 500
    wanted = connection(f"{receiver.url}/two")
    status, faults = await call("POST", "/api/v1/notification", wanted)
    assert (status, faults[0]["propertyName"]) == (400, "Url")
    assert (await call("POST", "/api/v1/notification", wanted, forceSave=True))[0] == 201


async def test_a_redirect_counts_as_success(lidarr: LidarrSimulator, receiver: Receiver) -> None:
    receiver.status = 301
    lidarr.control(announce={"type": "ImportFailure"})
    await lidarr.quiet()
    assert [(one.status, one.fault) for one in lidarr.sent] == [(301, None)]
    assert len(receiver.received) == 1


async def test_back_off_and_its_end(lidarr: LidarrSimulator, call: Caller, receiver: Receiver) -> None:
    async def announce() -> int:
        before = len(lidarr.sent)
        lidarr.control(announce={"type": "ImportFailure"})
        await lidarr.quiet()
        return len(lidarr.sent) - before

    receiver.status = 503
    assert [await announce() for _ in range(2)] == [1, 1]  # five minutes of grace
    lidarr.control(shift_clock=301)
    assert await announce() == 1
    assert await announce() == 0  # off for five minutes: dropped in silence
    assert (await call.get("/api/v1/health"))[0]["source"] == "NotificationStatusCheck"
    lidarr.control(shift_clock=301)
    assert await announce() == 1
    assert await announce() == 0

    (known,) = await call.get("/api/v1/notification")
    lidarr.control(shift_clock=901)
    assert (await call("POST", "/api/v1/notification/test", known))[0] == 400
    assert await announce() == 0  # a test that fails is a failure, too
    receiver.status = 200
    assert await call("POST", "/api/v1/notification/test", known) == (200, {})
    assert await announce() == 1
    assert await call.get("/api/v1/health") == []

    receiver.status = 503
    lidarr.control(back_off=False, shift_clock=7200)
    assert [await announce() for _ in range(4)] == [1, 1, 1, 1]
