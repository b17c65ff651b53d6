"""Who is let in, and that nobody learns a secret from us."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace

import pytest
from multidict import CIMultiDict

from ingest.authentication import Doorkeeper
from shared.config import Config, Secret
from tests.ingest.conftest import receiving

NEW, OLD = "new sécret €", "old-sécret"


def basic(user: str, password: str, encoding: str = "utf-8") -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode(encoding)).decode()


def wire(headers: Mapping[str, str]) -> CIMultiDict[str]:
    """The headers as aiohttp hands them over: bytes of the wire as UTF-8 with surrogateescape."""
    return CIMultiDict({name: value.encode().decode("utf-8", "surrogateescape") for name, value in headers.items()})


@pytest.mark.parametrize("secret", [NEW, OLD])
@pytest.mark.parametrize(
    "headers",
    [
        lambda s: {"X-Webhook-Secret": s},
        lambda s: {"x-webhook-secret": s},
        lambda s: {"Authorization": f"Bearer {s}"},
        lambda s: {"Authorization": f"bearer {s}"},
        lambda s: {"Authorization": basic("", s)},
        lambda s: {"Authorization": basic("anybody", s)},
        lambda s: {"X-Webhook-Secret": "wrong", "Authorization": basic("anybody", s)},
    ],
)
def test_the_new_and_the_old_secret_are_admitted_in_every_way(secret: str, headers: object) -> None:
    door = Doorkeeper([Secret(NEW), Secret(OLD)])
    assert door.admits(wire(headers(secret)))  # type: ignore[operator]


def test_lidarrs_latin_1_is_understood() -> None:
    door = Doorkeeper([Secret(NEW), Secret(OLD)])
    assert door.admits({"Authorization": basic("lidarr", OLD, "latin-1")})
    assert door.admits({"X-Webhook-Secret": OLD.encode("latin-1").decode("utf-8", "surrogateescape")})


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Webhook-Secret": ""},
        {"X-Webhook-Secret": NEW + "x"},
        {"X-Webhook-Secret": NEW[:-1]},
        {"Authorization": NEW},
        {"Authorization": f"Digest {NEW}"},
        {"Authorization": "Basic"},
        {"Authorization": "Basic not-base64!"},
        {"Authorization": basic(NEW, "")},
        {"Authorization": basic(NEW, "wrong")},
        {"Authorization": "Basic " + b64encode(NEW.encode()).decode()},
        {"Authorization": "Bearer "},
    ],
)
def test_anything_else_is_not(headers: dict[str, str]) -> None:
    assert not Doorkeeper([Secret(NEW), None]).admits(wire(headers))


def test_without_a_secret_nobody_is_admitted_and_the_log_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    door = Doorkeeper([None, None])
    for shown in ("", "None", "***"):
        assert not door.admits({"X-Webhook-Secret": shown, "Authorization": basic("", shown)})
    assert door.refuse("10.0.0.1").code == "no_secret_configured"
    said = capsys.readouterr()
    assert "REPRISE_WEBHOOK_SECRET" in said.err + said.out


def test_wrong_secrets_are_limited_by_address_and_let_off_again() -> None:
    now = 0.0
    door = Doorkeeper([Secret(NEW)], clock=lambda: now)
    statuses = [door.refuse("10.0.0.1").status for _ in range(100)]
    assert statuses[:20] == [401] * 20
    assert set(statuses[20:]) == {429}
    assert door.refuse("10.0.0.2").status == 401
    now = 10.0
    assert door.refuse("10.0.0.1").status == 401


def test_addresses_without_end_take_no_memory_without_end() -> None:
    door = Doorkeeper([Secret(NEW)])
    for number in range(5000):
        door.refuse(f"10.0.{number // 256}.{number % 256}")
    assert len(door._accounts) <= 512


async def test_a_right_secret_is_never_refused_beside_a_flood_of_wrong_ones(config: Config) -> None:
    async with receiving(config) as hooks:
        await hooks.settled("ready")
        seen = set()
        for _ in range(40):
            status, _ = await hooks.ask("POST", "/webhooks/lidarr", data=b"{}", headers={"X-Webhook-Secret": "guess"})
            seen.add(status)
            await hooks.post("lidarr", b"{}")
        assert seen == {401, 429}


async def test_secrets_appear_nowhere(config: Config, capfd: pytest.CaptureFixture[str]) -> None:
    guess = "a-guess-that-must-not-be-logged"
    async with receiving(replace(config, webhook_secret_old=Secret("the-old-one-of-the-tests"))) as hooks:
        await hooks.settled("ready")
        answers = [
            await hooks.ask("POST", "/webhooks/lidarr", data=b"{}", headers={"Authorization": f"Bearer {guess}"}),
            await hooks.ask("POST", "/webhooks/lidarr", data=b"{}", headers={"Authorization": basic("u", guess)}),
            await hooks.ask("POST", "/webhooks/lidarr", data=b"{}"),
            await hooks.ask("GET", "/webhooks/lidarr/verify"),
            await hooks.ask("GET", "/readyz"),
        ]
    said = capfd.readouterr()
    for text in (said.out, said.err, str(answers)):
        assert guess not in text
        assert "of-the-tests" not in text
