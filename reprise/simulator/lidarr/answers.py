"""Errors and refusals in Lidarr's own words and shapes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from aiohttp import web

from reprise.simulator.knobs import Json
from reprise.simulator.peer import answer
from reprise.simulator.query import Query


class ApiError(Exception):
    """Ends a request with an error that Lidarr would answer."""

    def __init__(self, response: web.Response) -> None:
        super().__init__(response.status)
        self.response = response


def error(status: int, message: str = "") -> web.Response:
    if status == 401:
        return web.Response(status=401)
    if status == 503:
        return answer({"errorMessage": "Lidarr is still starting; try again soon"}, 503)
    known = {404: "NotFound", 405: "MethodNotAllowed", 415: "Unsupported Media Type"}
    text = message or known.get(status, "Simulated failure")
    return answer({"message": text, "description": f"{text} (simulated)"}, status)


def invalid(property_name: str, message: str, value: Any, code: str) -> web.Response:
    """One validation failure, as the array that Lidarr answers with 400."""
    failure = {
        "isWarning": False,
        "propertyName": property_name,
        "errorMessage": message,
        "attemptedValue": value,
        "severity": "error",
        "errorCode": code,
        "formattedMessageArguments": [],
        "formattedMessagePlaceholderValues": {"propertyName": property_name, "propertyValue": value},
    }
    return answer([failure], 400)


def missing(what: str, number: int | str) -> ApiError:
    return ApiError(error(404, f"{what} with ID {number} does not exist"))


async def body_of(request: web.Request) -> Json:
    """The JSON object that was sent. Raises ApiError: 415 without a JSON content type, 400 otherwise."""
    if request.content_type not in ("application/json", "text/json"):
        raise ApiError(error(415))
    try:
        found = msgspec.json.decode(await request.read())
    except msgspec.DecodeError as fault:
        raise ApiError(error(400, str(fault))) from fault
    if not isinstance(found, dict):
        raise ApiError(error(400, "A JSON object was expected"))
    return found


def page(records: Sequence[Json], query: Query, *, sort_key: str, direction: str = "descending") -> web.Response:
    """One page of `records`; ten to a page unless asked otherwise."""
    number = max(1, query.number("page", 1) or 1)
    size = max(1, query.number("pageSize", 10) or 10)
    start = (number - 1) * size
    return answer(
        {
            "page": number,
            "pageSize": size,
            "sortKey": query.text("sortKey", sort_key),
            "sortDirection": query.text("sortDirection", direction),
            "totalRecords": len(records),
            "records": list(records[start : start + size]),
        }
    )


def number_of(request: web.Request, body: Json | None = None) -> int:
    """The id in the path, else that in the body."""
    found: Any = request.match_info.get("id") or (body or {}).get("id") or 0
    return int(found)
