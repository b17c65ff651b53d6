"""The contract: complete, valid, readable offline; and who may use what it describes."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any
from uuid import uuid4

import aiohttp
import msgspec
import pytest
from aiohttp import web

from ingest.api import add_api
from ingest.api.openapi import document
from ingest.app import build_app, open_parts
from shared.config import Config, Secret

# The same receiver under other names, and a slash at the end for those who write one.
_BY_NAME = re.compile(r"^/webhooks/(lidarr|slskd|soulseek)\b")
_ALIASES = re.compile(r"^/api/webhooks/|/$")


async def test_every_route_is_in_the_contract_and_the_other_way_round(config: Config) -> None:
    async with open_parts(config) as parts:
        app = build_app(parts, add_api)
        served = {
            (route.method.lower(), _BY_NAME.sub("/webhooks/{source}", route.resource.canonical))
            for route in app.router.routes()
            if route.resource and route.method != "HEAD" and not _ALIASES.search(route.resource.canonical)
        }
    described = {(method, path) for path, methods in document()["paths"].items() for method in methods}
    assert served == described


async def test_the_contract_is_whole(api: Any) -> None:
    contract = await api.get("/openapi.json")
    assert contract == msgspec.json.decode(msgspec.json.encode(document()))
    assert contract["openapi"] == "3.1.0"
    names = set(re.findall(r'"#/components/schemas/([^"]+)"', msgspec.json.encode(contract).decode()))
    assert names <= contract["components"]["schemas"].keys()
    operations = [one for methods in contract["paths"].values() for one in methods.values()]
    assert len({one["operationId"] for one in operations}) == len(operations)
    assert {tag for one in operations for tag in one["tags"]} == {tag["name"] for tag in contract["tags"]}
    for path, methods in contract["paths"].items():
        for one in methods.values():
            inside = {parameter["name"] for parameter in one.get("parameters", []) if parameter["in"] == "path"}
            assert inside == set(re.findall(r"{(\w+)}", path))


async def test_the_bare_address_leads_a_person_to_the_docs_and_refuses_a_webhook(api: Any) -> None:
    async with api.http.get("/") as page:
        assert page.url.path == "/docs"
    # Lidarr counts a redirect as success, and would lose the event of a connection with half an address.
    async with api.http.post("/", data=b"{}", allow_redirects=False) as refused:
        assert refused.status == 405


async def test_the_docs_need_no_other_host(api: Any) -> None:
    async with api.http.get("/docs") as page:
        text = await page.text()
        policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert not re.findall(r"""(?:src|href|url)\s*[=(]\s*["']?(?:https?:)?//""", text)
    assert "<script" not in text
    for path, methods in document()["paths"].items():
        assert path in text
        for one in methods.values():
            assert f'id="{one["operationId"]}"' in text
    for target in re.findall(r'href="#([^"]+)"', text):
        assert f'id="{target}"' in text


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic admin"}])
async def test_nothing_of_the_api_is_open(api: Any, headers: dict[str, str]) -> None:
    for path, methods in document()["paths"].items():
        if not path.startswith("/api/"):
            continue
        for method in methods:
            async with api.http.request(method, re.sub(r"{\w+}", str(uuid4()), path), headers=headers) as refused:
                assert refused.status == 401
                assert refused.headers["WWW-Authenticate"].startswith("Bearer")
                assert "REPRISE_ADMIN_TOKEN" in (await refused.json())["detail"]


async def test_without_a_token_the_api_is_shut(config: Config) -> None:
    async with open_parts(replace(config, admin_token=None)) as parts:
        runner = web.AppRunner(build_app(parts, add_api))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        async with aiohttp.ClientSession(f"http://127.0.0.1:{runner.addresses[0][1]}") as http:
            for token in ("", "x", "None"):
                async with http.get("/api/v1/jobs", headers={"Authorization": f"Bearer {token}"}) as refused:
                    assert refused.status == 401
                    assert "Set REPRISE_ADMIN_TOKEN" in (await refused.json())["detail"]
        await runner.cleanup()


async def test_without_postgres_the_answer_is_503_at_once(config: Config, unused_tcp_port: int, album: Any) -> None:
    away = replace(config, database_url=Secret(f"postgresql://nobody@127.0.0.1:{unused_tcp_port}/none"))
    assert config.admin_token
    headers = {"Authorization": f"Bearer {config.admin_token.reveal()}"}
    async with open_parts(away) as parts:
        runner = web.AppRunner(build_app(parts, add_api))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        async with aiohttp.ClientSession(f"http://127.0.0.1:{runner.addresses[0][1]}", headers=headers) as http:
            for method, path, body in (
                ("GET", "/api/v1/events", None),
                ("GET", "/api/v1/settings", None),
                ("POST", "/api/v1/jobs", album),
            ):
                async with http.request(method, path, json=body) as refused:
                    assert refused.status == 503
                    assert refused.headers["Retry-After"]
                    assert "Postgres" in (await refused.json())["detail"]
        await runner.cleanup()
