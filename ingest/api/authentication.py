"""Who may use the API: whoever shows the admin token. Without a configured token that is nobody."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

import structlog

from shared.config import Secret
from shared.errors import RepriseError

_log = structlog.get_logger("ingest.api")


class Unauthorized(RepriseError):  # noqa: N818 - named like those in shared/errors.py
    """The admin token is missing or wrong; the message says how to show it."""

    code = "unauthorized"


class Gate:
    """Compares digests in constant time, so that neither length nor likeness shows."""

    def __init__(self, token: Secret | None) -> None:
        self._digest = None if token is None else _digest(token.reveal())
        if token is None:
            _log.error(
                "api.closed", reason="no admin token is configured, so the API is shut", cure="set REPRISE_ADMIN_TOKEN"
            )

    def check(self, headers: Mapping[str, str]) -> None:
        """Raises Unauthorized."""
        scheme, _, shown = headers.get("Authorization", "").partition(" ")
        fits = hmac.compare_digest(_digest(shown.strip()), self._digest or bytes(32))
        if self._digest is None:
            raise Unauthorized("The API is shut: no admin token is configured. Set REPRISE_ADMIN_TOKEN and restart.")
        if not fits or scheme.lower() != "bearer":
            raise Unauthorized("Show the admin token (REPRISE_ADMIN_TOKEN) as `Authorization: Bearer <token>`.")


def _digest(text: str) -> bytes:
    # aiohttp decodes header bytes as UTF-8 with surrogateescape (http_parser.py), so this gives the bytes back
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()
