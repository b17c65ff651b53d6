"""What arrives and isn't HTTP: the parser's report quotes it, secrets and all, and would fill the log with it."""

from __future__ import annotations

import logging

import structlog
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.log import server_logger
from aiohttp.web_protocol import RequestPayloadError

_log = structlog.get_logger("ingest.http")


class _Unquoted(logging.Filter):
    """Lets everything through but the parser's reports."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if not isinstance(error, HttpProcessingError | RequestPayloadError):
            return True
        _log.debug("request.not_http")
        return False


def keep_out_of_the_log() -> None:
    """From now on aiohttp's server says no more of it than that there was something, at debug."""
    if not any(isinstance(one, _Unquoted) for one in server_logger.filters):
        server_logger.addFilter(_Unquoted())
