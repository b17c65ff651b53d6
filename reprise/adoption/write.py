"""Write what comes along, chunk by chunk; each chunk is one transaction, and writing it again changes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from msgspec.structs import replace

from reprise.adoption.settings import TheirSetting
from reprise.adoption.translate import OPEN_BATCH_THERE, Row, TakenEvent, TakenJob, batch_id_of, moment
from shared.acquisition import store
from shared.acquisition.acts import act_within, own_delivery
from shared.acquisition.adopted import Adopted, BatchAdopted
from shared.acquisition.fold import Folding
from shared.acquisition.model import Job, State
from shared.acquisition.signals import SettingChanged
from shared.acquisition.workspace import Batch
from shared.eventlog import store as eventlog
from shared.eventlog.event import OPERATOR, EventState
from shared.postgres.pool import Connection, Pool
from shared.postgres.queries import load
from shared.settings import store as settings_store

_Q = load("adopt")
_BATCHES = load("batches")
# Any constant, as long as every adoption uses the same one.
LOCK_KEY = 0x7265707269736535
CAUSE = "adopted"


@dataclass(frozen=True, slots=True)
class Writer:
    """Our side. Every method answers how many rows it added."""

    pool: Pool
    folding: Folding
    now: datetime

    async def jobs(self, taken: Sequence[TakenJob]) -> int:
        """Bring over jobs without a batch."""
        async with self.pool.acquire() as connection, connection.transaction():
            await connection.execute(_Q["one_at_a_time"], LOCK_KEY)
            return await self._jobs(connection, taken)

    async def batch(self, row: Row, taken: Sequence[TakenJob]) -> tuple[int, int]:
        """Bring over a batch with its jobs, so that its counters are theirs at any moment; (batches, jobs) added."""
        batch_id = batch_id_of(str(row["id"]))
        async with self.pool.acquire() as connection, connection.transaction():
            await connection.execute(_Q["one_at_a_time"], LOCK_KEY)
            found = await store.lock_batches(connection, [batch_id])
            if not found:
                batch = _batch(row, _outcomes(one.job for one in taken), self.now)
                await act_within(
                    connection,
                    self.folding,
                    BatchAdopted(batch_id=batch_id, version=batch.version, original=dict(row)),
                )
                await store.save_batch(connection, batch, before=None, cause=CAUSE)
            added = await self._jobs(connection, taken)
            if found and added:
                await _recount(connection, found[0])
            return (0 if found else 1), added

    async def events(self, taken: Sequence[TakenEvent]) -> int:
        """Bring over webhook events, settled."""
        columns = [
            [getattr(one, name) for one in taken]
            for name in ("id", "source", "type", "received_at", "correlation_id", "body")
        ]
        columns += [[one.state.value for one in taken]]
        columns += [
            [getattr(one, name) for one in taken] for name in ("reason", "last_error", "attempts", "settled_at")
        ]
        async with self.pool.acquire() as connection:
            return int((await connection.execute(_Q["keep_events"], *columns)).split()[-1])

    async def setting(self, one: TheirSetting) -> bool:
        """Set one setting as it was there, unless somebody has set it here; whether it was set."""
        assert one.ours is not None
        async with self.pool.acquire() as connection, connection.transaction():
            await connection.execute(_Q["one_at_a_time"], LOCK_KEY)
            if one.ours in (await settings_store.read(connection)).values:
                return False
            version = await settings_store.put(connection, one.ours, one.apply, by=OPERATOR)
            await act_within(connection, self.folding, SettingChanged(name=one.ours, value=one.apply, version=version))
            return True

    async def _jobs(self, connection: Connection, taken: Sequence[TakenJob]) -> int:
        """One event of our own for each job that isn't here yet, folded at once: the log explains every row."""
        here = await acquisitions_here(connection, [one.acquisition.id for one in taken])
        deliveries = [
            own_delivery(
                Adopted(acquisition_id=one.acquisition.id, acquisition=one.acquisition, original=one.original),
                source=OPERATOR,
            )
            for one in taken
            if one.acquisition.id not in here
        ]
        if not deliveries:
            return 0
        await eventlog.append(connection, deliveries)
        events = await eventlog.claim_these(connection, [one.id for one in deliveries])
        folded = await self.folding.fold(connection, events)
        if unheeded := [one for one in folded.settlements if one.state is not EventState.PROCESSED]:
            raise AssertionError(f"an adopted job was not taken in: {unheeded[0].reason}")
        return len(deliveries)


async def events_here(connection: Connection, ids: Sequence[UUID]) -> set[UUID]:
    """Which of these events are here already."""
    return {row["id"] for row in await connection.fetch(_Q["events_here"], list(ids))}


async def acquisitions_here(connection: Connection, ids: Sequence[UUID]) -> set[UUID]:
    """Which of these acquisitions are here already."""
    return {row["id"] for row in await connection.fetch(_Q["acquisitions_here"], list(ids))}


async def batches_here(connection: Connection, ids: Sequence[UUID]) -> set[UUID]:
    """Which of these batches are here already."""
    return {row["id"] for row in await connection.fetch(_Q["batches_here"], list(ids))}


def _batch(row: Row, outcomes: Counter[State], now: datetime) -> Batch:
    """Their batch as it stood; open ones arrive cancelled, like their jobs. Versions began at 0 there, here at 1."""
    status = str(row["status"])
    created = moment(row.get("createdAt")) or now
    week = moment(row.get("weekStart"))
    return Batch(
        id=batch_id_of(str(row["id"])),
        user_id=str(row["userId"]),
        label=f"week of {week:%Y-%m-%d}" if week else None,
        state=status if status in ("completed", "failed", "cancelled") else "cancelled",
        version=max(int(row.get("version") or 0), 0) + 1,
        total=sum(outcomes.values()),
        completed=outcomes[State.COMPLETED],
        failed=outcomes[State.FAILED],
        cancelled=outcomes[State.CANCELLED],
        created_at=created,
        finished_at=now if status in OPEN_BATCH_THERE else moment(row.get("completedAt")) or created,
    )


def _outcomes(jobs: Iterable[Job]) -> Counter[State]:
    """Each album once, though it was tried several times: by the job that completed, else by the latest one."""
    by_id = sorted(jobs, key=lambda job: job.id)
    best_first = sorted(by_id, key=lambda job: (job.state is State.COMPLETED, job.finished_at), reverse=True)
    by_album: dict[UUID, State] = {}
    for job in best_first:
        by_album.setdefault(job.album_mbid, job.state)
    return Counter(by_album.values())


async def _recount(connection: Connection, before: Batch) -> None:
    """Jobs came to their batch since it was adopted: its counters follow, as its next version."""
    rows = await connection.fetch(_BATCHES["count_jobs"], before.id)
    albums = {State(state): count for state, count in rows}
    after = replace(
        before,
        version=before.version + 1,
        total=max(before.total, sum(albums.values())),
        completed=albums.get(State.COMPLETED, 0),
        failed=albums.get(State.FAILED, 0),
        cancelled=albums.get(State.CANCELLED, 0),
    )
    await store.save_batch(connection, after, before=before, cause="more of it was adopted")
