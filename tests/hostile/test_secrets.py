"""Known secrets, and every way of provoking a process to tell one: none appears anywhere."""

from __future__ import annotations

import asyncio
import base64
import json
import pickle
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit
from uuid import uuid4

import aiohttp
import msgspec
import pytest

from shared.config import Config, Secret
from tests.harness.processes import Processes, free_port
from tests.harness.waiting import until
from tests.hostile.wire import shout

PASSWORD = "pa55/w@rd of the database"
SECRETS = {
    "admin_token": "admin-token-5up3r",
    "webhook_secret": "webhook-s3cret ü",
    "webhook_secret_old": "webhook-0ld-secret",
    "secret_key": "key-of-k3ys-0123456789abcdef",
    "lidarr_api_key": "l1darr-api-key-abcdef",
    "slskd_api_key": "s1skd-api-key-abcdef",
}
GUESS = "gue55-of-somebody"


def shapes(secret: str) -> Iterator[str]:
    """The ways in which a text may hold it."""
    yield secret
    yield quote(secret)
    yield quote(secret, safe="")
    yield json.dumps(secret)[1:-1]
    yield repr(secret)[1:-1]
    yield repr(secret.encode())[2:-1]
    yield base64.b64encode(secret.encode()).decode().rstrip("=")
    yield base64.b64encode(f"user:{secret}".encode()).decode().rstrip("=")


TELLTALES = {shape for secret in [*SECRETS.values(), PASSWORD, GUESS] for shape in shapes(secret)}


def found_in(text: str) -> list[str]:
    return [one for one in TELLTALES if one in text]


@pytest.fixture
def telling(config: Config) -> Config:
    """The config of the test, with peers that nobody answers for and secrets that can be recognised."""
    secrets: dict[str, Any] = {name: Secret(value) for name, value in SECRETS.items()}
    away = f"http://127.0.0.1:{free_port()}"
    return replace(config, lidarr_url=away, slskd_url=away, log_level="debug", **secrets)


async def answers_to_everything(url: str) -> str:
    """Every open and closed door, asked rightly and wrongly, with secrets wherever they can be put."""
    right = {"Authorization": f"Bearer {SECRETS['admin_token']}"}
    shown = [
        right,
        {"Authorization": f"Bearer {GUESS}"},
        {"X-Webhook-Secret": SECRETS["webhook_secret"]},
        {"X-Webhook-Secret": GUESS, "Cookie": f"session={SECRETS['admin_token']}"},
        {"Authorization": aiohttp.encode_basic_auth("user", SECRETS["webhook_secret_old"])},
    ]
    said = []
    async with aiohttp.ClientSession(url, timeout=aiohttp.ClientTimeout(total=30)) as http:

        async def ask(method: str, path: str, **options: Any) -> None:
            async with http.request(method, path, **options) as answer:
                said.append(f"{answer.status} {dict(answer.headers)} {await answer.text()}")

        secrets = {"token": SECRETS["admin_token"], "secret": SECRETS["webhook_secret"], "q": GUESS}
        bad = {"album_mbid": SECRETS["admin_token"], GUESS: 1, "artist_name": 3}
        for headers in shown:
            await ask("POST", "/webhooks/lidarr", headers=headers, data=b'{"eventType": "Grab"')
            await ask("POST", f"/webhooks/{GUESS}", headers=headers, data=b"{}", params=secrets)
            await ask("GET", "/webhooks/slskd/verify", headers=headers, params=secrets)
            await ask("GET", "/api/v1/events", headers=headers, params=secrets)
            await ask("GET", f"/api/v1/jobs/{GUESS}", headers=headers)
            await ask("POST", "/api/v1/jobs", headers=headers, json=bad, params=secrets)
            await ask("PUT", f"/api/v1/settings/{GUESS}", headers=headers, json={"value": SECRETS["secret_key"]})
            await ask("POST", "/api/v1/jobs", headers=headers, data=GUESS.encode() + b"\xff")
        wish = {"album_mbid": str(uuid4()), "artist_name": "a", "album_title": "b"}
        await ask("POST", "/api/v1/jobs", headers=right, json=wish)
        for path in ("/api/v1/events", "/api/v1/jobs", "/api/v1/batches", "/api/v1/settings"):
            await ask("GET", path, headers=right)
        for path in ("/readyz", "/healthz", "/metrics", "/openapi.json", "/docs"):
            await ask("GET", path)
    for name in ("Authorization: Bearer ", "X-Webhook-Secret: "):
        for secret in (SECRETS["webhook_secret_old"], GUESS):
            await shout(int(url.rsplit(":", 1)[1]), f"POST / HTTP/1.1\r\n{name}{secret}\x07\r\n\r\n".encode())
    return "\n".join(said)


