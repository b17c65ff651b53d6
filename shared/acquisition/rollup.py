"""Count a batch from its jobs and commit the counts under its version: the writer that runs after every change."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import tenacity

from shared.acquisition.batches import recounted
from shared.acquisition.model import State
from shared.acquisition.store import save_batch
from shared.acquisition.workspace import Batch
from shared.errors import NotFound, StaleVersion
from shared.postgres.pool import Pool
from shared.postgres.queries import load
from shared.telemetry import metrics

_Q = load("batches")
_TRIES = 50


def _count_conflict(state: tenacity.RetryCallState) -> None:
    metrics.VERSION_CONFLICTS.inc()


async def roll_up(pool: Pool, batch_id: UUID, now: datetime) -> Batch:
    """Recount until the counts are committed under the version they were read at; answers the batch as it is then.

    A lost race costs nothing but another count. Raises NotFound for an unknown batch.
    """
    async for attempt in tenacity.AsyncRetrying(
        retry=tenacity.retry_if_exception_type(StaleVersion),
        wait=tenacity.wait_random(0, 0.05),
        stop=tenacity.stop_after_attempt(_TRIES),
        after=_count_conflict,
        reraise=True,
    ):
        with attempt:
            return await _roll_up_once(pool, batch_id, now)
    raise AssertionError("tenacity either returns or raises")


async def _roll_up_once(pool: Pool, batch_id: UUID, now: datetime) -> Batch:
    async with pool.acquire() as connection, connection.transaction():
        # Read first, count afterwards: then the counts are at least as new as the version they are committed under.
        row = await connection.fetchrow(_Q["batch"], batch_id)
        if row is None:
            raise NotFound(f"no batch {batch_id}")
        before = Batch(**row)
        counts = {State(state): count for state, count in await connection.fetch(_Q["count_jobs"], batch_id)}
        after = recounted(before, counts, now)
        if after is not before:
            await save_batch(connection, after, before=before, cause="roll_up")
        return after
