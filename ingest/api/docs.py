"""The contract for machines (/openapi.json) and for people (/docs): one page, complete in itself, from one document."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from functools import cache
from typing import Any

import msgspec
from aiohttp import web
from jinja2 import Environment, PackageLoader

from ingest.api.openapi import document
from ingest.api.routes import HEADERS


def routes_of_docs() -> list[web.RouteDef]:
    """Both are open: they say what anybody can read in the source, and nothing of this installation."""
    return [web.get("/openapi.json", _openapi), web.get("/docs", _docs), web.get("/", _front)]


async def _front(request: web.Request) -> web.Response:
    """Whoever opens the bare address finds the readable docs."""
    raise web.HTTPFound("/docs")


async def _openapi(request: web.Request) -> web.Response:
    return web.Response(body=contract(), content_type="application/json", headers=dict(HEADERS))


async def _docs(request: web.Request) -> web.Response:
    text, policy = page()
    return web.Response(text=text, content_type="text/html", headers={**HEADERS, "Content-Security-Policy": policy})


@cache
def contract() -> bytes:
    """The document as JSON."""
    return msgspec.json.format(msgspec.json.encode(document()), indent=2)


@cache
def page() -> tuple[str, str]:
    """The page, and the policy under which nothing but its own style applies."""
    environment = Environment(
        loader=PackageLoader("ingest.api"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["type"] = type_text
    style = environment.get_template("docs.css").render()
    text = environment.get_template("docs.html").render(document=document(), style=style)
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return text, policy


def type_text(schema: dict[str, Any]) -> str:
    """A schema in a few words, e.g. `list of Job` or `integer, 1 to 200`."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        return " or ".join(type_text(one) for one in choices)
    if "enum" in schema:
        return " | ".join(str(one) for one in schema["enum"])
    kind = str(schema.get("type", "anything"))
    if kind == "array":
        kind = f"list of {type_text(schema['items'])}" if "items" in schema else "list"
    words = [schema.get("format", kind), *_range(schema)]
    return ", ".join(words)


def _range(schema: dict[str, Any]) -> list[str]:
    low, high = (
        next((schema[key] for key in keys if key in schema), None)
        for keys in (("minimum", "minLength", "minItems"), ("maximum", "maxLength", "maxItems"))
    )
    unit = " characters" if "minLength" in schema or "maxLength" in schema else ""
    if high is None:
        return [] if low is None else [f"at least {low}{unit}"]
    return [f"{low} to {high}{unit}" if low is not None else f"at most {high}{unit}"]