async def test_with_everything_well_but_the_peers(telling: Config, tmp_path: Path, pool: Any) -> None:
    processes = Processes(telling, tmp_path)
    try:
        receiver, worker = await asyncio.gather(processes.ingest(), processes.worker())
        said = await answers_to_everything(receiver.url)

        async def tried() -> bool:
            return bool(await pool.fetchval("SELECT count(*) FROM commands WHERE last_error IS NOT NULL"))

        await until(tried, what="Lidarr to be called in vain")
        async with aiohttp.ClientSession() as http, http.get(f"{worker.url}/metrics") as answer:
            said += await answer.text()
    finally:
        await processes.end_all()
    stored = [
        str(dict(row))
        for table in ("event_status", "commands", "decisions", "acquisitions", "settings")
        for row in await pool.fetch(f"SELECT * FROM {table}")
    ]
    # The wrong bodies that a person sent are kept nowhere either; only a webhook's body is, and that's what it is for.
    assert not found_in("\n".join(stored))
    assert "unreachable" in worker.output()
    assert not found_in(receiver.output() + worker.output())
    leaked = [line for line in said.splitlines() if found_in(line)]
    assert not leaked


@pytest.mark.parametrize("way", ["wrong password", "nobody there", "no such host"])
async def test_with_a_database_that_lets_nobody_in(telling: Config, tmp_path: Path, way: str) -> None:
    assert telling.database_url
    right, there = urlsplit(telling.database_url.reveal()), f"127.0.0.1:{free_port()}"
    wrong = f"{right.username}:{quote(PASSWORD, safe='')}@"
    url = {
        "wrong password": urlunsplit(right._replace(netloc=wrong)),
        "nobody there": f"postgresql://{wrong}{there}/reprise",
        "no such host": f"postgresql://{wrong}no-such-host.invalid/reprise",
    }[way]
    redis = f"redis://:{quote(PASSWORD, safe='')}@{there}/0"
    processes = Processes(replace(telling, database_url=Secret(url), redis_url=Secret(redis)), tmp_path)
    try:
        receiver, worker = await asyncio.gather(processes.ingest(), processes.worker())
        said = await answers_to_everything(receiver.url)
        await until(lambda: "worker.waits_for_postgres" in worker.output(), what="the worker to wait")
        await until(lambda: "schema.not_ready" in receiver.output(), what="the receiver to say why")
    finally:
        await processes.end_all()
    assert not found_in(said + receiver.output() + worker.output())
    if way == "wrong password":
        assert "InvalidPasswordError" in worker.output()


@pytest.mark.parametrize(
    "environment",
    [
        {"DATABASE_URL": f"postgresql://u:{PASSWORD}@h:port/db"},
        {"DATABASE_URL": f"mysql://u:{quote(PASSWORD, safe='')}@h/db", "REDIS_URL": f"http://:{GUESS}@h"},
        {"LIDARR_URL": f"http://u:{GUESS}@h", "REPRISE_SECRET_KEY": f"{GUESS}\x07{GUESS}"},
        {"DATABASE_URL": f"postgresql://u:1/{GUESS}@h/db"},
    ],
)
async def test_with_a_bad_configuration(telling: Config, tmp_path: Path, environment: dict[str, str]) -> None:
    processes = Processes(telling, tmp_path)
    started = await processes.start("worker", environment=environment)
    code = await until(lambda: started.child.exit_code, what="it to end")
    assert code == 78, started.output()
    assert not found_in(started.output())


def test_no_form_of_a_config_tells(telling: Config) -> None:
    told = [repr(telling), str(telling), f"{telling}", f"{telling.admin_token:>40}", repr(telling.secret_values)]
    told.append(repr([getattr(telling, name) for name in SECRETS]))
    for encode in (pickle.dumps, msgspec.json.encode, msgspec.to_builtins, json.dumps):
        with pytest.raises((TypeError, msgspec.EncodeError)) as refused:
            encode(telling)
        told.append(str(refused.value))
    assert not found_in("\n".join(told))
