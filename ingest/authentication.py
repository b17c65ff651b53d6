"""Who may deliver webhooks: whoever shows the secret, in any of the three ways that the senders can."""

from __future__ import annotations

import binascii
import hashlib
import hmac
import time
from base64 import b64decode
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import structlog

from shared.config import Secret

HEADER = "X-Webhook-Secret"

_log = structlog.get_logger("ingest.authentication")
# A sender with a wrong secret is told so this often at once, and then this often a second.
_BURST = 20.0
_REFILL_PER_S = 2.0
_ADDRESSES = 512
_REPORT_EVERY_S = 30.0


@dataclass(slots=True)
class _Account:
    """What one address has left, and what has been refused to it since the log said so."""

    budget: float
    at: float
    refused: int = 0
    reported_at: float = float("-inf")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a delivery isn't let in. status is 401, or 429 when the address has asked too often."""

    status: int
    code: str
    detail: str
    retry_after_s: int | None = None


class Doorkeeper:
    """Compares in constant time and fails closed: without a configured secret nobody is let in.

    Wrong secrets are limited by address. The secret is looked at first, so a right one is never refused, even when it
    comes from the address (a proxy, say) of somebody who tries wrong ones at speed.
    """

    def __init__(self, secrets: Sequence[Secret | None], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._digests = tuple(
            hashlib.sha256(form).digest() for secret in secrets if secret is not None for form in _forms(secret)
        )
        self._clock = clock
        self._accounts: OrderedDict[str, _Account] = OrderedDict()
        if not self._digests:
            _log.error(
                "webhooks.closed",
                reason="no webhook secret is configured, so every delivery is refused",
                cure="set REPRISE_WEBHOOK_SECRET",
            )

    @property
    def open(self) -> bool:
        """Whether anybody can be let in at all."""
        return bool(self._digests)

    def admits(self, headers: Mapping[str, str]) -> bool:
        """Whether a right secret is shown. Every secret is compared with every one shown, whatever fits."""
        fits = False
        for shown in _shown(headers):
            digest = hashlib.sha256(shown).digest()
            for known in self._digests:
                fits |= hmac.compare_digest(digest, known)
        return fits

    def refuse(self, remote: str | None) -> Refusal:
        """The answer to somebody who wasn't admitted."""
        account = self._account_of(remote or "unknown")
        account.refused += 1
        if self._clock() - account.reported_at >= _REPORT_EVERY_S:
            _log.warning("webhook.refused", remote=remote, times=account.refused)
            account.refused, account.reported_at = 0, self._clock()
        if not self._digests:
            return Refusal(
                401, "no_secret_configured", "This receiver has no webhook secret: set REPRISE_WEBHOOK_SECRET."
            )
        if account.budget < 1:
            return Refusal(
                429,
                "too_many_wrong_secrets",
                "Too many wrong secrets came from this address; the right one is taken at any time.",
                retry_after_s=round(_BURST / _REFILL_PER_S),
            )
        account.budget -= 1
        return Refusal(
            401,
            "wrong_secret",
            f"Show the webhook secret: header {HEADER}, HTTP Basic (any user name, the secret as password) or Bearer.",
        )

    def _account_of(self, remote: str) -> _Account:
        now = self._clock()
        account = self._accounts.setdefault(remote, _Account(_BURST, now))
        self._accounts.move_to_end(remote)
        if len(self._accounts) > _ADDRESSES:
            self._accounts.popitem(last=False)
        account.budget = min(_BURST, account.budget + (now - account.at) * _REFILL_PER_S)
        account.at = now
        return account


def _forms(secret: Secret) -> Iterator[bytes]:
    """The bytes by which a sender may mean this secret: Lidarr writes Basic in Latin-1, others in UTF-8."""
    text = secret.reveal()
    yield text.encode("utf-8", "surrogatepass")
    if not text.isascii():
        try:
            yield text.encode("latin-1")
        except UnicodeEncodeError:
            return


def _shown(headers: Mapping[str, str]) -> Iterator[bytes]:
    own = headers.get(HEADER)
    if own:
        yield _raw(own)
    scheme, _, value = headers.get("Authorization", "").partition(" ")
    match scheme.lower():
        case "bearer":
            yield _raw(value.strip())
        case "basic":
            try:
                _, _, password = b64decode(value.strip(), validate=True).partition(b":")
            except (binascii.Error, ValueError):
                return
            yield password
        case _:
            return


def _raw(value: str) -> bytes:
    # aiohttp decodes header bytes as UTF-8 with surrogateescape (http_parser.py), so this gives the bytes back
    return value.encode("utf-8", "surrogateescape")
