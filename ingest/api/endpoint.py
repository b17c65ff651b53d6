"""From a request to its handler: admit, read, call, and turn what goes wrong into a problem."""

from __future__ import annotations

from typing import Any

import asyncpg
import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web_protocol import RequestPayloadError

from ingest.api.authentication import Gate, Unauthorized
from ingest.api.reading import MalformedBody, forms_of, query_of, read_body
from ingest.api.routes import HEADERS, Call, Nothing, Route
from ingest.api.services import READ_LIMIT_S, Services
from ingest.problems import Handler, problem, problem_of
from shared.errors import Conflict, InvalidInput, NotFound, RepriseError, Unavailable
from shared.postgres.faults import POSTGRES_FAULTS

_log = structlog.get_logger("ingest.api")

# Trouble of the server's that passes: no connection, all of them taken, the schema not made yet, a failover.
_AWAY = (
    *POSTGRES_FAULTS,
    asyncpg.TransactionRollbackError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.UndefinedTableError,
)


def endpoint(route: Route, services: Services, gate: Gate) -> Handler:
    """The aiohttp handler of a route."""

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            gate.check(request.headers)
            call = Call(services, request, query_of(request.query, route.query), await _body(request, route))
            answered = await _answer(route, call)
        except RepriseError as error:
            answered = _refusal(error)
        for name, value in HEADERS.items():
            answered.headers.setdefault(name, value)
        return answered

    return handle


async def _body(request: web.Request, route: Route) -> object:
    if route.body is None:
        return Nothing()
    try:
        raw = await request.read()
    except (RequestPayloadError, HttpProcessingError) as error:
        raise MalformedBody("The body can't be read as HTTP.") from error
    if route.body_required and not raw.strip():
        fields = " or with ".join(", ".join(form.__struct_encode_fields__) for form in forms_of(route.body))
        raise InvalidInput("body", f"is missing; send JSON with {fields}")
    return read_body(raw.strip(), route.body)


async def _answer(route: Route, call: Call[Any, Any]) -> web.StreamResponse:
    try:
        return await route.handler(call)
    except asyncpg.QueryCanceledError as error:
        raise Unavailable(f"That took longer than {READ_LIMIT_S:.0f} s; ask for less, e.g. with since.") from error
    except asyncpg.DataError as error:
        # What our own checks let through, Postgres can't store.
        _log.warning("api.unstorable", route=route.name, error=str(error))
        raise InvalidInput("request", "has a value in it that can't be stored") from error
    except _AWAY as error:
        _log.warning("api.unavailable", route=route.name, error=f"{type(error).__name__}: {error}")
        raise Unavailable("Postgres doesn't answer now. Try again soon.") from error


def _refusal(error: RepriseError) -> web.Response:
    match error:
        case Unauthorized():
            challenge = {"WWW-Authenticate": 'Bearer realm="Reprise"'}
            return problem(401, error.message, code=error.code, headers=challenge)
        case MalformedBody():
            return problem(400, error.message, code=error.code)
        case InvalidInput() | NotFound() | Conflict() | Unavailable():
            return problem_of(error)
        case _:
            # TryLater and its kin speak to workers; here they mean: not now.
            return problem_of(Unavailable(error.message))
