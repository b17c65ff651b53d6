"""Lidarr is woken by a test of its connection to us, and only of that."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web

from shared.acquisition.commands import WakeLidarr
from shared.errors import TryLater
from tests.worker.effects.scene import Scene
from worker.clients import http
from worker.clients.answers import PeerAway
from worker.clients.lidarr_answers import Field, Notification
from worker.effects.effect import Found
from worker.effects.wake_lidarr import leads_to_us


class Receiver:
    """Takes webhooks at any path, or refuses them."""

    def __init__(self) -> None:
        self.url = ""
        self.status = 200
        self.taken: list[tuple[str, str]] = []

    async def take(self, request: web.Request) -> web.Response:
        self.taken.append((request.path, (await request.json())["eventType"]))
        return web.Response(status=self.status)

    @contextlib.asynccontextmanager
    async def serve(self) -> AsyncIterator[None]:
        app = web.Application()
        app.router.add_post("/{path:.*}", self.take)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield
        finally:
            await runner.cleanup()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver()
    async with made.serve():
        yield made


def ordered_tests(scene: Scene) -> list[str]:
    """The connections that Lidarr was told to test."""
    return [call.body["name"] for call in scene.lidarr.calls if call.path == "/api/v1/notification/test"]


async def test_a_connection_that_was_switched_off_is_on_again(scene: Scene, receiver: Receiver) -> None:
    scene.lidarr.control(webhooks={"url": f"{receiver.url}/webhooks/lidarr"})
    receiver.status = 503
    for seconds in (0, 301):
        scene.lidarr.control(shift_clock=seconds, announce={"type": "ImportFailure"})
        await scene.lidarr.quiet()
    (connection,) = scene.lidarr.world.connections.all.values()
    assert scene.lidarr.world.connections.is_off(connection)
    receiver.status = 200
    assert await scene.perform(WakeLidarr()) == Found()
    assert not scene.lidarr.world.connections.is_off(connection)
    assert receiver.taken[-1] == ("/webhooks/lidarr", "Test")


async def test_only_connections_to_us_are_tested(scene: Scene, receiver: Receiver) -> None:
    for name, path in {"ours": "/webhooks/lidarr", "Lidify's": "/api/webhooks/lidarr/", "another": "/hooks"}.items():
        scene.lidarr.control(webhooks={"name": name, "url": receiver.url + path})
    await scene.perform(WakeLidarr())
    assert ordered_tests(scene) == ["ours", "Lidify's"]


@pytest.mark.parametrize(
    ("url", "ours"),
    [
        ("http://reprise:7373/webhooks/lidarr", True),
        ("https://music.example.org/reprise/webhooks/lidarr/?x=1", True),
        ("http://reprise:7373/api/webhooks/lidarr", True),
        ("http://reprise:7373/webhooks/slskd", False),
        ("http://elsewhere/?next=/webhooks/lidarr", False),
        ("", False),
        (None, False),
        (7, False),
    ],
)
def test_a_connection_is_known_by_its_path(url: Any, ours: bool) -> None:
    fields = (Field(name="url", value=url),)
    assert leads_to_us(Notification(id=1, implementation="Webhook", fields=fields)) is ours
    assert not leads_to_us(Notification(id=1, implementation="Slack", fields=fields))
    assert not leads_to_us(Notification(id=1, implementation="Webhook"))


async def test_what_does_not_reach_us_is_tried_again_soon_and_then_said_once(
    scene: Scene, receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    scene.lidarr.control(webhooks={"url": f"{receiver.url}/webhooks/lidarr"})
    receiver.status = 401
    for attempts in (0, 1):
        with pytest.raises(TryLater) as later:
            await scene.perform(WakeLidarr(), attempts=attempts)
        assert later.value.after == timedelta(minutes=1)
    assert "connection_fails" not in capsys.readouterr().out
    assert await scene.perform(WakeLidarr(), attempts=2) == Found()
    said = capsys.readouterr().out
    assert said.count("lidarr.connection_fails") == 1
    assert "Reprise: lidarr answered 400" in said


async def test_a_test_that_hangs_is_a_failure_not_an_absence(
    scene: Scene, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.lidarr.control(webhooks={"url": f"{receiver.url}/webhooks/lidarr"})
    monkeypatch.setattr(http, "MAX_CHANGE_S", 0.2)
    monkeypatch.setattr(http, "TRY_LIMIT_S", 0.2)
    scene.lidarr.control(slow=0.15)
    with pytest.raises(TryLater):
        await scene.perform(WakeLidarr())


async def test_while_lidarr_is_away_it_waits(scene: Scene) -> None:
    scene.lidarr.control(offline=True)
    with pytest.raises(PeerAway):
        await scene.perform(WakeLidarr())


async def test_without_a_connection_nothing_is_done(scene: Scene) -> None:
    assert await scene.perform(WakeLidarr()) == Found()
    assert ordered_tests(scene) == []
