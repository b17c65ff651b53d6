"""One clock per simulated peer, so that its dates never repeat and tests can let hours pass at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

ONE_TICK = timedelta(microseconds=1)


class Clock:
    """Aware UTC, strictly increasing from call to call."""

    def __init__(self) -> None:
        self._ahead = timedelta()
        self._last = datetime.min.replace(tzinfo=UTC)

    def now(self) -> datetime:
        at = datetime.now(UTC) + self._ahead
        self._last = at if at > self._last else self._last + ONE_TICK
        return self._last

    def shift(self, seconds: float) -> None:
        """Let `seconds` pass for the peer without anybody waiting."""
        self._ahead += timedelta(seconds=seconds)


def ticks(at: datetime) -> str:
    """Write an instant as .NET does with full precision: seven fractional digits and `Z`."""
    # Python stops at six digits; the seventh is taken from the sixth, so equal instants are written alike.
    return f"{at:%Y-%m-%dT%H:%M:%S.%f}{at.microsecond % 9 + 1}Z"


def seconds(at: datetime) -> str:
    """Write an instant as Lidarr's API does: whole seconds and `Z` (its webhooks carry the fraction)."""
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def parse(text: str) -> datetime:
    """Read an ISO date of up to seven fractional digits; without a zone it is UTC. Raises ValueError."""
    head, dot, tail = text.strip().replace(" ", "+").partition(".")
    if dot:
        digits = len(tail) - len(tail.lstrip("0123456789"))
        head += f".{tail[:digits][:6]:0<6}{tail[digits:]}"
    at = datetime.fromisoformat(head)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
