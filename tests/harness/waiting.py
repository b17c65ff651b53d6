"""Wait for something that has no event to await, such as another process's work."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

T = TypeVar("T")

_POLL_S = 0.02


@overload
async def until(check: Callable[[], Awaitable[T]], *, within_s: float = ..., what: str = ...) -> T: ...
@overload
async def until(check: Callable[[], T], *, within_s: float = ..., what: str = ...) -> T: ...
async def until(check: Callable[[], Any], *, within_s: float = 20.0, what: str = "") -> Any:
    """The first truthy result of `check`, sync or async; AssertionError with the last after `within_s`."""
    ends = time.monotonic() + within_s
    while True:
        outcome = check()
        result = await outcome if inspect.isawaitable(outcome) else outcome
        if result:
            return result
        if time.monotonic() > ends:
            raise AssertionError(f"{what or 'it'} didn't happen within {within_s} s; last result: {result!r}")
        await asyncio.sleep(_POLL_S)
