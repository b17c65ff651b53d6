"""Answers in slskd's own dress: errors are plain strings, nulls are left out."""

from __future__ import annotations

import uuid
from typing import Any

from aiohttp import web


def plain(status: int, message: str) -> web.Response:
    if status == 204 or not message:
        return web.Response(status=status)
    return web.json_response(message, status=status)


def compact(value: Any) -> Any:
    """The value without the keys that are null, at any depth."""
    if isinstance(value, dict):
        return {key: compact(inner) for key, inner in value.items() if inner is not None}
    return [compact(inner) for inner in value] if isinstance(value, list) else value


def guid(value: Any) -> str | None:
    """The canonical text of a GUID, or None where it isn't one."""
    try:
        return str(uuid.UUID(str(value)))
    except ValueError:
        return None
