"""The `reprise` command: one file per noun. What a command needs is imported when it runs, so that help is quick."""

from __future__ import annotations

import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line of this process, and end it with the exit code."""
    from reprise.cli.front import front
    from reprise.cli.outcome import run

    sys.exit(run(front, sys.argv[1:]))
