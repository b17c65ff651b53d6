"""Migrates up and down again, killed -9 after queries and statements on the way: python -m … DSN EVERY.

EVERY is 1 for each of them, or more to leave some out.

Each run is a fork of this process, so that a hundred of them take seconds. Written to stdout is how often each step was
killed; what a killed run left behind that shouldn't be there ends it with an error.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any
from unittest.mock import patch

from shared.postgres import pool
from shared.postgres.fingerprint import fingerprint
from shared.postgres.migrate import migrate
from shared.postgres.rollback import roll_back
from tests.shared.postgres import stage

STEPS = (*stage.STEPS, stage.PIECES)
_FIRST_LOOKS = 10


class Fate:
    """Kills this process at the nth thing that happens on any of its connections."""

    def __init__(self, moments: int) -> None:
        self._left = moments

    def __call__(self, *_: object) -> None:
        self._left -= 1
        if not self._left:
            os.kill(os.getpid(), signal.SIGKILL)

    async def connect(self, dsn: str, **how: Any) -> Any:
        connection = await pool.connect(dsn, **how)
        connection.add_log_listener(self)  # a NOTICE for each statement of a migration
        connection.add_query_logger(self)
        return connection


async def up(dsn: str, fate: Fate, count: int) -> None:
    lines: list[str] = []
    with patch("shared.postgres.migrate.connect", fate.connect):
        await migrate(dsn, lines.append, STEPS[:count])
    assert not [line for line in lines if "other hands" in line], lines


async def again(dsn: str, fate: Fate, count: int) -> None:
    """The same, on a schema that isn't tracked any more."""
    await up(dsn, fate, count)


async def down(dsn: str, fate: Fate, count: int) -> None:
    connection = await fate.connect(dsn)
    await roll_back(connection, STEPS, count - 1, lambda line: None)


def killed(work: Callable[[], Coroutine[Any, Any, None]]) -> bool:
    """Do it in a process of its own, and say whether that was killed."""
    pid = os.fork()
    if not pid:
        code = 1
        try:
            asyncio.run(work())
            code = 0
        finally:
            os._exit(code)
    _, ended = os.waitpid(pid, 0)
    if os.WIFSIGNALED(ended) and os.WTERMSIG(ended) == signal.SIGKILL:
        return True
    assert os.waitstatus_to_exitcode(ended) == 0, "a run after a killed one failed: see above"
    return False


async def standing(dsn: str, count: int) -> None:
    """The schema is that of the step, exactly."""
    golden = STEPS[count - 1].golden if count else {}
    async with stage.connected(dsn) as connection:
        found = await fingerprint(connection)
    assert golden is None or found == golden, count


def main(dsn: str, every: int) -> None:
    ways = [(up, count, count) for count in range(1, len(STEPS) + 1)]
    ways.insert(len(stage.STEPS), (again, len(stage.STEPS), len(stage.STEPS)))
    ways += [(down, count, count - 1) for count in range(len(STEPS), 0, -1)]
    for way, count, result in ways:
        if way is again:
            asyncio.run(stage.untrack(dsn))
        # Every run begins with the same looks; to be killed at each of them once will do.
        first = moments = 1 if count == 1 else _FIRST_LOOKS
        while killed(lambda way=way, count=count, moments=moments: way(dsn, Fate(moments), count)):
            moments += every
        asyncio.run(standing(dsn, result))
        print(json.dumps([way.__name__, count, (moments - first) // every]), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
