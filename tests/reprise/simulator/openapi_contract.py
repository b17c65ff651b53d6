"""Holds answers against the schemas that Lidarr publishes."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
from jsonschema.protocols import Validator

EXCERPT = Path(__file__).parent / "contract" / "lidarr-openapi-excerpt.json"
FILE_SYSTEM_ENTRY: dict[str, Any] = {
    "type": "object",
    "properties": {
        "type": {"enum": ["parent", "drive", "folder", "file"]},
        "name": {"type": "string"},
        "path": {"type": "string"},
        "extension": {"type": "string"},
        "size": {"type": "integer"},
        "lastModified": {"type": "string", "format": "date-time"},
    },
    "required": ["type", "name", "path", "size"],
    "additionalProperties": False,
}
# Where the published description says nothing, the answers that Lidarr's controllers give.
UNDESCRIBED: dict[tuple[str, str], dict[str, Any]] = {
    ("put", "/api/v1/album/monitor"): {
        "type": "array",
        "items": {"$ref": "#/components/schemas/AlbumResource"},
    },
    ("post", "/api/v1/manualimport"): {
        "type": "array",
        "items": {"$ref": "#/components/schemas/ManualImportResource"},
    },
    ("put", "/api/v1/artist/editor"): {
        "type": "array",
        "items": {"$ref": "#/components/schemas/ArtistResource"},
    },
    ("get", "/api/v1/filesystem"): {
        "type": "object",
        "properties": {
            "parent": {"type": "string"},
            "directories": {"type": "array", "items": FILE_SYSTEM_ENTRY},
            "files": {"type": "array", "items": FILE_SYSTEM_ENTRY},
        },
        "required": ["directories", "files"],
        "additionalProperties": False,
    },
    ("get", "/api/v1/filesystem/type"): {
        "type": "object",
        "properties": {"type": {"enum": ["file", "folder"]}},
        "required": ["type"],
        "additionalProperties": False,
    },
    ("get", "/api/v1/filesystem/mediafiles"): {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {"path": {"type": "string"}, "name": {"type": "string"}},
            "required": ["path", "name"],
            "additionalProperties": False,
        },
    },
    ("put", "/api/v1/album"): {"$ref": "#/components/schemas/AlbumResource"},
    ("put", "/api/v1/artist"): {"$ref": "#/components/schemas/ArtistResource"},
    ("put", "/api/v1/notification"): {"$ref": "#/components/schemas/NotificationResource"},
}
EMPTY = {"type": "object", "maxProperties": 0}


def as_json_schema(node: Any) -> Any:
    """OpenAPI 3.0 to JSON Schema: `nullable` becomes a type, components become definitions."""
    if isinstance(node, list):
        return [as_json_schema(one) for one in node]
    if not isinstance(node, dict):
        return node
    done = {key: as_json_schema(value) for key, value in node.items() if key != "nullable"}
    if "$ref" in done:
        done["$ref"] = done["$ref"].replace("#/components/schemas/", "#/$defs/")
    if node.get("nullable") and "type" in done:
        done["type"] = [done["type"], "null"]
    return done


@cache
def excerpt() -> Any:
    return json.loads(EXCERPT.read_text())


@cache
def validator(method: str, template: str) -> Validator:
    described = excerpt()["responses"].get(template, {}).get(method)
    schema = described or UNDESCRIBED.get((method, template)) or EMPTY
    schemas = as_json_schema(excerpt()["schemas"])
    # Described by what all commands have in common; written with all that each has.
    schemas["Command"]["additionalProperties"] = True
    whole = as_json_schema(schema) | {"$defs": schemas}
    return jsonschema.Draft202012Validator(whole, format_checker=jsonschema.FormatChecker())


def template_of(path: str) -> str:
    return re.sub(r"/\d+(?=/|$)", "/{id}", path)


def check(method: str, path: str, answer: Any) -> None:
    """Raise AssertionError where an answer isn't what Lidarr describes."""
    faults = sorted(validator(method.lower(), template_of(path)).iter_errors(answer), key=str)
    assert not faults, "\n".join(f"{method} {path}: {list(fault.path)}: {fault.message}" for fault in faults[:5])
