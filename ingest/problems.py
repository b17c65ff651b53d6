"""Every refusal reads the same: application/problem+json (RFC 9457), whatever went wrong and wherever."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus

import msgspec
import structlog
from aiohttp import web

from ingest.spool import SpoolFull
from shared.errors import Conflict, InvalidInput, NotFound, RepriseError, StaleVersion, Unavailable

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_log = structlog.get_logger("ingest.http")
# The first class that fits decides, so a special one stands before its base.
_STATUSES: tuple[tuple[type[RepriseError], int], ...] = (
    (InvalidInput, 422),
    (NotFound, 404),
    (StaleVersion, 412),
    (Conflict, 409),
    (SpoolFull, 507),
    (Unavailable, 503),
)


def problem(
    status: int, detail: str, *, code: str, headers: Mapping[str, str] | None = None, **extra: object
) -> web.Response:
    """A refusal for people (detail) and machines (code). It must never quote what was sent: that may be a secret."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
    }
    return web.Response(
        status=status,
        body=msgspec.json.encode({**body, **extra}),
        content_type="application/problem+json",
        headers=headers,
    )


def problem_of(error: RepriseError) -> web.Response:
    """The refusal for one of our own errors."""
    status = next((status for kind, status in _STATUSES if isinstance(error, kind)), 503)
    headers: dict[str, str] = {}
    extra: dict[str, object] = {}
    match error:
        case InvalidInput():
            extra["field"] = error.field
        case Unavailable():
            headers["Retry-After"] = str(max(1, round(error.after.total_seconds())) if error.after else 1)
        case _:
            pass
    return problem(status, error.message, code=error.code, headers=headers, **extra)


@web.middleware
async def as_problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn what a handler raises into a problem. Whatever is unforeseen is logged and answered 503: try again."""
    try:
        return await handler(request)
    except web.HTTPException as refusal:
        if refusal.status < 400 or refusal.content_type == "application/problem+json":
            raise
        kept = {name: refusal.headers[name] for name in ("Allow", "Retry-After") if name in refusal.headers}
        code = HTTPStatus(refusal.status).name.lower()
        return problem(refusal.status, HTTPStatus(refusal.status).description, code=code, headers=kept)
    except RepriseError as error:
        return problem_of(error)
    except ConnectionError:
        raise  # the client went away; there is nobody to answer
    except Exception:  # noqa: BLE001 - logged with its traceback
        _log.exception("http.failed", method=request.method, path=request.path)
        return problem(503, "Something unforeseen went wrong; the log says what.", code="unforeseen")
