"""The rules whose subject is a peer as a whole: a hint that names nothing, a wish for what it misses. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from msgspec.structs import replace

from shared.acquisition.commands import ReadWanted
from shared.acquisition.findings import WantedRequested
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
        case ImportFailureHinted() | DownloadFailureHinted(download_id=None) | WantedRequested():
            return True
        case _:
            return False


def decide(peer: Peer, signal: Signal, context: Context, event_id: UUID) -> tuple[PeerDecision, tuple[Order, ...]]:
    """A hint that names nothing is a reason to look, where there is somebody to ask; so is a wish for more."""
    after = replace(peer, sequence=peer.sequence + 1)
    orders: tuple[Order, ...]
    if isinstance(signal, WantedRequested) and context.lidarr:
        applied, reason = True, "asking Lidarr what it misses"
        read = ReadWanted(
            user_id=signal.user_id, limit=signal.limit, event_id=signal.batch_event_id, label=signal.label
        )
        orders = (Order(read),)
    elif context.lidarr:
        applied, reason = True, "asking Lidarr which album it is about"
        orders = (look(),)
    else:
        applied, reason = False, "without LIDARR_URL and LIDARR_API_KEY there is nobody to ask"
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
