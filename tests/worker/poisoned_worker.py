"""A worker like any other, whose process is killed by every event of one type: started by tests as a script."""

from __future__ import annotations

import os
import signal

from reprise.cli.service import run_service
from shared.acquisition.signals import Signal, Unheeded
from shared.config import load_config
from shared.eventlog.event import Event
from shared.sources import interpret
from worker import serve


def deadly(event: Event) -> tuple[Signal, ...] | Unheeded:
    """As the kernel does it when memory is short."""
    if event.type == "Poison":
        os.kill(os.getpid(), signal.SIGKILL)
    return interpret(event)


if __name__ == "__main__":
    serve.interpret = deadly
    run_service(load_config(os.environ), "worker", serve.serve)
