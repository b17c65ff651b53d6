"""One event, downhill: interpret, locate, decide, commit. The one route from fact to state."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from msgspec.structs import replace

from shared.acquisition import batches, peers, store
from shared.acquisition.keys import keys_of
from shared.acquisition.lifecycle import decide
from shared.acquisition.locate import Nowhere, Park, Place, ToAcquisitions, ToBatch, ToNew, ToPeer, locate
from shared.acquisition.model import Acquisition, Context, Order
from shared.acquisition.reading import Interpret, Read, read_event
from shared.acquisition.signals import (
    BatchCancelled,
    BatchRequested,
    FileArrived,
    JobCancelled,
    JobRequested,
    JobRetried,
    Signal,
)
from shared.acquisition.workspace import Placed, Workspace, changes_between, record
from shared.config import Config
from shared.eventlog import store as eventlog
from shared.eventlog.event import Event, EventState, Settlement
from shared.eventlog.identity import derived_id
from shared.postgres.pool import Connection
from shared.settings.registry import Settings

ALREADY_DECIDED = "already_decided"


@dataclass(frozen=True, slots=True)
class Folded:
    """What one fold did: a settlement for every event, its decisions, and whether commands were ordered."""

    settlements: tuple[Settlement, ...]
    work: Workspace

    @property
    def ordered(self) -> bool:
        return bool(self.work.orders)


@dataclass(frozen=True, slots=True)
class Folding:
    """Everything a fold needs besides the events; the worker's drain and the API hold one each."""

    interpret: Interpret
    settings: Callable[[], Settings]
    lidarr: bool
    slskd: bool = False
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    @classmethod
    def under(cls, config: Config, *, interpret: Interpret, settings: Callable[[], Settings]) -> Folding:
        """The fold of a process with this config."""
        return cls(interpret=interpret, settings=settings, lidarr=config.has_lidarr, slskd=config.has_slskd)

    async def fold(self, connection: Connection, events: Sequence[Event]) -> Folded:
        """Fold claimed events, in the given order, inside the caller's transaction, and settle every one.

        Raises whatever a rule or the database raises; then nothing of the batch has happened.
        """
        reads = [await read_event(connection, event, self.interpret) for event in events]
        work = await _lock(connection, reads)
        settings = self.settings()
        settlements = []
        for one in reads:
            context = Context(
                now=self.clock(), cause=one.cause, settings=settings, lidarr=self.lidarr, slskd=self.slskd
            )
            settlements.append(fold_one(one, work, context))
        settlements = [_unless_bound_meanwhile(one, work) for one in settlements]
        await store.save(connection, work)
        if work.bound:
            await eventlog.wake_parked(connection, sorted(work.bound))
        await eventlog.settle(connection, settlements)
        return Folded(tuple(settlements), work)


async def _lock(connection: Connection, reads: Sequence[Read]) -> Workspace:
    """Hold still and load everything that these signals may be about."""
    signals = [signal for read in reads for signal in read.signals]
    jobs = [signal.job_id for signal in signals if isinstance(signal, JobCancelled | JobRetried)]
    cancelled = [signal.batch_id for signal in signals if isinstance(signal, BatchCancelled)]
    work = Workspace()
    # Batches before anything else: then nobody joins one between the look at its jobs and its cancel.
    named = sorted(_batches_of(reads))
    for batch in await store.lock_batches(connection, named) if named else ():
        work.batches[batch.id] = work.stored_batches[batch.id] = batch
    keys = {key for signal in signals for key in keys_of(signal)}
    ids = {one for signal in signals if (one := getattr(signal, "acquisition_id", None)) is not None}
    if jobs or cancelled:
        homes = await store.job_homes(connection, jobs, cancelled)
        work.job_homes.update((job, home) for job, home, _ in homes)
        ids.update(home for _, home, _ in homes)
        keys.update(f"album:{album}" for _, _, album in homes)
    replayed = [read.cause for read in reads if read.is_replay]
    if replayed:
        work.decided_before.update(await store.decided_before(connection, replayed))
        ids.update(subject for subjects in work.decided_before.values() for subject in subjects)
    if keys:
        await store.hold_still(connection, keys)
    albums = [UUID(key.removeprefix("album:")) for key in keys if key.startswith("album:")]
    downloads = [key.removeprefix("download:") for key in keys if key.startswith("download:")]
    users = sorted({signal.username for signal in signals if isinstance(signal, FileArrived)})
    if albums or downloads or ids or users:
        work.load(
            await store.lock_acquisitions(connection, albums=albums, downloads=downloads, ids=sorted(ids), users=users)
        )
    names = {"lidarr" for signal in signals if peers.concerns(signal)}
    for peer in await store.lock_peers(connection, names) if names else ():
        work.peers[peer.name] = peer
    return work


def _batches_of(reads: Sequence[Read]) -> set[UUID]:
    """The batches that these events name, or would open: one that is there already isn't opened again."""
    found: set[UUID] = set()
    for read in reads:
        for signal in read.signals:
            match signal:
                case BatchCancelled(batch_id=batch_id) | JobRequested(batch_id=UUID() as batch_id):
                    found.add(batch_id)
                case BatchRequested():
                    found.add(batches.batch_id_for(read.cause))
    return found


