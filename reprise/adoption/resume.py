"""Open again what was under way there: one act of a person for each job, so that history shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from msgspec.structs import replace

from reprise.adoption.translate import ADOPTED, job_id_of
from reprise.adoption.write import LOCK_KEY
from shared.acquisition import store
from shared.acquisition.acts import act_within
from shared.acquisition.fold import Folding
from shared.acquisition.signals import JobRetried
from shared.eventlog.event import EventState
from shared.postgres.pool import Connection, Pool
from shared.postgres.queries import load

_Q = load("adopt")


async def would_open(connection: Connection, wishes: Mapping[tuple[str, UUID, UUID | None], Sequence[UUID]]) -> int:
    """How many jobs a resume would open: one for each request that isn't active here, if it is as it arrived."""
    keys = list(wishes)
    return int(
        await connection.fetchval(
            _Q["would_open"],
            [wishes[key][0] for key in keys],
            [key[0] for key in keys],
            [key[1] for key in keys],
            [key[2] for key in keys],
            ADOPTED,
        )
    )


async def resume(pool: Pool, folding: Folding, their_ids: Sequence[str]) -> int:
    """Open again every one of these jobs that still is as it arrived; answers how many.

    What is active here already, or has been touched since, is left alone.
    """
    opened = 0
    for their_id in their_ids:
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute(_Q["one_at_a_time"], LOCK_KEY)
            row = await connection.fetchrow(_Q["resumable"], job_id_of(their_id), ADOPTED)
            if row is None:
                continue
            if row["batch_id"] is not None:
                await _reopen(connection, row["batch_id"])
            act = await act_within(connection, folding, JobRetried(job_id=row["id"], reason="it was active there"))
            opened += act.settlement.state is EventState.PROCESSED
    return opened


async def _reopen(connection: Connection, batch_id: UUID) -> None:
    """A cancelled batch would stay cancelled, so the one that was open there is opened with its first job."""
    (before,) = await store.lock_batches(connection, [batch_id])
    if await connection.fetchval(_Q["untouched_batch"], batch_id):
        after = replace(before, state="active", version=before.version + 1, finished_at=None)
        await store.save_batch(connection, after, before=before, cause="resumed")
