"""What tests of the worker share: plain logs, and a link to the test's Redis."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import structlog

from shared.redis import RedisLink


@pytest.fixture(autouse=True)
def plain_logs() -> Iterator[None]:
    """Log as the processes do, without the local variables that structlog shows by default (seconds a traceback)."""
    before: dict[str, Any] = structlog.get_config()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ]
    )
    yield
    structlog.configure(**before)


@pytest.fixture
async def link(redis_url: str) -> AsyncIterator[RedisLink]:
    """A process's link to the test's Redis."""
    made = RedisLink(redis_url)
    yield made
    await made.close()
