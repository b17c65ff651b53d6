"""The rules whose subject is a peer as a whole: a hint that names nothing, an observation that ended. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from msgspec.structs import replace

from shared.acquisition.commands import ObservePeer
from shared.acquisition.model import Context, Order
from shared.acquisition.signals import DownloadFailureHinted, ImportFailureHinted, PeerObserved, Signal
from shared.acquisition.workspace import Decision, Peer

LOOK_AFTER_HINT_S = 0.5


@dataclass(frozen=True, slots=True)
class PeerDecision:
    """The peer afterwards, and the record of the decision."""

    after: Peer
    record: Decision


def concerns(signal: Signal) -> bool:
    """Whether a signal is about a peer as a whole."""
    match signal:
        case ImportFailureHinted() | PeerObserved() | DownloadFailureHinted(download_id=None):
            return True
        case _:
            return False


def decide(peer: Peer, signal: Signal, context: Context, event_id: UUID) -> tuple[PeerDecision, tuple[Order, ...]]:
    """What becomes of a peer when a signal arrives: a look is ordered, or how far we have looked is noted."""
    applied = True
    reason: str | None = None
    orders: tuple[Order, ...] = ()
    after = replace(peer, sequence=peer.sequence + 1)
    match signal:
        case PeerObserved(until=until, history_id=history_id):
            after = replace(after, observed_at=context.now, observed_until=until, history_id=_later(peer, history_id))
        case _ if context.lidarr:
            reason, orders = (
                "asking Lidarr which album it is about",
                (Order(ObservePeer(peer=peer.name), LOOK_AFTER_HINT_S),),
            )
        case _:
            applied, reason = False, "names no album, and without LIDARR_API_KEY there is nobody to ask"
    record = Decision(
        subject_id=peer.id,
        sequence=after.sequence,
        subject_kind="peer",
        event_id=event_id,
        signal=type(signal).__name__,
        decided_at=context.now,
        settings_version=context.settings.version,
        outcome="applied" if applied else "ignored",
        reason=reason,
        before_state=None,
        after_state=None,
        changes={},
    )
    return PeerDecision(after, record), orders


def _later(peer: Peer, history_id: int | None) -> int | None:
    known = [one for one in (peer.history_id, history_id) if one is not None]
    return max(known, default=None)
