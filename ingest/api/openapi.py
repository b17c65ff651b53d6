"""The contract (OpenAPI 3.1), generated from the route table and the types that the code itself works with."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

import msgspec

from ingest.api.reading import forms_of
from ingest.api.routes import PREFIX, Nothing, Route
from ingest.api.shapes import Problem
from ingest.api.table import DOORS, ROUTES, Door

Json = dict[str, Any]

_REF = "#/components/schemas/{name}"
_TAGS = {
    "events": "History: everything that happened, kept for ever and exactly.",
    "jobs": "What people asked for.",
    "batches": "Albums wanted together.",
    "leftovers": "What failed downloads left behind.",
    "settings": "What can be changed while everything runs.",
    "admin": "Retry and replay.",
    "doors": "Webhooks, health and this contract.",
}
_REFUSALS = {
    400: "The body is no JSON.",
    401: "The token or secret is missing or wrong.",
    404: "There is no such thing.",
    408: "The body came too slowly.",
    409: "It doesn't apply in the state that the thing is in; `detail` names it.",
    412: "It has changed since you read it.",
    413: "The body is too large.",
    422: "A value is wrong; `field` names it, `detail` says what it should be.",
    429: "Too many wrong secrets.",
    503: "Postgres doesn't answer now. Try again soon.",
    507: "The disk is full.",
}
_PARAMETERS = {
    "id": {"schema": {"type": "string", "format": "uuid"}, "description": "Its id."},
    "name": {"schema": {"type": "string"}, "description": "The setting's name."},
    "source": {"schema": {"type": "string"}, "description": "lidarr, slskd or soulseek (the same as slskd)."},
}


def document() -> Json:
    """The whole contract as plain data."""
    statuses = [route.answers for route in ROUTES] + [door.answers for door in DOORS]
    answers = [kind for each in statuses for kind in each.values() if kind is not bytes]
    bodies = [form for route in ROUTES if route.body for form in forms_of(route.body)]
    queries = list(dict.fromkeys(route.query for route in ROUTES if route.query is not Nothing))
    kinds = [*answers, *bodies, *queries, Problem]
    found, components = msgspec.json.schema_components(kinds, ref_template=_REF)
    schemas = dict(zip(map(repr, kinds), found, strict=True))
    # A query is parameters rather than a value; what it refers to stays.
    parameters = {query: _query_parameters(components.pop(query.__name__)) for query in queries}
    paths: dict[str, Json] = {}
    for route in ROUTES:
        paths.setdefault(PREFIX + route.path, {})[route.method.lower()] = _operation(route, schemas, parameters)
    for door in DOORS:
        paths.setdefault(door.path, {})[door.method.lower()] = _door(door, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Reprise",
            "version": version("reprise"),
            "summary": "The reliable backbone between Lidarr, Soulseek and the music people asked for.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "security": [{"adminToken": []}],
        "tags": [{"name": name, "description": text} for name, text in _TAGS.items()],
        "paths": paths,
        "components": {"schemas": dict(sorted(components.items())), "securitySchemes": _schemes()},
    }


def _schemes() -> Json:
    return {
        "adminToken": {"type": "http", "scheme": "bearer", "description": "REPRISE_ADMIN_TOKEN"},
        "webhookSecret": {"type": "apiKey", "in": "header", "name": "X-Webhook-Secret", "description": "Or as below."},
        "webhookBasic": {"type": "http", "scheme": "basic", "description": "Any user name, the secret as password."},
        "webhookBearer": {"type": "http", "scheme": "bearer", "description": "REPRISE_WEBHOOK_SECRET"},
    }


def _operation(route: Route, schemas: Mapping[str, Json], queries: Mapping[Any, list[Json]]) -> Json:
    names = re.findall(r"{(\w+)}", route.path)
    headers = [
        {"name": name, "in": "header", "required": False, "description": text, "schema": {"type": "string"}}
        for name, text in route.headers.items()
    ]
    parameters = [*_path_parameters(names), *queries.get(route.query, []), *headers]
    refusals = {401, 503, 422, *((404,) if names else ()), *route.refusals, *((400, 413) if route.body else ())}
    operation: Json = {"operationId": route.name, "tags": [route.tag], "summary": route.summary}
    if parameters:
        operation["parameters"] = parameters
    if route.body:
        forms = [schemas[repr(form)] for form in forms_of(route.body)]
        content = {"application/json": {"schema": {"oneOf": forms} if len(forms) > 1 else forms[0]}}
        operation["requestBody"] = {"required": route.body_required, "content": content}
    operation["responses"] = _responses(route.answers, refusals, schemas, route.etag, "application/octet-stream")
    return operation


def _door(door: Door, schemas: Mapping[str, Json]) -> Json:
    words = [word.strip("{}").replace(".", "_") for word in door.path.split("/") if word]
    operation: Json = {
        "operationId": "_".join([door.method.lower(), *words]),
        "tags": ["doors"],
        "summary": door.summary,
        "security": [{"webhookSecret": []}, {"webhookBasic": []}, {"webhookBearer": []}] if door.secret else [],
    }
    if parameters := _path_parameters(re.findall(r"{(\w+)}", door.path)):
        operation["parameters"] = parameters
    if door.method in {"POST", "PUT"}:
        operation["requestBody"] = {"required": False, "content": {"*/*": {"schema": {}}}}
    operation["responses"] = _responses(door.answers, door.refusals, schemas, False, door.media)
    return operation


def _path_parameters(names: Iterable[str]) -> list[Json]:
    return [{"name": name, "in": "path", "required": True, **_PARAMETERS[name]} for name in names]


def _responses(
    answers: Mapping[int, Any], refusals: Iterable[int], schemas: Mapping[str, Json], etag: bool, media: str
) -> Json:
    responses: Json = {}
    for status, kind in answers.items():
        described: Json = {"description": HTTPStatus(status).phrase}
        if kind is bytes:
            described["content"] = {media: {"schema": {}}}
            if media == "application/octet-stream":
                described["content"]["application/json"] = {"schema": {}}
        else:
            described["content"] = {"application/json": {"schema": schemas[repr(kind)]}}
        if etag and "version" in kind.__struct_fields__:
            described["headers"] = {"ETag": {"description": "The version, in quotes.", "schema": {"type": "string"}}}
        responses[str(status)] = described
    problem = {"application/problem+json": {"schema": schemas[repr(Problem)]}}
    for status in sorted(set(refusals)):
        responses.setdefault(str(status), {"description": _REFUSALS[status], "content": problem})
    return responses


def _query_parameters(schema: Json) -> list[Json]:
    """The fields of a query struct as parameters. Left out means no filter, so null is no value of theirs."""
    found = []
    for name, field in schema["properties"].items():
        kept = {key: value for key, value in field.items() if key not in {"description", "default"}}
        options = [one for one in kept.pop("anyOf", []) if one != {"type": "null"}]
        kept = {"anyOf": options, **kept} if len(options) > 1 else {**(options[0] if options else {}), **kept}
        if field.get("default") is not None:
            kept["default"] = field["default"]
        parameter = {"name": name, "in": "query", "required": False, "schema": kept}
        found.append(parameter | ({"description": field["description"]} if "description" in field else {}))
    return found