def fold_one(read: Read, work: Workspace, context: Context) -> Settlement:
    """Decide one event about all its subjects, and say what became of it."""
    if read.unheeded is not None:
        return _settled(read, EventState.IGNORED, read.unheeded)
    first = len(work.decisions)
    parked: list[str] = []
    reasons: list[str] = []
    for signal in read.signals:
        place = _place(read, signal, work, context)
        match place:
            case Park(keys=keys):
                parked.extend(keys)
            case Nowhere(reason=reason):
                reasons.append(reason)
            case _:
                _decide(read, signal, place, work, context)
    decisions = work.decisions[first:]
    if any(decision.outcome == "applied" for decision in decisions):
        why = next((one.reason for one in decisions if one.reason and one.outcome == "applied"), None)
        return _settled(read, EventState.PROCESSED, why)
    if decisions:
        return _settled(read, EventState.IGNORED, decisions[0].reason)
    if parked:
        return Settlement(
            read.event.id,
            EventState.PARKED,
            reason="waits for what it belongs to",
            attempts=read.event.attempts,
            waits_for=tuple(dict.fromkeys(parked)),
        )
    return _settled(read, EventState.IGNORED, reasons[0] if reasons else ALREADY_DECIDED)


def _settled(read: Read, state: EventState, reason: str | None) -> Settlement:
    return Settlement(read.event.id, state, reason=reason, attempts=read.event.attempts)


def _place(read: Read, signal: Signal, work: Workspace, context: Context) -> Place:
    """Where a signal goes; a replay goes nowhere but to what its original was decided about."""
    if isinstance(signal, JobRequested) and signal.batch_id:
        batch = work.batches.get(signal.batch_id)
        if batch is None or batch.state == "cancelled":
            return Nowhere("batch_is_cancelled" if batch else "no_such_batch")
    place = locate(signal, work, read.cause, context.now)
    match place:
        case ToNew(blank=blank) if blank.id in work.acquisitions:
            return Nowhere(ALREADY_DECIDED)
        case ToBatch(signal=BatchRequested()) if batches.batch_id_for(read.cause) in work.batches:
            return Nowhere(ALREADY_DECIDED)
    before = work.decided_before.get(read.cause)
    if not read.is_replay or not before:
        return place
    if isinstance(signal, JobCancelled | JobRetried | FileArrived):
        # These don't say how things stand, but do or count something: once is enough.
        return Nowhere(ALREADY_DECIDED)
    match place:
        case ToAcquisitions(ids=ids) if kept := tuple(one for one in ids if one in before):
            return ToAcquisitions(kept)
        case ToPeer():
            return place
        case _:
            return Nowhere(ALREADY_DECIDED)


def _decide(read: Read, signal: Signal, place: Place, work: Workspace, context: Context) -> None:
    match place:
        case ToNew(blank=blank):
            _about_acquisition(read, signal, blank, work, context)
        case ToAcquisitions(ids=ids):
            for one in ids:
                _about_acquisition(read, signal, work.acquisitions[one], work, context)
        case ToPeer(name=name):
            decision, orders = peers.decide(work.peers[name], signal, context, read.event.id)
            work.peers[name] = decision.after
            work.decisions.append(decision.record)
            _order(read, decision.after.id, orders, work)
        case ToBatch(signal=asked):
            outcome = batches.decide(asked, work, context, read.event.id)
            work.decisions.append(outcome.record)
            for follow in outcome.signals:
                followed = locate(follow, work, read.cause, context.now)
                if isinstance(followed, ToNew | ToAcquisitions):
                    _decide(read, follow, followed, work, context)
            _order(read, outcome.record.subject_id, outcome.orders, work)
        case Park() | Nowhere():
            raise AssertionError("a signal that goes nowhere is not decided")


def _about_acquisition(read: Read, signal: Signal, before: Acquisition, work: Workspace, context: Context) -> None:
    """One decision about one acquisition; a second one of the same event is not made."""
    if (read.event.id, before.id) in work.decided:
        return
    work.decided.add((read.event.id, before.id))
    asked = _with_job_moved_in(before, signal, work) if isinstance(signal, JobRetried) else before
    outcome = decide(asked, signal, context)
    after = replace(outcome.after if outcome.applied else before, sequence=before.sequence + 1)
    if isinstance(signal, JobRetried) and outcome.applied and asked is not before:
        work.forget_job(signal.job_id)
    work.put(after)
    work.decisions.append(
        record(
            subject_id=before.id,
            sequence=after.sequence,
            kind="acquisition",
            event_id=read.event.id,
            signal=signal,
            context=context,
            applied=outcome.applied,
            reason=outcome.reason,
            before_state=before.state.value if before.sequence else None,
            after_state=after.state.value,
            changes=changes_between(before if before.sequence else None, after),
        )
    )
    _order(read, before.id, outcome.orders, work)


def _with_job_moved_in(acquisition: Acquisition, signal: JobRetried, work: Workspace) -> Acquisition:
    """A job that is opened again moves to the album's active acquisition, if another has taken over since."""
    job = work.job(signal.job_id)
    if job is None or job.acquisition_id == acquisition.id:
        return acquisition
    return replace(acquisition, jobs=(*acquisition.jobs, replace(job, acquisition_id=acquisition.id)))


def _order(read: Read, subject: UUID, orders: Iterable[Order], work: Workspace) -> None:
    for number, order in enumerate(orders):
        work.orders.append(Placed(derived_id(read.event.id, "command", subject, number), order, read.event.id))


def _unless_bound_meanwhile(settlement: Settlement, work: Workspace) -> Settlement:
    """What this same fold has bound need not be waited for: such an event is folded again at once."""
    if settlement.state is EventState.PARKED and not work.bound.isdisjoint(settlement.waits_for):
        return Settlement(settlement.event_id, EventState.WAITING, attempts=settlement.attempts)
    return settlement
