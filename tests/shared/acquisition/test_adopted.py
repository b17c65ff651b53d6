"""A snapshot of another system's work: taken in once, and only if it is over."""

from __future__ import annotations

from uuid import uuid4

from msgspec.structs import replace

from shared.acquisition.adopted import Adopted, BatchAdopted
from shared.acquisition.lifecycle import decide
from shared.acquisition.locate import Nowhere, ToNew, locate
from shared.acquisition.model import Acquisition, State
from shared.acquisition.signals import decode, encode
from shared.acquisition.workspace import Workspace
from tests.shared.acquisition.casting import NOW, context, in_state


def snapshot(state: State) -> Acquisition:
    """An acquisition of another system, with the job that it was for."""
    return replace(in_state(state).now, sequence=0)


def decided(taken: Acquisition) -> tuple[bool, str | None, Acquisition]:
    signal = Adopted(acquisition_id=taken.id, acquisition=taken, original={"id": "cm1"})
    place = locate(signal, Workspace(), uuid4(), NOW)
    assert isinstance(place, ToNew)
    outcome = decide(place.blank, signal, context())
    assert outcome.orders == ()
    return outcome.applied, outcome.reason, outcome.after


def test_what_is_over_is_taken_as_it_stood() -> None:
    for state in (State.COMPLETED, State.FAILED, State.CANCELLED):
        taken = snapshot(state)
        applied, _, after = decided(taken)
        assert applied
        assert after == replace(taken, updated_at=after.updated_at)


def test_what_is_under_way_elsewhere_is_not_taken() -> None:
    applied, reason, after = decided(snapshot(State.DOWNLOADING))
    assert (applied, reason) == (False, "adopted_unfinished")
    assert after.jobs == ()


def test_what_is_known_here_is_not_overwritten() -> None:
    known = in_state(State.PENDING).now
    signal = Adopted(acquisition_id=known.id, acquisition=snapshot(State.FAILED), original={})
    assert decide(known, signal, context()).reason == "already_decided"


def test_a_batch_is_for_the_record() -> None:
    signal = BatchAdopted(batch_id=uuid4(), version=5, original={"id": "cm1"})
    assert locate(signal, Workspace(), uuid4(), NOW) == Nowhere("for_the_record")
    assert decode(encode(signal)) == signal


def test_a_snapshot_survives_the_log() -> None:
    taken = snapshot(State.FAILED)
    signal = Adopted(acquisition_id=taken.id, acquisition=taken, original={"metadata": {"é": [1, None]}})
    assert decode(encode(signal)) == signal
