"""The rules whose subject is a peer as a whole: a hint that names nothing. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from msgspec.structs import replace

from shared.acquisition.model import Context, Order
from shared.acquisition.signals import DownloadFailureHinted, ImportFailureHinted, Signal
from shared.acquisition.steps import look
from shared.acquisition.workspace import Decision, Peer, record


@dataclass(frozen=True, slots=True)
class PeerDecision:
    """The peer afterwards, and the record of the decision."""

    after: Peer
    record: Decision


def concerns(signal: Signal) -> bool:
    """Whether a signal is about a peer as a whole."""
    match signal:
        case ImportFailureHinted() | DownloadFailureHinted(download_id=None):
            return True
        case _:
            return False


def decide(peer: Peer, signal: Signal, context: Context, event_id: UUID) -> tuple[PeerDecision, tuple[Order, ...]]:
    """A hint that names nothing is a reason to look, where there is somebody to ask."""
    after = replace(peer, sequence=peer.sequence + 1)
    if context.lidarr:
        applied, reason = True, "asking Lidarr which album it is about"
        orders: tuple[Order, ...] = (look(),)
    else:
        applied, reason = False, "names no album, and without LIDARR_API_KEY there is nobody to ask"
        orders = ()
    decision = record(
        subject_id=peer.id,
        sequence=after.sequence,
        kind="peer",
        event_id=event_id,
        signal=signal,
        context=context,
        applied=applied,
        reason=reason,
        changes={},
    )
    return PeerDecision(after, decision), orders
