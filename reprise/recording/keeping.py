"""Scrub what was heard and write it down, beside the traffic and never in its way."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import structlog

from reprise.recording.file import Writing
from reprise.recording.form import Answer, Exchange, Heard
from reprise.recording.recorder import Keep
from reprise.recording.scrub import Scrubber

log = structlog.get_logger(__name__)

_WAITING_AT_MOST = 8


@dataclass(slots=True)
class Kept:
    """How many were written, how many couldn't be scrubbed, and what ended the writing, if anything did."""

    calls: int = 0
    webhooks: int = 0
    dropped: int = 0
    error: OSError | None = None
    failed: asyncio.Event = field(default_factory=asyncio.Event)


@asynccontextmanager
async def keeping(writing: Writing, scrubber: Scrubber, kept: Kept) -> AsyncIterator[Keep]:
    """Yields what takes an exchange; at the end of the context all of them are written.

    When the disk refuses one, `kept` says so, and those that follow are dropped.
    """
    waiting: asyncio.Queue[Heard] = asyncio.Queue(_WAITING_AT_MOST)

    async def work() -> None:
        while True:
            heard = await waiting.get()
            if kept.error is None:
                await asyncio.to_thread(_write, heard, writing, scrubber, kept)
            waiting.task_done()

    writer = asyncio.ensure_future(work())
    try:
        yield waiting.put
        await waiting.join()
    finally:
        writer.cancel()
        await asyncio.gather(writer, return_exceptions=True)


def _write(heard: Heard, writing: Writing, scrubber: Scrubber, kept: Kept) -> None:
    try:
        exchange = scrubbed(heard, scrubber)
    except Exception as error:  # noqa: BLE001 - nothing unscrubbed may get out, not even in a traceback's message
        kept.dropped += 1
        place = traceback.extract_tb(error.__traceback__)[-1]
        log.error("recording.not_scrubbed", n=heard.n, error=type(error).__name__, at=f"{place.name}:{place.lineno}")
        return
    try:
        writing.add(exchange)
    except OSError as error:
        kept.error = error
        kept.failed.set()
        return
    if heard.direction == "call":
        kept.calls += 1
    else:
        kept.webhooks += 1


def scrubbed(heard: Heard, scrubber: Scrubber) -> Exchange:
    """The exchange as it may be kept."""
    path, query = scrubber.path(heard.path), scrubber.query(heard.query)
    headers, body = scrubber.headers(heard.headers), scrubber.body(heard.body, path=heard.path)
    answer = None
    if heard.status is not None and not heard.fault:
        answer = Answer(
            status=heard.status,
            headers=scrubber.headers(heard.answer_headers),
            body=scrubber.body(heard.answer_body, path=heard.path),
        )
    return Exchange(
        n=heard.n,
        direction=heard.direction,
        at_s=round(heard.at_s, 4),
        took_s=round(heard.took_s, 4),
        method=heard.method,
        path=path,
        query=query,
        headers=headers,
        body=body,
        answer=answer,
        fault=heard.fault,
    )
