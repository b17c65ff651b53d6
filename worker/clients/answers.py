"""What a peer's answer, or its silence, means for the work that asked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import msgspec

from shared.errors import GiveUp, RepriseError, StepAside, TryLater

AWAY_FOR = timedelta(seconds=30)
BUSY_FOR = timedelta(seconds=5)
# A wrong key or address is mended by a person.
MISCONFIGURED_FOR = timedelta(minutes=5)
_LONGEST_TEXT = 500


@dataclass(frozen=True, slots=True)
class Complaint:
    """One validation error: the field (as the peer spells it, or empty) and what is wrong with it."""

    field: str
    message: str


class PeerAway(StepAside):
    """The peer can't be reached, is starting, or took too long; no attempt is spent on waiting for it.

    `outcome_unknown`: the request may have been carried out all the same, so look before repeating it.
    """

    code = "peer_away"

    def __init__(self, message: str, after: timedelta = AWAY_FOR, outcome_unknown: bool = False) -> None:
        super().__init__(message, after)
        self.outcome_unknown = outcome_unknown


class PeerBusy(StepAside):
    """The peer takes no more requests of this kind just now (429); it did nothing, and takes them again soon."""

    code = "peer_busy"

    def __init__(self, message: str, after: timedelta = BUSY_FOR) -> None:
        super().__init__(message, after)


class SoulseekAway(PeerAway):
    """slskd is there, but has no connection to the Soulseek network, or isn't logged in."""

    code = "soulseek_away"


class PeerMisconfigured(StepAside):
    """The peer doesn't let us in, or isn't at its configured address; the message names the variable to mend."""

    code = "peer_misconfigured"

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message, MISCONFIGURED_FOR)
        self.status = status


class PeerFailed(TryLater):
    """The peer failed inside (500), or answered what can't be understood; it's tried again."""

    code = "peer_failed"


class PeerConflict(TryLater):
    """The request collided with another at the peer (409); look at what is there now."""

    code = "peer_conflict"


class NotFoundAtPeer(TryLater):
    """The peer has no such thing (404), or no longer."""

    code = "not_found_at_peer"


class PeerRefused(GiveUp):
    """The peer refuses the request as wrong (400 and the like); repeating it can't help."""

    code = "peer_refused"

    def __init__(self, message: str, complaints: Iterable[Complaint] = ()) -> None:
        super().__init__(message)
        self.complaints = tuple(complaints)

    def about(self, field: str, words: str) -> bool:
        """Whether a complaint is about this field and has these words in it, both regardless of case."""
        return any(
            complaint.field.lower() == field.lower() and words.lower() in complaint.message.lower()
            for complaint in self.complaints
        )


def failure_of(
    status: int, body: bytes, *, peer: str, call: str, retry_after_s: float | None = None, location: str = ""
) -> RepriseError:
    """The error that an answer other than 2xx stands for. `call` is like `GET /api/v1/queue`."""
    complaints = tuple(_complaints(body))
    told = "; ".join(f"{c.field}: {c.message}" if c.field else c.message for c in complaints)[:_LONGEST_TEXT]
    said = f"{peer} answered {status} to {call}" + (f": {told}" if told else "")
    wait = timedelta(seconds=min(max(retry_after_s, 1.0), 3600.0)) if retry_after_s is not None else AWAY_FOR
    variable = peer.upper()
    match status:
        case 401 | 403:
            return PeerMisconfigured(
                f"{peer} refuses our API key ({status}): set {variable}_API_KEY to the key it shows in its settings",
                status,
            )
        case 301 | 302 | 303 | 307 | 308:
            return PeerMisconfigured(
                f"{peer} sends us elsewhere ({status} to {location or 'nowhere'}): set {variable}_URL to the address"
                " that answers itself, with its URL base",
                status,
            )
        case 404:
            return NotFoundAtPeer(said)
        case 409:
            return PeerConflict(said)
        case 429:
            return PeerBusy(said, BUSY_FOR if retry_after_s is None else wait)
        case 408 | 425 | 502 | 503 | 504:
            return PeerAway(said, wait)
        case _ if 400 <= status < 500:
            return PeerRefused(said, complaints)
        case _:
            return PeerFailed(said)


def _complaints(body: bytes) -> Iterable[Complaint]:
    """Lidarr's errors are a list of validation errors or one object with a message; slskd's are plain strings."""
    try:
        content: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        # An error page of a proxy says nothing that the status doesn't.
        text = body[:_LONGEST_TEXT].decode("utf-8", "replace").strip()
        content = "" if text.startswith("<") else text
    for entry in content if isinstance(content, list) else [content]:
        if isinstance(entry, str) and entry:
            yield Complaint("", entry)
        elif isinstance(entry, dict):
            message = entry.get("errorMessage") or entry.get("message") or entry.get("title")
            if isinstance(message, str) and message:
                yield Complaint(str(entry.get("propertyName") or ""), message)
