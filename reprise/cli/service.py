"""Run one of the long-lived processes: logging first, then uvloop, and a crash goes into the log with its traceback."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import click

from reprise.cli.outcome import FAILED
from shared.config import Config
from shared.errors import RepriseError


def run_service(config: Config, process: str, serve: Callable[[Config], Coroutine[Any, Any, None]]) -> None:
    """Serve until told to stop. What we know how to explain is raised; anything else is logged, and ends in exit 1."""
    import structlog
    import uvloop

    from shared.telemetry.logging import configure_logging

    configure_logging(config, process)
    try:
        uvloop.run(serve(config))
    except RepriseError:
        raise
    except Exception as error:
        structlog.get_logger(process).exception("process.crashed")
        raise click.exceptions.Exit(FAILED) from error


def log_to_stderr(config: Config, process: str) -> None:
    """For a command that starts servers: what they log must not mix with its answer."""
    from shared.telemetry.logging import configure_logging

    configure_logging(config, process)
