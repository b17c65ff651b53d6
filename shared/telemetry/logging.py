"""One way to log for everything in the process: structlog's lines and the libraries', as JSON or for eyes.

Lines go to stderr, so that stdout stays free for what a command answers.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any

import structlog
from structlog.typing import Processor

from shared.config import Config
from shared.telemetry.redaction import Redactor

# Talkative at info, a line or more per call or wake-up; ours say the same with more meaning.
_QUIETER = {
    "aiohttp.access": logging.WARNING,
    "arq": logging.ERROR,  # it warns of wake-ups that outlived themselves
    "asyncio": logging.WARNING,
    "asyncpg": logging.WARNING,
    "redis": logging.WARNING,
}

_redactor = Redactor()


def configure_logging(config: Config, process: str) -> None:
    """Send all logging of this process to stderr; every line bears `process`, and no line bears a secret.

    May be called again (the last call stands); secrets protected earlier stay protected.
    """
    _redactor.protect(*config.secret_values())
    level = logging.getLevelNamesMapping()[config.log_level.upper()]
    as_json = config.log_format == "json" or (config.log_format == "auto" and not sys.stderr.isatty())

    def name_process(logger: Any, method: str, event_dict: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event_dict.setdefault("process", process)
        return event_dict

    before: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        name_process,
        structlog.processors.StackInfoRenderer(),
        # Before the redactor: a traceback quotes values. Never rich's, which prints local variables.
        structlog.processors.format_exc_info,
    ]
    finish = _json_line if as_json else _console_line()
    structlog.configure(
        processors=[*before, _redactor, finish],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=_StderrLogger,
        cache_logger_on_first_use=False,
    )

    handler = logging.StreamHandler(_Stderr())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, structlog.stdlib.ExtraAdder()],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *before,
                _redactor,
                finish,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name, quiet in _QUIETER.items():
        logging.getLogger(name).setLevel(level if level <= logging.DEBUG else max(level, quiet))
    logging.captureWarnings(capture=True)
    sys.excepthook = _log_crash


def protect(*secrets: str) -> None:
    """Mask these values in every line from now on (for secrets that are made or changed after start)."""
    _redactor.protect(*secrets)


class _Stderr:
    """Whatever stderr is at the time of writing: tests and supervisors replace it."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


class _StderrLogger:
    """Where structlog's finished lines go."""

    def __init__(self, *args: object) -> None:
        pass

    def msg(self, line: str) -> None:
        # One write per line, or lines of different threads and children run into each other.
        sys.stderr.write(line + "\n")
        sys.stderr.flush()

    debug = info = warning = error = critical = msg


def _json_line(logger: Any, method: str, event_dict: MutableMapping[str, Any]) -> str:
    head = {key: event_dict.pop(key) for key in ("time", "level", "process", "event") if key in event_dict}
    return json.dumps({**head, **event_dict})


def _console_line() -> Processor:
    return structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(),
        exception_formatter=structlog.dev.plain_traceback,
        timestamp_key="time",
    )


def _log_crash(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, traceback)
        return
    structlog.get_logger().critical("process.crashed", exc_info=(kind, error, traceback))
