"""What arrives and isn't HTTP: the parser's report quotes it, secrets and all, and would fill the log with it."""

from __future__ import annotations

import logging

import structlog
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.log import server_logger
from aiohttp.web_protocol import RequestPayloadError

_log = structlog.get_logger("ingest.http")


class _Ours(logging.Filter):
    """Lets through what may be our fault: neither the parser's reports, nor that a client went away in mid-request."""

    def filter(self, record: logging.LogRecord) -> bool:
        match record.exc_info[1] if record.exc_info else None:
            case HttpProcessingError() | RequestPayloadError():
                _log.debug("request.not_http")
            case ConnectionError():
                _log.debug("request.broken_off")
            case _:
                return True
        return False


def keep_out_of_the_log() -> None:
    """From now on aiohttp's server says no more of it than that there was something, at debug."""
    if not any(isinstance(one, _Ours) for one in server_logger.filters):
        server_logger.addFilter(_Ours())
